"""A cluster's workloads, read from its own API server if it can be reached: Jobs, CronJobs, pods, volume claims.

Short requests, with a token of the read-only role (workflows/shared/access.py); it never grants itself access.
A private server, or a 401, is a normal case: a sentence, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.aws.idleness.evidence import Reading
from chalicelib.aws.kubernetes.http import MALFORMED, ApiServer, NotAdmitted, NotReachable
from chalicelib.domain.core.sentence import Sentence, reason_of
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.idleness.evidence import KubernetesUse

#: For each attempt: one slow answer does not keep a lab awake for a night. A private endpoint gets the first one only.
_TIMEOUTS = (3.0, 10.0)
_JOBS, _CRON_JOBS = "/apis/batch/v1/jobs", "/apis/batch/v1/cronjobs"
_AUTOSCALERS = "/apis/autoscaling/v2/horizontalpodautoscalers"
_PODS, _CLAIMS = "/api/v1/pods", "/api/v1/persistentvolumeclaims"
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
_OVER = frozenset({"Succeeded", "Failed"})
#: Owners that keep a fixed number of pods for ever. Static pods are owned by their node.
_LASTING = frozenset({"ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Node"})
#: Annotations that mean "do not end this", and the values that don't. Karpenter also accepts a duration.
_DO_NOT_END = (
    ("karpenter.sh/do-not-disrupt", ("", "false")),
    ("karpenter.sh/do-not-evict", ("", "false")),
    ("cluster-autoscaler.kubernetes.io/safe-to-evict", ("", "true")),
)
#: Kueue keeps a Job suspended until there is room for it.
_QUEUE = "kueue.x-k8s.io/queue-name"

Object = Mapping[str, Any]


class KubernetesUseReading:
    """`token(cluster)` creates a bearer token for it."""

    def __init__(self, token: Callable[[str], str]) -> None:
        self._token = token

    def read(self, reading: Reading) -> None:
        """Fill in the workloads, or why they are unknown. May be called by several threads."""
        cluster = reading.cluster
        if cluster is None or not cluster.endpoint:
            reading.kubernetes_problem = Sentence("there is no endpoint")
            return
        try:
            timeouts = _TIMEOUTS if cluster.public_access else _TIMEOUTS[:1]
            token = self._token(reading.lab.name)
            reading.kubernetes = _use(ApiServer(cluster.endpoint, cluster.certificate_authority, token, *timeouts))
        except (NotAdmitted, NotReachable, EkslabError) as problem:
            reading.kubernetes_problem = reason_of(problem)
        except MALFORMED as problem:
            reading.kubernetes_problem = Sentence(
                "the API server gave something malformed: {reason}", reason=str(problem)
            )


def _use(server: ApiServer) -> KubernetesUse:
    if "items" not in server.ask("GET", f"{_PODS}?limit=1"):
        # An empty list has no entries; an answer without a list says nothing about pods.
        raise NotReachable(Sentence("the API server gave no list on GET {path}", path=_PODS))
    pods = [pod for pod in _of_users(server.all(_PODS)) if not _is_daemon(pod) and _phase(pod) not in _OVER]
    lists = _Lists(server)
    jobs = [job for job in lists.of(_JOBS) if not _is_finished(job)]
    hosts = {str(_status(pod).get("hostIP") or (pod.get("spec") or {}).get("nodeName") or "") for pod in pods}
    return KubernetesUse(
        running_jobs=_names(job for job in jobs if _status(job).get("active")),
        waiting_jobs=_names(job for job in jobs if not _status(job).get("active") and not _is_switched_off(job)),
        cron_jobs=_names(job for job in lists.of(_CRON_JOBS) if not (job.get("spec") or {}).get("suspend")),
        user_pods=len(pods),
        pending_pods=sum(_phase(pod) == "Pending" for pod in pods),
        crash_looping=sum(_is_crash_looping(pod) for pod in pods),
        volume_claims=len(lists.of(_CLAIMS)),
        scaled_to_zero=_names(each for each in lists.of(_AUTOSCALERS) if _waits_at_zero(each)),
        finite_pods=_names(pod for pod in pods if _will_finish(pod)),
        undisturbed_pods=_names(pod for pod in pods if _is_undisturbed(pod)),
        hosts=tuple(sorted(hosts - {""})),
        untold=tuple(lists.untold),
    )


class _Lists:
    """The users' objects, by the kind's path. A refused list does not affect the others: it is `untold`."""

    def __init__(self, server: ApiServer) -> None:
        self._server, self.untold = server, list[str]()

    def of(self, path: str) -> list[Object]:
        try:
            return list(_of_users(self._server.all(path)))
        except (NotAdmitted, NotReachable) as problem:
            self.untold.append(reason_of(problem))
            return []


def _of_users(objects: Iterable[Object]) -> Iterable[Object]:
    return (each for each in objects if each["metadata"].get("namespace") not in _SYSTEM)


def _names(objects: Iterable[Object]) -> tuple[str, ...]:
    return tuple(sorted(f"{each['metadata'].get('namespace')}/{each['metadata']['name']}" for each in objects))


def _status(thing: Object) -> Mapping[str, Any]:
    return thing.get("status") or {}


def _phase(pod: Object) -> str:
    return str(_status(pod).get("phase", ""))


def _waits_at_zero(autoscaler: Object) -> bool:
    """Whether it may scale to zero and has. A workload that a person scaled to 0 has disabled its autoscaler instead.

    KEDA scales to zero itself and keeps at least one replica in the autoscaler that it creates (kedacore/keda#6414).
    """
    metadata = autoscaler["metadata"]
    labels, owners = metadata.get("labels") or {}, metadata.get("ownerReferences") or []
    keda = labels.get("app.kubernetes.io/managed-by") == "keda-operator"
    owned = any(owner.get("controller") or owner.get("kind") == "ScaledObject" for owner in owners)
    may = (autoscaler.get("spec") or {}).get("minReplicas") == 0 or keda or owned
    return may and not _status(autoscaler).get("desiredReplicas") and not _status(autoscaler).get("currentReplicas")


def _is_finished(job: Object) -> bool:
    """By the Job's conditions, or by its succeeded pods. A Job whose pod failed and will be retried has no pod for a moment."""
    status, spec = _status(job), job.get("spec") or {}
    over = any(
        each.get("type") in ("Complete", "Failed") and each.get("status") == "True"
        for each in status.get("conditions") or []
    )
    done = int(status.get("succeeded") or 0) >= int(spec.get("completions") or 1)
    return over or (done and not status.get("active"))


def _is_switched_off(job: Object) -> bool:
    """Whether it is suspended, and not by a queue that will resume it."""
    return bool((job.get("spec") or {}).get("suspend")) and _QUEUE not in (job["metadata"].get("labels") or {})


def _will_finish(pod: Object) -> bool:
    """Whether a pod is not restarted for ever, has a deadline, or belongs to something other than a lasting workload."""
    spec = pod.get("spec") or {}
    if spec.get("restartPolicy") in ("Never", "OnFailure") or spec.get("activeDeadlineSeconds"):
        return True
    return any(owner.get("kind") not in _LASTING for owner in pod["metadata"].get("ownerReferences") or [])


def _is_undisturbed(pod: Object) -> bool:
    """By the annotations with which people forbid autoscalers to end it."""
    annotations = pod["metadata"].get("annotations") or {}
    return any(str(annotations.get(name, "")).strip().lower() not in values for name, values in _DO_NOT_END)


def _is_daemon(pod: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    return any(owner.get("kind") == "DaemonSet" for owner in owners)


def _is_crash_looping(pod: Object) -> bool:
    status = _status(pod)
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    waiting = ((each.get("state") or {}).get("waiting") or {} for each in containers)
    return any(each.get("reason") == "CrashLoopBackOff" for each in waiting)
