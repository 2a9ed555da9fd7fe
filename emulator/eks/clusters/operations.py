"""Clusters: CreateCluster, DescribeCluster, ListClusters, DeleteCluster.

A cluster's endpoint, certificate, issuer and security group are not in its description until it is ACTIVE.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from emulator.eks.access.authorization import admit_creator
from emulator.eks.clusters.control_plane import demolish, make_security_group, raise_control_plane
from emulator.eks.clusters.late_logs import deliver_late_logs
from emulator.eks.clusters.request import checked_description
from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, invalid_request
from emulator.eks.http.pages import page
from emulator.eks.http.refusals import cluster_issue, message_of
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster
from emulator.eks.state.world import Operation, World


def create_cluster(world: World, call: Call) -> dict[str, Any]:
    """Start a control plane; ten minutes later it is ACTIVE, or FAILED where a fault rule says so."""
    key = (call.caller.account, call.caller.region, call.given["name"])
    if key in world.clusters:
        raise in_use(f"Cluster already exists with name: {call.given['name']}", clusterName=call.given["name"])
    described = checked_description(world, call)
    unique = uuid.uuid4().hex.upper()
    cluster = Cluster(call.caller.account, call.caller.region, described, unique, call.caller.arn)
    cluster.self_managed_addons = call.given.get("bootstrapSelfManagedAddons", True)
    admit_creator(world, cluster)
    world.clusters[key] = cluster
    outcome = world.faults.outcome(call.operation, cluster.name)
    world.jobs.after(
        outcome.get("durationSeconds", durations.CREATE_CLUSTER), partial(_finish_creation, world, cluster, outcome)
    )
    return {"cluster": described}


def describe_cluster(world: World, call: Call) -> dict[str, Any]:
    """Return the cluster as it is now."""
    cluster = world.cluster_of(call)
    return {"cluster": {key: value for key, value in cluster.described.items() if key not in cluster.omitted}}


def list_clusters(world: World, call: Call) -> dict[str, Any]:
    """Return the names of the caller's clusters in the region, sorted."""
    here = (call.caller.account, call.caller.region)
    return page(call, "clusters", sorted(name for *place, name in world.clusters if tuple(place) == here))


def delete_cluster(world: World, call: Call) -> dict[str, Any]:
    """Start the deletion of a control plane; three minutes later describing it raises ResourceNotFoundException."""
    cluster = world.cluster_of(call)
    _require_deletable(cluster)
    outcome = world.faults.outcome(call.operation, cluster.name)
    cluster.described["status"] = "DELETING"
    deliver_late_logs(world, cluster)
    world.jobs.after(
        outcome.get("durationSeconds", durations.DELETE_CLUSTER), partial(_finish_deletion, world, cluster, outcome)
    )
    return {"cluster": cluster.described}


def _require_deletable(cluster: Cluster) -> None:
    name, status = cluster.name, cluster.described["status"]
    if cluster.described["deletionProtection"]:
        raise invalid_request(f"Cluster {name} has deletion protection enabled", clusterName=name)
    if cluster.nodegroups:
        raise in_use("Cluster has nodegroups attached", clusterName=name, nodegroupName=next(iter(cluster.nodegroups)))
    if cluster.fargate_profiles:
        raise in_use("Cluster has Fargate profiles attached", clusterName=name)
    if status in ("CREATING", "UPDATING", "DELETING"):
        raise in_use(f"Cannot delete cluster {name} while its status is {status}", clusterName=name)


def _finish_creation(world: World, cluster: Cluster, outcome: dict[str, Any]) -> None:
    issues = cluster.described["health"]["issues"]
    try:
        make_security_group(world, cluster)
        if "issue" in outcome or "status" in outcome:
            issues.append(
                {"code": "Other", "message": "A fault was asked for", "resourceIds": [], **outcome.get("issue", {})}
            )
        else:
            raise_control_plane(world, cluster)
    except ClientError as refused:
        issues.append({"code": cluster_issue(refused), "message": message_of(refused), "resourceIds": []})
    cluster.described["status"] = outcome.get("status", "FAILED" if issues else "ACTIVE")


def _finish_deletion(world: World, cluster: Cluster, outcome: dict[str, Any]) -> None:
    if "status" in outcome:
        cluster.described["status"] = outcome["status"]
        return
    demolish(world, cluster)
    world.clusters.pop((cluster.account, cluster.region, cluster.name))
    world.tokens.forget(cluster.described)
    if world.kubernetes is not None:
        world.kubernetes.remove(cluster)


OPERATIONS: dict[str, Operation] = {
    "CreateCluster": create_cluster,
    "DescribeCluster": describe_cluster,
    "ListClusters": list_clusters,
    "DeleteCluster": delete_cluster,
}
