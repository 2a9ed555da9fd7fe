"""API-server requests against the cluster's own baseline.

A cluster without a soul on it still asks its API server hundreds of times a minute: kubelets, controllers, add-ons, scrapers,
GitOps. People come on top of that, in bursts. What has gone on at one level since before the window (an open k9s, a scraper
installed today) is taken for a machine.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.idleness.evidence import Evidence, Series
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window, before, gap, per_minute, quiet_since, stands_out, usual, within

NAME = "requests"
#: Requests a minute that never count, and so many more for each node: kubelets' leases, watches, the CNI plug-in.
FLOOR, FLOOR_PER_NODE = 120.0, 30.0
#: How far above its baseline a cluster breathes: a share, or a number with more for each node, whichever is larger.
BREATH_SHARE, BREATH, BREATH_PER_NODE = 0.15, 20.0, 5.0
#: So many of the last hours before the window must have been at a level for it to count as steady.
STEADY_HOURS = 2


def requests_signal(evidence: Evidence, window: Window) -> Signal:
    """Whether the API server was asked more than the cluster asks by itself; rates are requests a minute."""
    missing = gap(evidence.requests, window)
    if missing:
        return Signal(NAME, Sign.MISSING, f"API-server requests: {missing}")
    nodes = sum(group.nodes for group in evidence.nodegroups)
    rates = [per_minute(evidence.requests, value) for value in within(evidence.requests, window)]
    floor = FLOOR + FLOOR_PER_NODE * nodes
    baseline = _baseline(evidence.requests_before, window)
    if baseline is None and max(rates) > floor:
        return Signal(NAME, Sign.MISSING, "API-server requests: no baseline yet", {"highest": max(rates)})
    return _judged(evidence, window, rates, baseline or 0.0, max(floor, _limit(baseline or 0.0, nodes)))


def _judged(evidence: Evidence, window: Window, rates: list[float], baseline: float, limit: float) -> Signal:
    mean = sum(rates) / len(rates)
    numbers = {"mean": mean, "highest": max(rates), "baseline": baseline, "limit": limit}
    if stands_out(rates, limit, 2 * limit - baseline):
        told = f"up to {max(rates):.0f} API-server requests a minute (baseline {baseline:.0f})"
        return Signal(NAME, Sign.BUSY, told, numbers)
    earlier = evidence.requests_before
    since = quiet_since(earlier, window, lambda value: per_minute(earlier, value) > limit)
    told = f"{mean:.0f} API-server requests a minute (baseline {baseline:.0f})"
    return Signal(NAME, Sign.QUIET, told, numbers, since)


def _limit(baseline: float, nodes: int) -> float:
    return baseline + max(BREATH_SHARE * baseline, BREATH + BREATH_PER_NODE * nodes)


def _baseline(hourly: Series, window: Window) -> float | None:
    """The quiet quarter of the week, or the level that was steadily there right before the window, if that is higher."""
    earlier = before(hourly, window)
    quiet = usual([per_minute(earlier, value) for value in earlier.values])
    recently = window.start - timedelta(seconds=(STEADY_HOURS + 1) * hourly.period)
    recent = [per_minute(earlier, value) for at, value in earlier.points if at >= recently]
    if quiet is None or len(recent) < STEADY_HOURS:
        return quiet
    return max(quiet, min(recent))
