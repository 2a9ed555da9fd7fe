"""Pods that the scheduler placed, and pods that wait for a place.

Any pod placed is somebody's doing: a person, a CronJob, an autoscaler. A crash loop places none, since its container is started
again where it is.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window, gap, quiet_since, within

SCHEDULED, PENDING = "scheduled", "pending"


def scheduled_signal(evidence: Evidence, window: Window) -> Signal:
    """Whether pods were placed on nodes."""
    missing = gap(evidence.scheduled, window)
    placed = sum(within(evidence.scheduled, window))
    if placed > 0:
        return Signal(
            SCHEDULED,
            Sign.BUSY,
            f"{counted(round(placed), 'pod')} scheduled in {window.hours:.0f} h",
            {"pods": placed},
        )
    if missing:
        return Signal(SCHEDULED, Sign.MISSING, f"pods scheduled: {missing}")
    since = quiet_since(evidence.scheduled_before, window, lambda value: value > 0)
    told = f"no user pods scheduled in {_long(window.end - since)}"
    return Signal(SCHEDULED, Sign.QUIET, told, {"pods": 0.0}, since)


def pending_signal(evidence: Evidence, window: Window) -> Signal:
    """Whether pods wait. The metric counts the system's own too, so where Kubernetes answers, only users' pods count.

    Without any node, the system's own pods wait for ever: that is no sign of anything.
    """
    if evidence.kubernetes is not None:
        return _pending(float(evidence.kubernetes.pending_pods), "user pods")
    if not (
        any(group.nodes for group in evidence.nodegroups) or evidence.instances_outside or evidence.fargate_profiles
    ):
        return Signal(PENDING, Sign.ABSENT, "no nodes that pods could wait for")
    most = max(within(evidence.pending, window), default=0.0)
    missing = gap(evidence.pending, window)
    if missing and most <= 0:
        return Signal(PENDING, Sign.MISSING, f"pending pods: {missing}")
    return _pending(most, "pods")


def _pending(most: float, what: str) -> Signal:
    if most > 0:
        return Signal(PENDING, Sign.BUSY, f"{what} wait to be scheduled", {"pods": most})
    return Signal(PENDING, Sign.QUIET, f"no {what} wait", {"pods": 0.0})


def _long(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"
