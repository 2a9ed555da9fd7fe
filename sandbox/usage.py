"""Simulated uses of a cluster (`python -m sandbox use`): its metrics, its API server's lists, its machines.

Every profile of the emulated CloudWatch is one; those here show in Kubernetes or in EC2 as well. Each replaces the
previous one, and creates resources like the cluster's own controllers, so that a teardown deletes them.
"""

from __future__ import annotations

import urllib.error
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from emulator.process import Sandbox
from sandbox.activity import set_activity
from sandbox.scenarios.controllers import controllers_of
from sandbox.scenarios.fleet import Machines, launch

#: On every Kubernetes object and instance that is made here.
LABEL = "sandbox.ekslab/use"

Thing = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """`metrics`: a profile of the emulated CloudWatch. `objects`: the API server's lists, by kind. `make`: resources in AWS."""

    metrics: str
    objects: tuple[tuple[str, Thing], ...] = ()
    make: Callable[[Sandbox, str], None] | None = None


def use(sandbox: Sandbox, cluster: str, name: str) -> None:
    """Simulate this use of a cluster, in place of the one before. Raises ValueError for an unknown use or cluster."""
    usage = USAGES.get(name, Usage(name))
    try:
        set_activity(sandbox, cluster, usage.metrics)
        stop(sandbox, cluster)
        for plural, thing in usage.objects:
            sandbox.admin("POST", "kubernetes", {"cluster": cluster, "plural": plural, "object": thing})
    except urllib.error.HTTPError as error:
        raise ValueError(error.read().decode()) from error
    if usage.make is not None:
        usage.make(sandbox, cluster)


def stop(sandbox: Sandbox, cluster: str) -> None:
    """Remove the objects of an earlier use. A cluster without an API server has no objects."""
    with suppress(urllib.error.HTTPError):
        sandbox.admin("DELETE", "kubernetes", {"cluster": cluster, "label": LABEL})
    ec2, elbv2 = sandbox.client("ec2"), sandbox.client("elbv2")
    tagged = {"Name": f"tag:{LABEL}", "Values": [cluster]}
    rows = ec2.describe_instances(Filters=[tagged, {"Name": "instance-state-name", "Values": ["pending", "running"]}])
    machines = [host["InstanceId"] for row in rows["Reservations"] for host in row["Instances"]]
    if machines:
        ec2.terminate_instances(InstanceIds=machines)
    with suppress(ClientError):
        for balancer in elbv2.describe_load_balancers(Names=[_balancer(cluster)])["LoadBalancers"]:
            elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])


def _pod(name: str, policy: str = "Always", owner: str = "", **metadata: Any) -> tuple[str, Thing]:
    owners = [{"apiVersion": "argoproj.io/v1alpha1", "kind": owner, "name": name, "uid": name}] if owner else []
    named = {"name": name, "namespace": "default", "labels": {LABEL: name}, "ownerReferences": owners, **metadata}
    spec = {"restartPolicy": policy, "containers": [{"name": "main", "image": "public.ecr.aws/docker/library/busybox"}]}
    return "pods", {"metadata": named, "spec": spec, "status": {"phase": "Running"}}


def _autoscaler_of_keda(name: str) -> tuple[str, Thing]:
    """An autoscaler by KEDA: at least one replica for any workload, which KEDA itself scales to none
    (kedacore/keda#6414)."""
    labels = {"app.kubernetes.io/managed-by": "keda-operator", LABEL: name}
    owner = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": name, "uid": name}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return "horizontalpodautoscalers", {
        "metadata": {"name": f"keda-hpa-{name}", "namespace": "default", "labels": labels, "ownerReferences": [owner]},
        "spec": {"minReplicas": 1, "maxReplicas": 10, "scaleTargetRef": target},
        "status": {"currentReplicas": 0, "desiredReplicas": 0},
    }


def _job(name: str) -> tuple[str, Thing]:
    labelled = {"name": name, "namespace": "default", "labels": {LABEL: name}}
    return "jobs", {"metadata": labelled, "spec": {}, "status": {"active": 1}}


def _add_gpu_machine(sandbox: Sandbox, cluster: str) -> None:
    """One more machine in its first node group, of a type that the launch template names and EKS does not return."""
    eks = sandbox.client("eks")
    for group in eks.list_nodegroups(clusterName=cluster)["nodegroups"][:1]:
        made = launch(sandbox, Machines(cluster, group, 1, managed=True, kind="g5.xlarge"))
        sandbox.client("ec2").create_tags(Resources=made, Tags=[{"Key": LABEL, "Value": cluster}])


def _add_balancer(sandbox: Sandbox, cluster: str) -> None:
    """A network load balancer as the AWS Load Balancer Controller makes one for a Service."""
    described = sandbox.client("eks").describe_cluster(name=cluster)["cluster"]
    client = controllers_of(sandbox, described["identity"]["oidc"]["issuer"])
    tags = {"elbv2.k8s.aws/cluster": cluster, "service.k8s.aws/stack": "default/code-server"}
    client("elbv2").create_load_balancer(
        Name=_balancer(cluster),
        Type="network",
        Subnets=described["resourcesVpcConfig"]["subnetIds"],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )


def _balancer(cluster: str) -> str:
    return f"use-{cluster}"[:32].rstrip("-")


USAGES: Mapping[str, Usage] = {
    "keda": Usage("idle", (_autoscaler_of_keda("consumer"),)),
    "argo": Usage("idle", (_pod("train", "Never", "Workflow"),)),
    "gpu": Usage("gpu", (_pod("notebook"),), _add_gpu_machine),
    "websocket": Usage("websocket", (_pod("code-server"),), _add_balancer),
    "nightly": Usage("nightly"),
    "batch": Usage("idle", (_job("batch"), _pod("batch-0", "OnFailure"))),
}
