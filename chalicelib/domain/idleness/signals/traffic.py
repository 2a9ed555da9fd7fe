"""Traffic of the cluster's load balancers. No data points is no traffic: CloudWatch reports requests only when there are any.

Scanners probe an open balancer the whole day: a few requests are nobody. But a websocket is one request, or one
flow, for as long as somebody works: lasting connections are people.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import BalancerUse, Evidence, Series
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window, before, gap, per_minute, quiet_since, stands_out, usual, within

BALANCERS = "balancers"
#: Requests: in five minutes, and per hour over the whole window.
REQUESTS_AT_ONCE, REQUESTS_AN_HOUR = 10.0, 20.0
#: Concurrent flows of a network load balancer; two periods or more must exceed it.
FLOWS = 3.0
REQUESTS = "requests"
#: Requests a minute that never count, and more for each node: kubelets' leases, watches, the CNI plug-in.
FLOOR, FLOOR_PER_NODE = 120.0, 30.0
#: The normal variation above a cluster's baseline: a share, or a number with more for each node, whichever is larger.
BREATH_SHARE, BREATH, BREATH_PER_NODE = 0.15, 20.0, 5.0
#: The number of last hours before the window that must have been at a level for it to count as steady.
STEADY_HOURS = 2


def balancers_signal(evidence: Evidence, window: Window) -> Signal:
    """Whether a load balancer had more than scanners' traffic."""
    if not evidence.balancers:
        return Signal(BALANCERS, Sign.ABSENT, Sentence("no load balancers"))
    total = sum(sum(within(balancer.traffic, window)) for balancer in evidence.balancers)
    busy = [balancer for balancer in evidence.balancers if _is_busy(balancer, window)]
    numbers = {"balancers": float(len(evidence.balancers)), "busy": float(len(busy)), "traffic": total}
    holes = [hole for balancer in evidence.balancers if (hole := _untold(balancer, window))]
    if not busy and holes:
        return Signal(BALANCERS, Sign.MISSING, holes[0], numbers)
    if not busy:
        message = Sentence("no load-balancer traffic") if total == 0 else Sentence("hardly any load-balancer traffic")
        return Signal(BALANCERS, Sign.QUIET, message, numbers)
    return Signal(BALANCERS, Sign.BUSY, max(_describe(balancer, window) for balancer in busy), numbers)


def _is_busy(balancer: BalancerUse, window: Window) -> bool:
    values = within(balancer.traffic, window)
    if _lasting(balancer, window):
        return True
    if balancer.kind == "network":
        return sum(value > FLOWS for value in values) > 1
    at_once = any(5 * per_minute(balancer.traffic, value) > REQUESTS_AT_ONCE for value in values)
    return at_once or sum(values) > REQUESTS_AN_HOUR * window.hours


def _lasting(balancer: BalancerUse, window: Window) -> float:
    """The least number of connections that lasted through the whole window: one in every period, and fewer opened than open."""
    lasting = within(balancer.lasting, window)
    if gap(balancer.lasting, window) or sum(within(balancer.opened, window)) >= sum(lasting):
        return 0.0
    least = min(lasting)
    return least if least >= 1 else 0.0


def _untold(balancer: BalancerUse, window: Window) -> Sentence | None:
    """A sentence if a network balancer had connections whenever it was measured, but has gaps: its flows are always published.

    An application load balancer's connections are published only if there are any: no point means none.
    """
    lasting = within(balancer.lasting, window)
    hole = gap(balancer.lasting, window)
    if balancer.kind != "network" or not lasting or not hole or min(lasting) < 1:
        return None
    return Sentence("flows through the load balancer {balancer}: {missing}", balancer=balancer.name, missing=hole)


def _describe(balancer: BalancerUse, window: Window) -> str:
    values = within(balancer.traffic, window)
    if lasting := _lasting(balancer, window):
        return Sentence(
            "{connections} that lasted {hours} h through the load balancer {balancer}",
            connections=counted(round(lasting), "connection"),
            hours=f"{window.hours:.0f}",
            balancer=balancer.name,
        )
    if balancer.kind == "network":
        flows = f"{max(values):.0f}"
        return Sentence(
            "up to {flows} flows through the network load balancer {balancer}", flows=flows, balancer=balancer.name
        )
    return Sentence(
        "{requests} through the load balancer {balancer} in {hours} h",
        requests=counted(round(sum(values)), "request"),
        balancer=balancer.name,
        hours=f"{window.hours:.0f}",
    )


def requests_signal(evidence: Evidence, window: Window) -> Signal:
    """Whether the API server got more requests than the cluster makes by itself; rates are requests a minute."""
    missing = gap(evidence.requests, window)
    if missing:
        return Signal(REQUESTS, Sign.MISSING, Sentence("API-server requests: {missing}", missing=missing))
    nodes = sum(group.there for group in evidence.nodegroups)
    rates = [per_minute(evidence.requests, value) for value in within(evidence.requests, window)]
    floor = FLOOR + FLOOR_PER_NODE * nodes
    baseline = _baseline(evidence.requests_before, window)
    if baseline is None and max(rates) > floor:
        return Signal(REQUESTS, Sign.MISSING, Sentence("API-server requests: no baseline yet"), {"highest": max(rates)})
    return _judged(evidence, window, rates, baseline or 0.0, max(floor, _limit(baseline or 0.0, nodes)))


def _judged(evidence: Evidence, window: Window, rates: list[float], baseline: float, limit: float) -> Signal:
    mean = sum(rates) / len(rates)
    numbers = {"mean": mean, "highest": max(rates), "baseline": baseline, "limit": limit}
    if stands_out(rates, limit, 2 * limit - baseline):
        message = Sentence(
            "up to {rate} API-server requests a minute (baseline {baseline})",
            rate=f"{max(rates):.0f}",
            baseline=f"{baseline:.0f}",
        )
        return Signal(REQUESTS, Sign.BUSY, message, numbers)
    earlier = evidence.requests_before
    since = quiet_since(earlier, window, lambda value: per_minute(earlier, value) > limit)
    message = Sentence(
        "{rate} API-server requests a minute (baseline {baseline})", rate=f"{mean:.0f}", baseline=f"{baseline:.0f}"
    )
    return Signal(REQUESTS, Sign.QUIET, message, numbers, since)


def _limit(baseline: float, nodes: int) -> float:
    return baseline + max(BREATH_SHARE * baseline, BREATH + BREATH_PER_NODE * nodes)


def _baseline(hourly: Series, window: Window) -> float | None:
    """The lowest quarter of the week, or the steady level right before the window, if that is higher."""
    earlier = before(hourly, window)
    quiet = usual([per_minute(earlier, value) for value in earlier.values])
    recently = window.start - timedelta(seconds=(STEADY_HOURS + 1) * hourly.period)
    recent = [per_minute(earlier, value) for at, value in earlier.points if at >= recently]
    if quiet is None or len(recent) < STEADY_HOURS:
        return quiet
    return max(quiet, min(recent))
