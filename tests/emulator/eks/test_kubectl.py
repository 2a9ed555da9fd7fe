"""kubectl and the Kubernetes client for Python work on a cluster as a newcomer expects.

The real clients run, in an environment of their own (`make kubectl`): they define the form of discovery, tables, patches,
watches and protobuf. kubectl's minor may differ by one from the cluster's (Kubernetes' version skew policy).
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.eks.conftest import Bench
from tests.emulator.eks.test_kubernetes import ask, put, token
from tests.paths import KUBECTL

#: When EKS offered the minor versions around the pinned kubectl's.
WHEN_KUBECTL_WAS_NEW = datetime(2026, 11, 29, tzinfo=UTC)
SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.29", ports: [{containerPort: 80}], env: [{name: A, value: "1"}]}
      - {name: logs, image: "busybox:1"}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
"""


class Kubectl:
    """kubectl with a configuration for one cluster."""

    def __init__(self, folder: Path, cluster: dict[str, Any], bearer: str) -> None:
        assert KUBECTL.exists(), "kubectl is not installed: `make kubectl`"
        self.folder, self.config = folder, folder / "config"
        server = {"server": cluster["endpoint"], "certificate-authority-data": cluster["certificateAuthority"]["data"]}
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "it"}
        config["clusters"] = [{"name": "it", "cluster": server}]
        config["users"] = [{"name": "it", "user": {"token": bearer} if bearer else {}}]
        config["contexts"] = [{"name": "it", "context": {"cluster": "it", "user": "it"}}]
        self.config.write_text(json.dumps(config))

    def run(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [KUBECTL, f"--kubeconfig={self.config}", f"--cache-dir={self.folder / 'cache'}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, input=given)

    def __call__(self, *arguments: str, given: str | None = None) -> str:
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, *arguments: str) -> list[list[str]]:
        """The cells of a printed table, without its heading."""
        return [line.split() for line in self(*arguments).splitlines()[1:]]


@pytest.fixture
def cluster(bench: Bench) -> dict[str, Any]:
    made = bench.active_cluster(accessConfig={"authenticationMode": "API"})
    bench.ready_nodegroup(labels={"lab": "one"})
    return made


@pytest.fixture
def kubectl(tmp_path: Path, bench: Bench, cluster: dict[str, Any]) -> Kubectl:
    return Kubectl(tmp_path, cluster, token(bench))


@pytest.fixture
def shop(kubectl: Kubectl) -> Callable[..., str]:
    """kubectl in a namespace with a deployment of two and a service."""
    kubectl("apply", "-f", "-", given=SHOP)
    return lambda *arguments, given=None: kubectl("--namespace=shop", *arguments, given=given)


def test_the_first_commands_of_a_newcomer(kubectl: Kubectl, cluster: dict[str, Any]) -> None:
    assert f"Server Version: v{cluster['version']}." in kubectl("version")
    nodes = kubectl.rows("get", "nodes")
    assert [row[1] for row in nodes] == ["Ready", "Ready"]
    assert all(row[4].startswith(f"v{cluster['version']}.") for row in nodes)
    assert {row[0] for row in kubectl.rows("get", "ns")} >= {"default", "kube-system"}
    pods = kubectl.rows("get", "pods", "-A")
    assert {row[1].rpartition("-")[0].partition("-")[0] for row in pods} == {"aws", "coredns", "kube"}
    assert {row[3] for row in pods} == {"Running"}
    services = kubectl.rows("get", "svc", "-A")
    assert [row[:2] for row in services] == [["default", "kubernetes"], ["kube-system", "kube-dns"]]
    assert [row[1] for row in kubectl.rows("get", "deploy", "-A")] == ["coredns"]
    assert "lab=one" in kubectl("get", "nodes", "--show-labels")
    assert "deployments" in kubectl("api-resources")


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_cluster_s_minor_may_be_one_lower_or_higher_than_kubectl_s(tmp_path: Path, bench: Bench, step: int) -> None:
    told = subprocess.run([KUBECTL, "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    version = f"1.{int(json.loads(told.stdout)['clientVersion']['minor']) + step}"
    bench.clock.set(WHEN_KUBECTL_WAS_NEW)
    offered = [each["clusterVersion"] for each in bench.client("eks").describe_cluster_versions()["clusterVersions"]]
    if version not in offered:  # A future version.
        bench.clock.advance(timedelta(days=365))
    made = bench.active_cluster(version=version, accessConfig={"authenticationMode": "API"})
    bench.ready_nodegroup()
    kubectl = Kubectl(tmp_path, made, token(bench))
    assert "skew" not in kubectl.run("version").stderr
    assert {row[4].rpartition(".")[0] for row in kubectl.rows("get", "nodes")} == {f"v{version}"}
    kubectl("apply", "-f", "-", given=SHOP)
    kubectl("--namespace=shop", "scale", "deploy", "web", "--replicas=3")
    assert len(kubectl("--namespace=shop", "get", "pods", "-o", "name").split()) == 3
    assert "3 desired" in kubectl("--namespace=shop", "describe", "deploy", "web")
    kubectl("delete", "namespace", "shop", "--timeout=20s")


def test_a_cluster_without_nodes_has_pods_that_wait(tmp_path: Path, bench: Bench) -> None:
    made = bench.active_cluster(accessConfig={"authenticationMode": "API"})
    kubectl = Kubectl(tmp_path, made, token(bench))
    assert "No resources found" in kubectl.run("get", "nodes").stderr
    assert {row[3] for row in kubectl.rows("get", "pods", "-A")} == {"Pending"}


def test_apply_makes_changes_and_leaves_alone(shop: Callable[..., str]) -> None:
    assert shop("apply", "-f", "-", given=SHOP).count("unchanged") == 3
    changed = SHOP.replace("nginx:1.29", "nginx:1.30").replace('"1"', '"2"').replace("replicas: 2", "replicas: 3")
    assert "deployment.apps/web configured" in shop("apply", "-f", "-", given=changed)
    found = json.loads(shop("get", "deploy", "web", "-o", "json"))
    containers = found["spec"]["template"]["spec"]["containers"]
    assert [each["image"] for each in containers] == ["nginx:1.30", "busybox:1"]
    assert containers[0]["env"] == [{"name": "A", "value": "2"}]
    assert found["spec"]["replicas"] == 3
    removed = changed.replace('      - {name: logs, image: "busybox:1"}\n', "")
    shop("apply", "-f", "-", given=removed)
    containers = json.loads(shop("get", "deploy", "web", "-o", "json"))["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in containers] == ["web"]


def test_a_server_side_apply_and_a_diff(kubectl: Kubectl) -> None:
    assert kubectl("apply", "--server-side", "-f", "-", given=SHOP).count("serverside-applied") == 3
    changed = SHOP.replace("nginx:1.29", "nginx:1.31")
    assert "nginx:1.31" in kubectl.run("diff", "-f", "-", given=changed).stdout


def test_scaling_changes_pods_and_a_rollout_ends(shop: Callable[..., str]) -> None:
    shop("scale", "deploy/web", "--replicas=3")
    assert len(shop("get", "pods", "-l", "app=web", "-o", "name").split()) == 3
    assert "successfully rolled out" in shop("rollout", "status", "deploy/web", "--timeout=10s")
    shop("set", "image", "deploy/web", "web=nginx:1.30")
    sets = [line.split()[1:4] for line in shop("get", "rs").splitlines()[1:]]
    assert sorted(sets) == [["0", "0", "0"], ["3", "3", "3"]]


def test_describe_tells_of_workloads_pods_services_and_nodes(shop: Callable[..., str], kubectl: Kubectl) -> None:
    told = shop("describe", "deploy", "web")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in told
    assert "Controlled By:  ReplicaSet/web-" in shop("describe", "pods")
    assert "LoadBalancer" in shop("describe", "svc", "web")
    described = kubectl("describe", "nodes")
    assert "providerID" not in described
    assert "Amazon Linux 2023" in described
    assert "Failed to get lease" not in described


def test_what_is_deleted_is_gone_and_a_namespace_takes_all_along(shop: Callable[..., str], kubectl: Kubectl) -> None:
    assert 'service "web" deleted' in shop("delete", "svc", "web")
    assert 'deployment.apps "web" deleted' in shop("delete", "deploy", "web")
    assert shop("get", "pods", "-o", "name") == ""
    kubectl("apply", "-f", "-", given=SHOP)
    kubectl("delete", "namespace", "shop", "--timeout=20s")
    assert "NotFound" in kubectl.run("get", "namespace", "shop").stderr
    assert [row[1] for row in kubectl.rows("get", "deploy", "-A")] == ["coredns"]


@pytest.mark.parametrize(
    ("made", "command"),
    [
        ("deployment/x", ("deployment", "x", "--image=nginx:1", "--replicas=2", "--port=80")),
        ("configmap/x", ("configmap", "x", "--from-literal=a=b")),
        ("secret/x", ("secret", "generic", "x", "--from-literal=a=b")),
        ("namespace/x", ("namespace", "x")),
        ("job.batch/x", ("job", "x", "--image=busybox", "--", "date")),
        ("serviceaccount/x", ("serviceaccount", "x")),
    ],
)
def test_what_kubectl_sends_as_protobuf_arrives_as_it_would_in_json(
    kubectl: Kubectl, made: str, command: tuple[str, ...]
) -> None:
    options = list(command)
    place = options.index("--") if "--" in options else len(options)
    dry = [*options[:place], "--dry-run=client", "-o", "json", *options[place:]]
    meant = json.loads(kubectl("create", *dry))
    kubectl("create", *options)
    assert contains(json.loads(kubectl("get", made, "-o", "json")), meant)


def contains(found: Any, meant: Any) -> bool:
    """Whether all non-empty intended values arrived."""
    if isinstance(meant, dict):
        return all(contains((found or {}).get(key), each) for key, each in meant.items() if each not in ({}, None, ""))
    if isinstance(meant, list):
        return len(found or []) == len(meant) and all(map(contains, found, meant))
    return bool(found == meant)


def test_pods_run_expose_and_wait(kubectl: Kubectl) -> None:
    kubectl("run", "one", "--image=nginx", "--port=80")
    kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=10s")
    kubectl("expose", "pod", "one")
    assert [row[0] for row in kubectl.rows("get", "svc")] == ["kubernetes", "one"]
    kubectl("label", "pod", "one", "a=b")
    kubectl("annotate", "pod", "one", "c=d")
    metadata = json.loads(kubectl("get", "pod", "one", "-o", "json"))["metadata"]
    assert (metadata["labels"]["a"], metadata["annotations"]["c"]) == ("b", "d")
    kubectl("delete", "pod/one", "svc/one")
    kubectl("wait", "--for=delete", "pod/one", "--timeout=10s")


def test_a_cordoned_node_takes_no_pods(kubectl: Kubectl) -> None:
    first, second = [row[0] for row in kubectl.rows("get", "nodes")]
    kubectl("cordon", first)
    assert [row[1] for row in kubectl.rows("get", "nodes")] == ["Ready,SchedulingDisabled", "Ready"]
    kubectl("create", "deployment", "x", "--image=nginx", "--replicas=3")
    placed = {row[6] for row in kubectl.rows("get", "pods", "-o", "wide")}
    assert placed == {second}


def test_whoami_and_can_i(kubectl: Kubectl, bench: Bench) -> None:
    told = kubectl("auth", "whoami")
    assert f"arn:aws:iam::{bench.account}:root" in told
    assert "system:authenticated" in told
    assert f"aws-iam-authenticator:{bench.account}:" in told
    assert kubectl("auth", "can-i", "delete", "pods").strip() == "yes"


def test_who_is_nobody_is_refused_in_eks_s_words(tmp_path: Path, bench: Bench, cluster: dict[str, Any]) -> None:
    stranger = Kubectl(tmp_path, cluster, token(bench, account="999988887777"))
    assert "You must be logged in to the server" in stranger.run("get", "nodes").stderr
    status, answer = ask(cluster, "/api/v1/nodes")
    message = (
        'nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" at the cluster scope'
    )
    assert (status, answer["reason"], answer["message"]) == (403, "Forbidden", message)
    status, answer = ask(cluster, "/api")
    assert (status, answer["message"]) == (403, 'forbidden: User "system:anonymous" cannot get path "/api"')


@pytest.mark.parametrize(
    ("policy", "scope", "allowed", "denied"),
    [
        ("View", {"type": "cluster"}, ("get", "pods"), ("get", "secrets")),
        ("View", {"type": "cluster"}, ("get", "deployments"), ("delete", "deployments")),
        ("AdminView", {"type": "cluster"}, ("get", "nodes"), ("create", "pods")),
        ("Edit", {"type": "cluster"}, ("create", "secrets"), ("get", "nodes")),
        ("Edit", {"type": "namespace", "namespaces": ["default"]}, ("create", "pods"), ("get", "nodes")),
        ("ClusterAdmin", {"type": "cluster"}, ("delete", "nodes"), ()),
    ],
)
def test_an_access_policy_allows_what_eks_says(
    kubectl: Kubectl, bench: Bench, policy: str, scope: Any, allowed: tuple[str, str], denied: tuple[str, ...]
) -> None:
    who = {"clusterName": "myeks", "principalArn": f"arn:aws:iam::{bench.account}:root"}
    arn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKS{}Policy"
    bench.client("eks").disassociate_access_policy(**who, policyArn=arn.format("ClusterAdmin"))
    bench.client("eks").associate_access_policy(**who, policyArn=arn.format(policy), accessScope=scope)
    assert kubectl.run("auth", "can-i", *allowed).stdout.strip() == "yes"
    if denied:
        assert kubectl.run("auth", "can-i", *denied).stdout.strip() == "no"
    if scope["type"] == "namespace":
        assert kubectl.run("auth", "can-i", *allowed, "--namespace=kube-system").stdout.strip() == "no"


def test_the_python_client_reads_and_writes(kubectl: Kubectl, bench: Bench) -> None:
    put(bench, "jobs", {"metadata": {"name": "train"}, "status": {"active": 1}})
    program = """
import sys
from kubernetes import client, config, watch
config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
print(len(core.list_node().items), core.list_node().items[0].status.node_info.os_image)
container = client.V1Container(name="web", image="nginx")
labels = client.V1ObjectMeta(labels={"app": "web"})
template = client.V1PodTemplateSpec(metadata=labels, spec=client.V1PodSpec(containers=[container]))
spec = client.V1DeploymentSpec(replicas=2, selector=client.V1LabelSelector(match_labels={"app": "web"}), template=template)
apps.create_namespaced_deployment("default", client.V1Deployment(metadata=client.V1ObjectMeta(name="web"), spec=spec))
print(len(core.list_namespaced_pod("default", label_selector="app=web").items))
apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 1}})
print(apps.read_namespaced_deployment("web", "default").status.ready_replicas)
print(client.BatchV1Api().list_namespaced_job("default").items[0].status.active)
seen = [each["type"] for each in watch.Watch().stream(core.list_namespace, timeout_seconds=1)]
print(set(seen))
apps.delete_namespaced_deployment("web", "default")
print(core.list_namespaced_pod("default").items)
try:
    core.read_namespaced_pod("absent", "default")
except client.ApiException as error:
    print(error.status, error.reason)
"""
    done = subprocess.run(
        [KUBECTL.parent / "python", "-c", program, kubectl.config], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "2 Amazon Linux 2023",
        "2",
        "1",
        "1",
        "{'ADDED'}",
        "[]",
        "404 Not Found",
    ], done.stderr


def test_events_tell_what_became_of_a_deployment(shop: Callable[..., str], kubectl: Kubectl) -> None:
    heading, *lines = shop("get", "events", "--sort-by=.metadata.creationTimestamp").splitlines()
    assert heading.split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    reasons = {line.split()[2] for line in lines}
    assert reasons == {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started"}
    shop("scale", "deploy", "web", "--replicas=1")
    told = shop("describe", "deploy", "web")
    assert re.search(r"Scaled up replica set web-\w+ from 0 to 2", told)
    assert re.search(r"Scaled down replica set web-\w+ from 2 to 1", told)
    assert "Successfully assigned shop/web-" in shop("describe", "pods")
    assert "Killing" not in shop("events")


def test_a_pod_without_a_node_says_why_it_waits(tmp_path: Path, bench: Bench) -> None:
    made = bench.active_cluster(accessConfig={"authenticationMode": "API"})
    kubectl = Kubectl(tmp_path, made, token(bench))
    kubectl("run", "one", "--image=nginx")
    assert "FailedScheduling" in kubectl("describe", "pod", "one")
    assert "no nodes available to schedule pods" in kubectl("get", "events")
    assert "does not have a host assigned" in kubectl.run("exec", "one", "--", "date").stderr


def test_logs_are_empty_and_nothing_is_run_in_a_pod(shop: Callable[..., str], kubectl: Kubectl) -> None:
    [first, _] = shop("get", "pods", "-o", "name").split()
    assert shop("logs", first, "-c", "web") == ""
    assert "container nope is not valid for pod" in kubectl.run("-n", "shop", "logs", first, "-c", "nope").stderr
    for command in (("exec", first, "-c", "web", "--", "date"), ("port-forward", first, "8080:80")):
        refused = kubectl.run("-n", "shop", *command)
        assert refused.returncode != 0
        assert "error dialing backend: dial tcp" in refused.stderr


def test_kinds_are_explained_as_far_as_they_are_here(kubectl: Kubectl) -> None:
    told = kubectl("explain", "deployment")
    assert "GROUP:      apps" in told
    assert "KIND:       Deployment" in told
    assert "spec\t<Object>" in told
    assert "VERSION:    v1" in kubectl("explain", "pods.spec")


def test_who_may_look_may_not_run_anything(kubectl: Kubectl, bench: Bench) -> None:
    kubectl("run", "one", "--image=nginx")
    who = {"clusterName": "myeks", "principalArn": f"arn:aws:iam::{bench.account}:root"}
    arn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKS{}Policy"
    bench.client("eks").disassociate_access_policy(**who, policyArn=arn.format("ClusterAdmin"))
    bench.client("eks").associate_access_policy(**who, policyArn=arn.format("View"), accessScope={"type": "cluster"})
    assert kubectl("logs", "one") == ""
    assert 'cannot create resource "pods/exec" in API group ""' in kubectl.run("exec", "one", "--", "date").stderr
