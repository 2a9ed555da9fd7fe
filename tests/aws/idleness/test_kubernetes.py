"""Workloads in a cluster, read from API servers on loopback: full ones, irregular ones, and ones that deny access."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.aws.eks.calls import state_of
from chalicelib.aws.idleness import kubernetes
from chalicelib.aws.idleness.evidence import Reading
from chalicelib.aws.idleness.kubernetes import KubernetesUseReading
from chalicelib.domain.idleness.evidence import KubernetesUse
from tests.aws.kubernetes import test_cluster as servers
from tests.aws.kubernetes.test_cluster import FakeApiServer, thing
from tests.fakes.builders import a_lab

certificate = servers.certificate
Serve = Callable[[FakeApiServer], FakeApiServer]

PODS, CLAIMS = "/api/v1/pods", "/api/v1/persistentvolumeclaims"
JOBS, CRON_JOBS = "/apis/batch/v1/jobs", "/apis/batch/v1/cronjobs"
AUTOSCALERS = "/apis/autoscaling/v2/horizontalpodautoscalers"


@pytest.fixture
def serve(certificate: Path) -> Iterator[Serve]:
    with servers._servers(certificate) as start:
        yield start


def a_server(**differences: Any) -> FakeApiServer:
    """Every kind is known, and has no objects."""
    lists: dict[str, list[dict[str, Any]]] = {path: [] for path in (PODS, CLAIMS, JOBS, CRON_JOBS, AUTOSCALERS)}
    return FakeApiServer(lists, **differences)


def a_pod(
    name: str, namespace: str = "default", owner: str = "ReplicaSet", phase: str = "Running", **status: Any
) -> dict[str, Any]:
    pod = thing(name, namespace, status={"phase": phase, **status})
    pod["metadata"]["ownerReferences"] = [{"kind": owner, "name": "x"}]
    return pod


def waiting(reason: str) -> list[dict[str, Any]]:
    return [{"state": {"running": {}}}, {"state": {"waiting": {"reason": reason}}}]


def read(server: FakeApiServer, public: bool = True) -> Reading:
    reading = Reading(a_lab())
    described = {"endpoint": server.url, "certificateAuthority": {"data": server.authority}}
    reading.cluster = state_of({**described, "resourcesVpcConfig": {"endpointPublicAccess": public}})
    KubernetesUseReading(lambda cluster: f"token-of-{cluster}").read(reading)
    return reading


def test_an_empty_cluster_has_nothing_running(serve: Serve) -> None:
    server = serve(a_server())
    reading = read(server)
    assert (reading.kubernetes, reading.kubernetes_problem) == (KubernetesUse(), "")
    assert set(server.tokens) == {"token-of-myeks"}


def test_jobs_count_until_they_are_finished_and_cron_jobs_unless_they_are_suspended(serve: Serve) -> None:
    server = a_server()
    server.lists[JOBS] = [
        thing("train", "ml", status={"active": 2}),
        thing("done", "ml", status={"succeeded": 1}),
        thing("new", "ml"),
        thing("cleanup", "kube-system", status={"active": 1}),
    ]
    server.lists[CRON_JOBS] = [
        thing("nightly", "ml", spec={"suspend": False}),
        thing("resting", "ml", spec={"suspend": True}),
        thing("weekly", "ml", spec={}),
    ]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert (use.running_jobs, use.cron_jobs) == (("ml/train",), ("ml/nightly", "ml/weekly"))
    assert use.waiting_jobs == ("ml/new",)


@pytest.mark.parametrize(
    ("job", "waits"),
    [
        pytest.param({"status": {"failed": 2}}, True, id="between two tries"),
        pytest.param({"status": {"succeeded": 1}, "spec": {"completions": 3}}, True, id="between two of its pods"),
        pytest.param({"spec": {"suspend": True}, "queue": "gpus"}, True, id="held back by Kueue"),
        pytest.param({"spec": {"suspend": True}}, False, id="switched off by a person"),
        pytest.param({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}, False, id="complete"),
        pytest.param({"status": {"conditions": [{"type": "Failed", "status": "True"}]}}, False, id="given up"),
        pytest.param({"status": {"conditions": [{"type": "Failed", "status": "False"}]}}, True, id="not given up"),
    ],
)
def test_a_job_without_a_pod_waits_for_its_next_one_until_it_is_finished(
    serve: Serve, job: dict[str, Any], waits: bool
) -> None:
    """Beside row 4 of issue 12: unfinished work is work, also between two of its pods."""
    server, labels = a_server(), {"kueue.x-k8s.io/queue-name": job["queue"]} if "queue" in job else {}
    told = thing("train", "ml", **{name: value for name, value in job.items() if name != "queue"})
    told["metadata"]["labels"] = labels
    server.lists[JOBS] = [told]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert (use.waiting_jobs == ("ml/train",), use.running_jobs) == (waits, ())


def test_pods_of_the_system_of_daemons_and_of_the_past_are_not_users(serve: Serve) -> None:
    server = a_server()
    server.lists[PODS] = [
        a_pod("web"),
        a_pod("bare", "games", owner="Node"),
        a_pod("coredns", "kube-system"),
        a_pod("node-exporter", "monitoring", owner="DaemonSet"),
        a_pod("finished", phase="Succeeded"),
        a_pod("failed", phase="Failed"),
        a_pod("waiting", phase="Pending"),
        a_pod("looping", containerStatuses=waiting("CrashLoopBackOff")),
        a_pod("stuck", phase="Pending", initContainerStatuses=waiting("CrashLoopBackOff")),
        a_pod("pulling", containerStatuses=waiting("ImagePullBackOff")),
    ]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert (use.user_pods, use.pending_pods, use.crash_looping) == (6, 2, 2)


def test_claims_are_counted_over_all_pages(serve: Serve) -> None:
    server = a_server(page=2)
    server.lists[CLAIMS] = [thing(f"data-{number}") for number in range(5)] + [thing("registry", "kube-system")]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert use.volume_claims == 5


def test_an_autoscaler_that_waits_at_zero_is_told_from_one_switched_off(serve: Serve) -> None:
    server = a_server()
    server.lists[AUTOSCALERS] = [
        thing("consumer", spec={"minReplicas": 0}, status={"desiredReplicas": 0, "currentReplicas": 0}),
        thing("awake", spec={"minReplicas": 0}, status={"desiredReplicas": 2, "currentReplicas": 1}),
        thing("off", spec={"minReplicas": 1}, status={"desiredReplicas": 0, "currentReplicas": 0}),
    ]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert use.scaled_to_zero == ("default/consumer",)


def test_row_2_kedas_autoscaler_waits_at_zero_with_one_replica_at_least(serve: Serve) -> None:
    zero = {"desiredReplicas": 0, "currentReplicas": 0}
    labelled = thing("keda-hpa-a", spec={"minReplicas": 1}, status=zero)
    labelled["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "keda-operator"}
    owned = thing("keda-hpa-b", spec={"minReplicas": 1}, status=zero)
    owned["metadata"]["ownerReferences"] = [{"kind": "ScaledObject", "controller": True}]
    helm = thing("web", spec={"minReplicas": 1}, status=zero)
    helm["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "Helm"}
    server = a_server()
    server.lists[AUTOSCALERS] = [labelled, owned, helm]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert use.scaled_to_zero == ("default/keda-hpa-a", "default/keda-hpa-b")


def test_row_4_a_pod_that_will_finish_is_work_whoever_owns_it(serve: Serve) -> None:
    server = a_server()
    argo = a_pod("train-x7k2p", "ml", owner="Workflow")
    argo["spec"] = {"restartPolicy": "Never"}
    bare = thing("batch", status={"phase": "Running"}, spec={"restartPolicy": "OnFailure"})
    ray = a_pod("head", "ml", owner="RayCluster")
    airflow = thing("task", "airflow", status={"phase": "Running"}, spec={"restartPolicy": "Never"})
    airflow["metadata"]["labels"] = {"kubernetes_pod_operator": "True"}
    timed = thing("exam", status={"phase": "Running"}, spec={"restartPolicy": "Always", "activeDeadlineSeconds": 7200})
    notebook = thing("shell", status={"phase": "Running"}, spec={"restartPolicy": "Always"})
    lasting = [a_pod("web"), a_pod("db", owner="StatefulSet"), notebook]
    server.lists[PODS] = [argo, bare, ray, airflow, timed, *lasting]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert use.finite_pods == ("airflow/task", "default/batch", "default/exam", "ml/head", "ml/train-x7k2p")


@pytest.mark.parametrize(
    ("annotation", "undisturbed"),
    [
        ({"karpenter.sh/do-not-disrupt": "true"}, True),
        ({"karpenter.sh/do-not-evict": "true"}, True),
        ({"karpenter.sh/do-not-disrupt": "8h"}, True),
        ({"karpenter.sh/do-not-disrupt": "True"}, True),
        ({"karpenter.sh/do-not-disrupt": ""}, False),
        ({"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}, True),
        ({"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}, False),
        ({"karpenter.sh/do-not-disrupt": "false"}, False),
    ],
)
def test_annotations_by_which_people_say_do_not_end_this_are_believed(
    serve: Serve, annotation: dict[str, str], undisturbed: bool
) -> None:
    server, pod = a_server(), a_pod("notebook", "ml")
    pod["metadata"]["annotations"] = annotation
    server.lists[PODS] = [pod]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert bool(use.undisturbed_pods) is undisturbed


def test_where_user_pods_run_is_known_and_daemons_do_not_count(serve: Serve) -> None:
    server = a_server()
    placed = a_pod("web", hostIP="10.0.0.1")
    named = a_pod("fargate")
    named["spec"] = {"nodeName": "fargate-ip-10-0-3-7"}
    server.lists[PODS] = [placed, named, a_pod("agent", owner="DaemonSet", hostIP="10.0.0.9"), a_pod("new")]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert use.hosts == ("10.0.0.1", "fargate-ip-10-0-3-7")


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_server_that_does_not_let_us_read_is_a_sentence(serve: Serve, status: int) -> None:
    reading = read(serve(a_server(admits=lambda token: status)))
    assert reading.kubernetes is None
    assert str(status) in reading.kubernetes_problem
    assert reading.unread == []


@pytest.mark.parametrize("refused", [JOBS, CRON_JOBS, CLAIMS, AUTOSCALERS])
def test_a_list_that_is_refused_takes_nothing_away_from_what_the_others_tell(serve: Serve, refused: str) -> None:
    server = a_server(refused=frozenset({refused}))
    server.lists[PODS] = [thing("train", "ml", spec={"restartPolicy": "Never"}, status={"phase": "Running"})]
    use = read(serve(server)).kubernetes
    assert use is not None
    assert use.finite_pods == ("ml/train",)
    [why] = use.untold
    assert refused in why


def test_a_server_without_pods_is_not_an_empty_cluster(serve: Serve) -> None:
    reading = read(serve(FakeApiServer({})))
    assert reading.kubernetes is None
    assert PODS in reading.kubernetes_problem


def test_a_server_that_is_not_there_is_a_sentence() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        reading = read(FakeApiServer({}, url=f"https://127.0.0.1:{free.getsockname()[1]}"))
    assert reading.kubernetes is None
    assert "did not answer" in reading.kubernetes_problem


class SlowOnce:
    """Admits every caller, but only after a while at first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, _token: str) -> int:
        waits, self._seconds = self._seconds, 0.0
        time.sleep(waits)
        return 200


def test_one_slow_answer_does_not_hide_what_runs(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes, "_TIMEOUTS", (0.3, 10.0))
    reading = read(serve(a_server(admits=SlowOnce(0.8))))
    assert (reading.kubernetes, reading.kubernetes_problem) == (KubernetesUse(), "")


def test_a_private_endpoint_is_asked_once(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes, "_TIMEOUTS", (0.3, 10.0))
    reading = read(serve(a_server(admits=SlowOnce(0.8))), public=False)
    assert reading.kubernetes is None
    assert "did not answer" in reading.kubernetes_problem
