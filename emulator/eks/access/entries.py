"""Access entries: Create, Describe, List, Update, Delete. All of them take effect at once."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from emulator.eks.access.authorization import new_entry
from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, invalid_parameter, invalid_request, not_found
from emulator.eks.http.pages import page
from emulator.eks.state.state import AccessEntry, Cluster
from emulator.eks.state.world import Operation, World

_TYPES = ("STANDARD", "FARGATE_LINUX", "EC2_LINUX", "EC2_WINDOWS", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX")
_RESERVED = ("system:", "eks:", "aws:", "amazon:", "iam:")


def create_access_entry(world: World, call: Call) -> dict[str, Any]:
    """Add an access entry; its groups and policies decide about permissions."""
    cluster, given = world.ready_cluster_of(call), call.given
    principal, kind = given["principalArn"], given.get("type", "STANDARD")
    require_entries(cluster)
    if principal in cluster.access_entries:
        raise in_use("The specified access entry resource is already in use on this cluster.", clusterName=cluster.name)
    if kind not in _TYPES:
        raise invalid_parameter(f"The type must be one of {', '.join(_TYPES)}", clusterName=cluster.name)
    if kind != "STANDARD" and ("kubernetesGroups" in given or "username" in given):
        raise invalid_parameter(f"Groups and username can't be given with type {kind}", clusterName=cluster.name)
    _refuse_reserved_groups(given)
    _require_principal(world, call, principal)
    entry = new_entry(world, cluster, principal, kind)
    entry.described["tags"] = dict(given.get("tags", {}))
    _apply(entry, given)
    return {"accessEntry": entry.described}


def describe_access_entry(world: World, call: Call) -> dict[str, Any]:
    """Return one access entry."""
    return {"accessEntry": entry_of(world, call).described}


def list_access_entries(world: World, call: Call) -> dict[str, Any]:
    """Return the principals' ARNs, sorted; only those with a policy if asked."""
    cluster, policy = world.cluster_of(call), call.given.get("associatedPolicyArn")
    require_entries(cluster)
    entries = cluster.access_entries.items()
    return page(
        call, "accessEntries", sorted(arn for arn, entry in entries if policy is None or policy in entry.policies)
    )


def update_access_entry(world: World, call: Call) -> dict[str, Any]:
    """Change an entry's groups or username."""
    entry = entry_of(world, call)
    _refuse_reserved_groups(call.given)
    _apply(entry, call.given)
    entry.described["modifiedAt"] = world.clock.now()
    return {"accessEntry": entry.described}


def delete_access_entry(world: World, call: Call) -> dict[str, Any]:
    """Delete an access entry."""
    entry = entry_of(world, call)
    del world.cluster_of(call).access_entries[entry.described["principalArn"]]
    world.tokens.forget(entry.described)
    return {}


def entry_of(world: World, call: Call) -> AccessEntry:
    """Return the access entry that the call names, or raise ResourceNotFoundException."""
    cluster, principal = world.cluster_of(call), call.given["principalArn"]
    require_entries(cluster)
    if principal not in cluster.access_entries:
        message = f"The specified principalArn could not be found: {principal}"
        raise not_found(message, clusterName=cluster.name)
    return cluster.access_entries[principal]


def require_entries(cluster: Cluster) -> None:
    """Raise InvalidRequestException where the cluster's authentication mode excludes access entries."""
    if cluster.described["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
        message = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to do this."
        raise invalid_request(message, clusterName=cluster.name)


def _apply(entry: AccessEntry, given: dict[str, Any]) -> None:
    changes: dict[str, Any] = {key: given[key] for key in ("kubernetesGroups", "username") if key in given}
    entry.described.update(changes)


def _refuse_reserved_groups(given: dict[str, Any]) -> None:
    reserved = [group for group in given.get("kubernetesGroups", []) if group.startswith(_RESERVED)]
    if reserved:
        raise invalid_parameter(f"The kubernetes group name {reserved[0]} is invalid, its prefix is reserved")


def _require_principal(world: World, call: Call, arn: str) -> None:
    sort, _, path = arn.split(":")[-1].partition("/")
    if sort not in ("role", "user") or f"::{call.caller.account}:" not in arn:
        return
    iam, name = world.aws.client("iam", call.caller.account, call.caller.region), path.split("/")[-1]
    try:
        found = iam.get_role(RoleName=name)["Role"] if sort == "role" else iam.get_user(UserName=name)["User"]
    except ClientError as refused:
        raise invalid_parameter("The specified principalArn is invalid: invalid principal") from refused
    if found["Arn"] != arn:
        raise invalid_parameter("The specified principalArn is invalid: invalid principal")


OPERATIONS: dict[str, Operation] = {
    "CreateAccessEntry": create_access_entry,
    "DescribeAccessEntry": describe_access_entry,
    "ListAccessEntries": list_access_entries,
    "UpdateAccessEntry": update_access_entry,
    "DeleteAccessEntry": delete_access_entry,
}
