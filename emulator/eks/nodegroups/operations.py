"""Node groups: CreateNodegroup, DescribeNodegroup, ListNodegroups, DeleteNodegroup.

Machines appear a third of the way into creation and are gone half way through deletion.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from emulator.eks.access.authorization import new_entry
from emulator.eks.access.roles import has_policy
from emulator.eks.addons.health import nodes_came, nodes_went
from emulator.eks.clusters.subnets import is_public
from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, not_found
from emulator.eks.http.pages import page
from emulator.eks.http.refusals import message_of
from emulator.eks.nodegroups.attachments import furnish, unfurnish
from emulator.eks.nodegroups.cni import can_make_interfaces
from emulator.eks.nodegroups.launch_templates import gives_public_address
from emulator.eks.nodegroups.nodes import abandon_nodes, launch_nodes
from emulator.eks.nodegroups.request import checked_nodegroup
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster, Nodegroup
from emulator.eks.state.world import Operation, World

_WORKER_POLICY = "AmazonEKSWorkerNode"
_LAUNCHED_AT, _TERMINATED_AT = 1 / 3, 1 / 2


def create_nodegroup(world: World, call: Call) -> dict[str, Any]:
    """Start a node group; two minutes later it is ACTIVE with its machines, or CREATE_FAILED with a health issue."""
    cluster = world.ready_cluster_of(call)
    group = checked_nodegroup(world, call, cluster)
    cluster.nodegroups[group.name] = group
    outcome = world.faults.outcome(call.operation, cluster.name)
    seconds = outcome.get("durationSeconds", durations.CREATE_NODEGROUP)
    world.jobs.after(seconds * _LAUNCHED_AT, partial(_launch_then_finish, world, cluster, group, outcome, seconds))
    return {"nodegroup": group.described}


def describe_nodegroup(world: World, call: Call) -> dict[str, Any]:
    """Return the node group as it is now."""
    return {"nodegroup": nodegroup_of(world, call).described}


def list_nodegroups(world: World, call: Call) -> dict[str, Any]:
    """Return the names of the cluster's node groups, sorted."""
    return page(call, "nodegroups", sorted(world.cluster_of(call).nodegroups))


def delete_nodegroup(world: World, call: Call) -> dict[str, Any]:
    """Start the deletion of a node group; five minutes later it is gone, except the CNI's interfaces."""
    cluster, group = world.cluster_of(call), nodegroup_of(world, call)
    status = group.described["status"]
    if status in ("UPDATING", "DELETING"):
        message = f"Cannot delete nodegroup {group.name} while its status is {status}"
        raise in_use(message, clusterName=cluster.name, nodegroupName=group.name)
    outcome = world.faults.outcome(call.operation, cluster.name)
    seconds = outcome.get("durationSeconds", durations.DELETE_NODEGROUP)
    group.described["status"] = "DELETING"
    work = partial(_abandon_then_finish, world, cluster, group, outcome, seconds)
    world.jobs.after(seconds * _TERMINATED_AT, work)
    return {"nodegroup": group.described}


def nodegroup_of(world: World, call: Call) -> Nodegroup:
    """Return the node group that the call names, or raise ResourceNotFoundException."""
    cluster, name = world.cluster_of(call), call.given["nodegroupName"]
    if name not in cluster.nodegroups:
        raise not_found(f"No node group found for name: {name}.", clusterName=cluster.name, nodegroupName=name)
    return cluster.nodegroups[name]


def _launch_then_finish(
    world: World, cluster: Cluster, group: Nodegroup, outcome: dict[str, Any], seconds: float
) -> None:
    """One after the other: on a busy machine a timer of its own could end the creation before the machines are there."""
    _launch(world, cluster, group, outcome)
    world.jobs.after(seconds * (1 - _LAUNCHED_AT), partial(_finish_creation, world, cluster, group, outcome))


def _launch(world: World, cluster: Cluster, group: Nodegroup, outcome: dict[str, Any]) -> None:
    if group.described["status"] != "CREATING":
        return
    sealed = _public_subnets_without_addresses(world, cluster, group)
    if sealed:
        message = f"Subnets {', '.join(sealed)} do not assign public IP addresses to instances launched into them"
        group.fail("CREATE_FAILED", "Ec2SubnetInvalidConfiguration", message, sealed)
        return
    try:
        furnish(world, cluster, group)
        if "issue" not in outcome:
            launch_nodes(world, cluster, group, group.described["scalingConfig"]["desiredSize"])
    except ClientError as refused:
        message = f"Could not launch On-Demand Instances. {message_of(refused)}"
        group.fail("CREATE_FAILED", "AsgInstanceLaunchFailures", message, [group.made_name])


def _finish_creation(world: World, cluster: Cluster, group: Nodegroup, outcome: dict[str, Any]) -> None:
    if group.described["status"] != "CREATING":
        return
    group.described["status"] = outcome.get("status", "CREATE_FAILED" if "issue" in outcome else "ACTIVE")
    if "issue" in outcome:
        group.described["health"]["issues"].append({"resourceIds": [group.made_name], **outcome["issue"]})
    elif not has_policy(world.client("iam", cluster), group.described["nodeRole"], _WORKER_POLICY):
        instances = [node.instance_id for node in group.nodes]
        group.fail("CREATE_FAILED", "NodeCreationFailure", "Instances failed to join the kubernetes cluster", instances)
    elif group.nodes and not can_make_interfaces(world, cluster, group):
        instances = [node.instance_id for node in group.nodes]
        group.fail("CREATE_FAILED", "NodeCreationFailure", "Unhealthy nodes in the kubernetes cluster", instances)
    else:
        _admit_nodes(world, cluster, group)
        nodes_came(world, cluster)


def _abandon_then_finish(
    world: World, cluster: Cluster, group: Nodegroup, outcome: dict[str, Any], seconds: float
) -> None:
    """One after the other, as when it is made: a group that went before its machines would leave them running."""
    abandon_nodes(world, cluster, group)
    world.jobs.after(seconds * (1 - _TERMINATED_AT), partial(_finish_deletion, world, cluster, group, outcome))


def _finish_deletion(world: World, cluster: Cluster, group: Nodegroup, outcome: dict[str, Any]) -> None:
    if "issue" in outcome or "status" in outcome:
        issue = {"code": "InternalFailure", "message": "Deletion failed", **outcome.get("issue", {})}
        group.fail("DELETE_FAILED", issue["code"], issue["message"], issue.get("resourceIds", []))
        return
    unfurnish(world, cluster, group)
    del cluster.nodegroups[group.name]
    world.tokens.forget(group.described)
    nodes_went(cluster)


def _public_subnets_without_addresses(world: World, cluster: Cluster, group: Nodegroup) -> list[str]:
    if gives_public_address(group.template):
        return []
    ec2 = world.client("ec2", cluster)
    subnets = ec2.describe_subnets(SubnetIds=group.described["subnets"])["Subnets"]
    sealed = [subnet for subnet in subnets if not subnet["MapPublicIpOnLaunch"] and is_public(ec2, subnet)]
    return [subnet["SubnetId"] for subnet in sealed]


def _admit_nodes(world: World, cluster: Cluster, group: Nodegroup) -> None:
    role = group.described["nodeRole"]
    by_entries = cluster.described["accessConfig"]["authenticationMode"] != "CONFIG_MAP"
    if by_entries and role not in cluster.access_entries:
        new_entry(world, cluster, role, "EC2_LINUX")


OPERATIONS: dict[str, Operation] = {
    "CreateNodegroup": create_nodegroup,
    "DescribeNodegroup": describe_nodegroup,
    "ListNodegroups": list_nodegroups,
    "DeleteNodegroup": delete_nodegroup,
}
