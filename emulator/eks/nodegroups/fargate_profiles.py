"""Fargate profiles: Create, Describe, List, Delete; only one of a cluster is made or deleted at a time."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from emulator.eks.access.roles import require_role
from emulator.eks.clusters.subnets import existing_subnets, is_public
from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, invalid_parameter, not_found
from emulator.eks.http.pages import page
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster, Described
from emulator.eks.state.world import Operation, World


def create_fargate_profile(world: World, call: Call) -> dict[str, Any]:
    """Start a profile; a minute later it is ACTIVE."""
    cluster, name = world.ready_cluster_of(call), call.given["fargateProfileName"]
    if name in cluster.fargate_profiles:
        raise in_use(f"A Fargate Profile already exists with name {name} in cluster {cluster.name}.")
    _require_quiet(cluster)
    require_role(world, call.caller, call.given["podExecutionRoleArn"], "eks-fargate-pods.amazonaws.com")
    _require_private_subnets(world, call, cluster)
    profile = cluster.fargate_profiles[name] = _described(world, call, cluster)
    world.jobs.after(durations.CREATE_FARGATE_PROFILE, partial(profile.update, status="ACTIVE"))
    return {"fargateProfile": profile}


def describe_fargate_profile(world: World, call: Call) -> dict[str, Any]:
    """Return the profile as it is now."""
    return {"fargateProfile": _profile_of(world, call)}


def list_fargate_profiles(world: World, call: Call) -> dict[str, Any]:
    """Return the names of the cluster's profiles, sorted."""
    return page(call, "fargateProfileNames", sorted(world.cluster_of(call).fargate_profiles))


def delete_fargate_profile(world: World, call: Call) -> dict[str, Any]:
    """Start the deletion of a profile; a minute later it is gone."""
    cluster, profile = world.cluster_of(call), _profile_of(world, call)
    _require_quiet(cluster)
    profile["status"] = "DELETING"
    world.jobs.after(durations.DELETE_FARGATE_PROFILE, partial(_finish_deletion, world, cluster, profile))
    return {"fargateProfile": profile}


def _profile_of(world: World, call: Call) -> Described:
    cluster, name = world.cluster_of(call), call.given["fargateProfileName"]
    if name not in cluster.fargate_profiles:
        message = f"No Fargate Profile found with name: {name}."
        raise not_found(message, clusterName=cluster.name, fargateProfileName=name)
    return cluster.fargate_profiles[name]


def _require_quiet(cluster: Cluster) -> None:
    for name, profile in cluster.fargate_profiles.items():
        if profile["status"] in ("CREATING", "DELETING"):
            message = f"Cluster {cluster.name} currently has Fargate profile {name} in status {profile['status']}"
            raise in_use(message, clusterName=cluster.name)


def _require_private_subnets(world: World, call: Call, cluster: Cluster) -> None:
    ec2 = world.client("ec2", cluster)
    for subnet in existing_subnets(world, call.caller, call.given.get("subnets") or cluster.vpc_config["subnetIds"]):
        if is_public(ec2, subnet):
            message = f"Subnet {subnet['SubnetId']} provided in Fargate Profile is not a private subnet"
            raise invalid_parameter(message, fargateProfileName=call.given["fargateProfileName"])


def _described(world: World, call: Call, cluster: Cluster) -> Described:
    name = call.given["fargateProfileName"]
    where = f"{cluster.region}:{cluster.account}:fargateprofile/{cluster.name}/{name}/{uuid.uuid4()}"
    return {
        "fargateProfileName": name,
        "fargateProfileArn": f"arn:aws:eks:{where}",
        "clusterName": cluster.name,
        "createdAt": world.clock.now(),
        "podExecutionRoleArn": call.given["podExecutionRoleArn"],
        "subnets": call.given.get("subnets") or cluster.vpc_config["subnetIds"],
        "selectors": call.given.get("selectors", []),
        "status": "CREATING",
        "tags": dict(call.given.get("tags", {})),
        "health": {"issues": []},
    }


def _finish_deletion(world: World, cluster: Cluster, profile: Described) -> None:
    del cluster.fargate_profiles[profile["fargateProfileName"]]
    world.tokens.forget(profile)


OPERATIONS: dict[str, Operation] = {
    "CreateFargateProfile": create_fargate_profile,
    "DescribeFargateProfile": describe_fargate_profile,
    "ListFargateProfiles": list_fargate_profiles,
    "DeleteFargateProfile": delete_fargate_profile,
}
