"""What the cluster's own API server says of work: Jobs that run, CronJobs that will, workloads that wait, pods that will finish.

User pods alone are no work: a forgotten deployment is what an idle lab looks like. Crash loops are none either.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import Evidence, KubernetesUse
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window, gap, quiet_since, within

KUBERNETES = "kubernetes"
TOLD_AT_MOST = 3
SCHEDULED, PENDING = "scheduled", "pending"


def kubernetes_signal(evidence: Evidence) -> Signal:
    """ABSENT where the API can't be reached from here, which is usual for a private endpoint."""
    use = evidence.kubernetes
    if use is None:
        why = f": {evidence.kubernetes_problem}" if evidence.kubernetes_problem else ""
        return Signal(KUBERNETES, Sign.ABSENT, f"Kubernetes was not asked{why}")
    works = [
        *([f"Job running: {_names(use.running_jobs)}"] if use.running_jobs else []),
        *([f"Job not finished: {_names(use.waiting_jobs)}"] if use.waiting_jobs else []),
        *([f"CronJob not suspended: {_names(use.cron_jobs)}"] if use.cron_jobs else []),
        *([f"scaled to zero until work comes: {_names(use.scaled_to_zero)}"] if use.scaled_to_zero else []),
        *([f"running until it is finished: {_names(use.finite_pods)}"] if use.finite_pods else []),
        *([f"not to be disturbed: {_names(use.undisturbed_pods)}"] if use.undisturbed_pods else []),
    ]
    if works:
        return Signal(KUBERNETES, Sign.BUSY, "; ".join(works), _numbers(use))
    crashing = f", {use.crash_looping} in a crash loop" if use.crash_looping else ""
    return Signal(KUBERNETES, Sign.QUIET, f"no Jobs ({counted(use.user_pods, 'user pod')}{crashing})", _numbers(use))


def _names(names: tuple[str, ...]) -> str:
    more = len(names) - TOLD_AT_MOST
    return ", ".join(names[:TOLD_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _numbers(use: KubernetesUse) -> dict[str, float]:
    return {
        "jobs": float(len(use.running_jobs) + len(use.waiting_jobs)),
        "cron_jobs": float(len(use.cron_jobs)),
        "finite_pods": float(len(use.finite_pods)),
        "user_pods": float(use.user_pods),
        "crash_looping": float(use.crash_looping),
    }


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
    message = f"no user pods scheduled in {_long(window.end - since)}"
    return Signal(SCHEDULED, Sign.QUIET, message, {"pods": 0.0}, since)


def pending_signal(evidence: Evidence, window: Window) -> Signal:
    """Whether pods wait. The metric counts the system's own too, of which some wait for ever.

    So where Kubernetes says that no user pod waits now, a number that never changed in the window is the system's; one that
    was higher before was somebody's. Without any node, the system's own pods wait for ever: that is no sign of anything.
    """
    if evidence.kubernetes is not None:
        if evidence.kubernetes.pending_pods:
            return _pending(float(evidence.kubernetes.pending_pods), "user pods")
        values = within(evidence.pending, window)
        return _pending(max(values) - values[-1] if values else 0.0, "pods", "waited")
    if not (
        any(group.there for group in evidence.nodegroups) or evidence.instances_outside or evidence.fargate_profiles
    ):
        return Signal(PENDING, Sign.ABSENT, "no nodes that pods could wait for")
    most = max(within(evidence.pending, window), default=0.0)
    missing = gap(evidence.pending, window)
    if missing and most <= 0:
        return Signal(PENDING, Sign.MISSING, f"pending pods: {missing}")
    return _pending(most, "pods")


def _pending(most: float, what: str, did: str = "wait") -> Signal:
    if most > 0:
        return Signal(PENDING, Sign.BUSY, f"{what} {did} to be scheduled", {"pods": most})
    return Signal(PENDING, Sign.QUIET, f"no {what} {did}", {"pods": 0.0})


def _long(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"
