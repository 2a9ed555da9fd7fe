"""Workloads from the cluster's own API server: running Jobs, coming CronJobs, waiting workloads, pods that will finish.

User pods alone are no work: a forgotten deployment is typical of an idle lab. Crash loops are none either.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import Evidence, KubernetesUse
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window, gap, quiet_since, within

KUBERNETES = "kubernetes"
TOLD_AT_MOST = 3
SCHEDULED, PENDING = "scheduled", "pending"


def kubernetes_signal(evidence: Evidence) -> Signal:
    """ABSENT if the API can't be reached from here, which is usual for a private endpoint."""
    use = evidence.kubernetes
    if use is None:
        return Signal(KUBERNETES, Sign.ABSENT, _not_asked(evidence.kubernetes_problem))
    works = _works(use)
    if works:
        return Signal(KUBERNETES, Sign.BUSY, Listed(works, between="; "), _numbers(use))
    if use.untold:
        return Signal(KUBERNETES, Sign.MISSING, Sentence("Kubernetes told only a part: {why}", why=use.untold[0]))
    pods = counted(use.user_pods, "user pod")
    quiet = (
        Sentence("no Jobs ({pods}, {crashing} in a crash loop)", pods=pods, crashing=use.crash_looping)
        if use.crash_looping
        else Sentence("no Jobs ({pods})", pods=pods)
    )
    return Signal(KUBERNETES, Sign.QUIET, quiet, _numbers(use))


def _not_asked(problem: str) -> Sentence:
    return Sentence("Kubernetes was not asked: {why}", why=problem) if problem else Sentence("Kubernetes was not asked")


def _works(use: KubernetesUse) -> list[Sentence]:
    """The present and coming work, a sentence for each kind."""
    found = []
    if use.running_jobs:
        found.append(Sentence("Job running: {names}", names=_names(use.running_jobs)))
    if use.waiting_jobs:
        found.append(Sentence("Job not finished: {names}", names=_names(use.waiting_jobs)))
    if use.cron_jobs:
        found.append(Sentence("CronJob not suspended: {names}", names=_names(use.cron_jobs)))
    if use.scaled_to_zero:
        found.append(Sentence("scaled to zero until work comes: {names}", names=_names(use.scaled_to_zero)))
    if use.finite_pods:
        found.append(Sentence("running until it is finished: {names}", names=_names(use.finite_pods)))
    if use.undisturbed_pods:
        found.append(Sentence("not to be disturbed: {names}", names=_names(use.undisturbed_pods)))
    return found


def _names(names: tuple[str, ...]) -> str:
    more, shown = len(names) - TOLD_AT_MOST, ", ".join(names[:TOLD_AT_MOST])
    return Sentence("{names} and {more} more", names=shown, more=more) if more > 0 else shown


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
            Sentence("{pods} scheduled in {hours} h", pods=counted(round(placed), "pod"), hours=f"{window.hours:.0f}"),
            {"pods": placed},
        )
    if missing:
        return Signal(SCHEDULED, Sign.MISSING, Sentence("pods scheduled: {missing}", missing=missing))
    since = quiet_since(evidence.scheduled_before, window, lambda value: value > 0)
    message = Sentence("no user pods scheduled in {time}", time=_long(window.end - since))
    return Signal(SCHEDULED, Sign.QUIET, message, {"pods": 0.0}, since)


def pending_signal(evidence: Evidence, window: Window) -> Signal:
    """Whether pods wait. The metric also counts the system's own pods, some of which wait for ever.

    So if Kubernetes says that no user pod waits now, a number that never changed in the window is the system's; a
    higher one before was somebody's. Without nodes, the system's own pods wait for ever, which means nothing.
    """
    if evidence.kubernetes is not None:
        if evidence.kubernetes.pending_pods:
            return _pending(
                float(evidence.kubernetes.pending_pods),
                Sentence("user pods wait to be scheduled"),
                Sentence("no pods wait"),
            )
        values = within(evidence.pending, window)
        return _pending(
            max(values) - values[-1] if values else 0.0,
            Sentence("pods waited to be scheduled"),
            Sentence("no pods waited"),
        )
    if not (
        any(group.there for group in evidence.nodegroups) or evidence.instances_outside or evidence.fargate_profiles
    ):
        return Signal(PENDING, Sign.ABSENT, Sentence("no nodes that pods could wait for"))
    most = max(within(evidence.pending, window), default=0.0)
    missing = gap(evidence.pending, window)
    if missing and most <= 0:
        return Signal(PENDING, Sign.MISSING, Sentence("pending pods: {missing}", missing=missing))
    return _pending(most, Sentence("pods wait to be scheduled"), Sentence("no pods wait"))


def _pending(most: float, waiting: Sentence, quiet: Sentence) -> Signal:
    if most > 0:
        return Signal(PENDING, Sign.BUSY, waiting, {"pods": most})
    return Signal(PENDING, Sign.QUIET, quiet, {"pods": 0.0})


def _long(span: timedelta) -> Sentence:
    hours = span // timedelta(hours=1)
    return Sentence("{hours} h", hours=hours) if hours < 48 else Sentence("{days} d", days=hours // 24)
