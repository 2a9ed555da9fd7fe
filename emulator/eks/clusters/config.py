"""UpdateClusterConfig: one kind of change a call, each with its own rules.

Deletion protection and the upgrade policy are updates like the others, and as slow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from emulator.eks.access.authorization import admit_creator
from emulator.eks.clusters.control_plane import logs_enabled, make_log_group
from emulator.eks.clusters.request import checked_cidrs, enabled_log_types, log_setup
from emulator.eks.clusters.subnets import existing_subnets, require_one_vpc, require_two_zones
from emulator.eks.clusters.updates import Change, require_quiet, start_update
from emulator.eks.http.call import Call
from emulator.eks.http.errors import invalid_parameter, invalid_request
from emulator.eks.state import durations
from emulator.eks.state.calendar import STANDARD
from emulator.eks.state.state import Cluster
from emulator.eks.state.world import Operation, World

_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")


def update_cluster_config(world: World, call: Call) -> dict[str, Any]:
    """Start one change of the cluster's configuration."""
    cluster = world.ready_cluster_of(call)
    require_quiet(cluster, cluster.described, call.operation)
    asked = [key for key in call.given if key not in ("name", "clientRequestToken")]
    if len(asked) != 1:
        raise invalid_parameter("Exactly one type of update is allowed in a call", clusterName=cluster.name)
    if asked[0] not in _CHANGES:
        raise invalid_parameter(f"This EKS can't update {asked[0]}", clusterName=cluster.name)
    change = _CHANGES[asked[0]](world, call, cluster)
    return {"update": start_update(world, cluster, cluster.described, call.operation, change).described}


def _vpc_config(world: World, call: Call, cluster: Cluster) -> Change:
    asked = call.given["resourcesVpcConfig"]
    if "subnetIds" in asked or "securityGroupIds" in asked:
        return _network(world, call, cluster)
    now = cluster.vpc_config
    public = asked.get("endpointPublicAccess", now["endpointPublicAccess"])
    private = asked.get("endpointPrivateAccess", now["endpointPrivateAccess"])
    if not public and not private:
        raise invalid_parameter("Private and public endpoint access cannot both be false", clusterName=cluster.name)
    if asked.get("publicAccessCidrs") and not public:
        raise invalid_parameter("publicAccessCidrs can't be given while public access is off", clusterName=cluster.name)
    cidrs = checked_cidrs(asked.get("publicAccessCidrs", now["publicAccessCidrs"])) if public else []
    wanted = {"endpointPublicAccess": public, "endpointPrivateAccess": private, "publicAccessCidrs": cidrs}
    if all(_same(now[key], value) for key, value in wanted.items()):
        message = (
            f"Cluster is already at the desired configuration with endpointPrivateAccess: {private}, "
            f"endpointPublicAccess: {public}, and Public Endpoint Restrictions: {cidrs}"
        )
        raise invalid_parameter(message, clusterName=cluster.name)
    return _change("EndpointAccessUpdate", wanted, partial(now.update, wanted))


def _network(world: World, call: Call, cluster: Cluster) -> Change:
    asked = call.given["resourcesVpcConfig"]
    wanted: dict[str, Any] = {key: asked[key] for key in ("subnetIds", "securityGroupIds") if key in asked}
    if "subnetIds" in wanted:
        subnets = existing_subnets(world, call.caller, wanted["subnetIds"])
        require_two_zones(subnets)
        if require_one_vpc(subnets) != cluster.vpc_config["vpcId"]:
            raise invalid_parameter("Subnets must be in the cluster's VPC", clusterName=cluster.name)
    params = {"Subnets": wanted.get("subnetIds"), "SecurityGroups": wanted.get("securityGroupIds")}
    return Change(
        "VpcConfigUpdate", params, durations.UPDATE_CLUSTER_CONFIG, partial(cluster.vpc_config.update, wanted)
    )


def _logging(world: World, call: Call, cluster: Cluster) -> Change:
    now = cluster.described["logging"]["clusterLogging"]
    before = {kind for setup in now if setup["enabled"] for kind in setup["types"]}
    after = enabled_log_types(call.given["logging"], before)
    if after == before:
        raise invalid_parameter("No changes needed for the logging config provided", clusterName=cluster.name)
    apply = partial(_apply_logging, world, cluster, after)
    params = {"ClusterLogging": call.given["logging"]}
    return Change("LoggingUpdate", params, durations.UPDATE_CLUSTER_CONFIG, apply)


def _apply_logging(world: World, cluster: Cluster, enabled: set[str]) -> None:
    cluster.described["logging"] = {"clusterLogging": log_setup(enabled)}
    if logs_enabled(cluster):
        make_log_group(world, cluster)


def _access_config(world: World, call: Call, cluster: Cluster) -> Change:
    now, wanted = cluster.described["accessConfig"], call.given["accessConfig"].get("authenticationMode")
    if wanted is None or _MODES.index(wanted) <= _MODES.index(now["authenticationMode"]):
        message = f"Unsupported authentication mode update from {now['authenticationMode']} to {wanted}"
        raise invalid_parameter(message, clusterName=cluster.name)
    first = now["authenticationMode"] == "CONFIG_MAP"
    apply = partial(_apply_access, world, cluster, wanted, first)
    return Change("AccessConfigUpdate", {"AuthenticationMode": wanted}, durations.UPDATE_CLUSTER_CONFIG, apply)


def _apply_access(world: World, cluster: Cluster, mode: str, first: bool) -> None:
    cluster.described["accessConfig"]["authenticationMode"] = mode
    if first:
        admit_creator(world, cluster)


def _upgrade_policy(world: World, call: Call, cluster: Cluster) -> Change:
    wanted = call.given["upgradePolicy"].get("supportType")
    policy, now = cluster.described["upgradePolicy"], world.clock.now()
    if wanted is None or wanted == policy["supportType"]:
        raise invalid_parameter("No changes needed for the upgrade policy provided", clusterName=cluster.name)
    version = world.calendar.find(cluster.described["version"], now)
    if wanted == "STANDARD" and (version is None or version.status(now) != STANDARD):
        message = "The support type can't be set to STANDARD while the cluster's version is in extended support"
        raise invalid_request(message, clusterName=cluster.name)
    apply = partial(policy.update, supportType=wanted)
    return Change("UpgradePolicyUpdate", {"UpgradePolicy": wanted}, durations.UPDATE_CLUSTER_CONFIG, apply)


def _deletion_protection(_world: World, call: Call, cluster: Cluster) -> Change:
    wanted = call.given["deletionProtection"]
    apply = partial(cluster.described.update, deletionProtection=wanted)
    return Change("DeletionProtectionUpdate", {"DeletionProtection": wanted}, durations.UPDATE_QUICK_CONFIG, apply)


def _change(kind: str, wanted: dict[str, Any], apply: Callable[[], None]) -> Change:
    params = {key[0].upper() + key[1:]: value for key, value in wanted.items()}
    return Change(kind, params, durations.UPDATE_CLUSTER_CONFIG, apply)


def _same(one: Any, other: Any) -> bool:
    return bool(set(one) == set(other)) if isinstance(one, list) else bool(one == other)


_CHANGES: dict[str, Callable[[World, Call, Cluster], Change]] = {
    "resourcesVpcConfig": _vpc_config,
    "logging": _logging,
    "accessConfig": _access_config,
    "upgradePolicy": _upgrade_policy,
    "deletionProtection": _deletion_protection,
}
OPERATIONS: dict[str, Operation] = {"UpdateClusterConfig": update_cluster_config}
