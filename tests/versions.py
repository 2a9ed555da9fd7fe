"""Kubernetes versions by their place in the emulator's current EKS calendar, so that no test expires with a version."""

from __future__ import annotations

from emulator.core.clock import EmulatorClock
from emulator.eks.state.calendar import EXTENDED, Calendar


def standard() -> str:
    """A cluster's default version: in standard support."""
    return Calendar().default(EmulatorClock().now()).name


def upgradable() -> str:
    """The newest version but one."""
    return Calendar().released(EmulatorClock().now())[1].name


def extended() -> str:
    """The newest version in extended support."""
    now = EmulatorClock().now()
    return next(version.name for version in Calendar().released(now) if version.status(now) == EXTENDED)


def after(version: str) -> str:
    """The next minor version."""
    major, minor = version.split(".")
    return f"{major}.{int(minor) + 1}"
