"""What the cluster's own API server says of work: Jobs that run, CronJobs that will, workloads that wait for work.

User pods alone are no work: a forgotten deployment is what an idle lab looks like. Crash loops are none either.
"""

from __future__ import annotations

from chalicelib.domain.core.wording import counted
from chalicelib.domain.idleness.evidence import Evidence, KubernetesUse
from chalicelib.domain.idleness.verdict import Sign, Signal

NAME = "kubernetes"
TOLD_AT_MOST = 3


def kubernetes_signal(evidence: Evidence) -> Signal:
    """ABSENT where the API can't be reached from here, which is usual for a private endpoint."""
    use = evidence.kubernetes
    if use is None:
        why = f": {evidence.kubernetes_problem}" if evidence.kubernetes_problem else ""
        return Signal(NAME, Sign.ABSENT, f"Kubernetes was not asked{why}")
    works = [
        *([f"Job running: {_names(use.running_jobs)}"] if use.running_jobs else []),
        *([f"CronJob not suspended: {_names(use.cron_jobs)}"] if use.cron_jobs else []),
        *([f"scaled to zero until work comes: {_names(use.scaled_to_zero)}"] if use.scaled_to_zero else []),
    ]
    if works:
        return Signal(NAME, Sign.BUSY, "; ".join(works), _numbers(use))
    crashing = f", {use.crash_looping} in a crash loop" if use.crash_looping else ""
    return Signal(NAME, Sign.QUIET, f"no Jobs ({counted(use.user_pods, 'user pod')}{crashing})", _numbers(use))


def _names(names: tuple[str, ...]) -> str:
    more = len(names) - TOLD_AT_MOST
    return ", ".join(names[:TOLD_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _numbers(use: KubernetesUse) -> dict[str, float]:
    return {
        "jobs": float(len(use.running_jobs)),
        "cron_jobs": float(len(use.cron_jobs)),
        "user_pods": float(use.user_pods),
        "crash_looping": float(use.crash_looping),
    }
