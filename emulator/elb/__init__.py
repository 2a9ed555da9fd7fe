"""Elastic Load Balancing of both generations: their use of subnets and groups, and the classic API."""

from emulator.core.clock import EmulatorClock
from emulator.elb import balancers, classic


def install(clock: EmulatorClock) -> None:
    """Correct the load balancers of this process's emulator."""
    balancers.install(clock)
    classic.install(clock)
