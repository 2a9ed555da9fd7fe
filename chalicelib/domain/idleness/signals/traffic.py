"""Traffic of the cluster's load balancers. No data points is no traffic: CloudWatch reports requests only when there are any.

An open balancer is knocked at by scanners the whole day; a few requests are nobody.
"""

from __future__ import annotations

from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import BalancerUse, Evidence
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window, per_minute, within

NAME = "balancers"
#: Requests: in five minutes, and an hour over the whole window.
REQUESTS_AT_ONCE, REQUESTS_AN_HOUR = 10.0, 20.0
#: Flows of a network load balancer at one time, which more than one period must exceed.
FLOWS = 3.0


def balancers_signal(evidence: Evidence, window: Window) -> Signal:
    """Whether anybody but scanners came through a load balancer."""
    if not evidence.balancers:
        return Signal(NAME, Sign.ABSENT, "no load balancers")
    total = sum(sum(within(balancer.traffic, window)) for balancer in evidence.balancers)
    busy = [balancer for balancer in evidence.balancers if _is_busy(balancer, window)]
    numbers = {"balancers": float(len(evidence.balancers)), "busy": float(len(busy)), "traffic": total}
    if not busy:
        told = "no load-balancer traffic" if total == 0 else "hardly any load-balancer traffic"
        return Signal(NAME, Sign.QUIET, told, numbers)
    return Signal(NAME, Sign.BUSY, max(_told(balancer, window) for balancer in busy), numbers)


def _is_busy(balancer: BalancerUse, window: Window) -> bool:
    values = within(balancer.traffic, window)
    if balancer.kind == "network":
        return sum(value > FLOWS for value in values) > 1
    at_once = any(5 * per_minute(balancer.traffic, value) > REQUESTS_AT_ONCE for value in values)
    return at_once or sum(values) > REQUESTS_AN_HOUR * window.hours


def _told(balancer: BalancerUse, window: Window) -> str:
    values = within(balancer.traffic, window)
    if balancer.kind == "network":
        return f"up to {max(values):.0f} flows through a network load balancer"
    return f"{counted(round(sum(values)), 'request')} through a load balancer in {window.hours:.0f} h"
