"""UpdateNodegroupConfig and UpdateNodegroupVersion: scaling, labels, taints, and newer machines."""

from __future__ import annotations

from functools import partial
from typing import Any

from emulator.eks.clusters.updates import Change, require_quiet, start_update
from emulator.eks.http.call import Call
from emulator.eks.http.errors import invalid_parameter, invalid_request
from emulator.eks.nodegroups.attachments import resize
from emulator.eks.nodegroups.launch_templates import find_template
from emulator.eks.nodegroups.nodes import launch_nodes, retire_nodes
from emulator.eks.nodegroups.operations import nodegroup_of
from emulator.eks.nodegroups.request import checked_sizes, checked_update_config, release_version
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster, Described, Nodegroup
from emulator.eks.state.world import Operation, World


def update_nodegroup_config(world: World, call: Call) -> dict[str, Any]:
    """Start a change of the node group's sizes, labels, taints, update or repair settings."""
    cluster, group, given = world.ready_cluster_of(call), nodegroup_of(world, call), call.given
    require_quiet(cluster, group.described, call.operation)
    changes = _changes(group.described, given)
    if not changes:
        raise invalid_parameter("No changes were asked for", clusterName=cluster.name, nodegroupName=group.name)
    apply = partial(_apply_config, world, cluster, group, changes)
    change = Change("ConfigUpdate", _params(given), durations.UPDATE_NODEGROUP_CONFIG, apply)
    return {"update": start_update(world, cluster, group.described, call.operation, change).described}


def update_nodegroup_version(world: World, call: Call) -> dict[str, Any]:
    """Start the replacement of every machine by one of the cluster's version or another template version."""
    cluster, group = world.ready_cluster_of(call), nodegroup_of(world, call)
    require_quiet(cluster, group.described, call.operation)
    wanted = _wanted_version(world, call, cluster, group)
    named, data = find_template(world, call)
    if named and (group.described["launchTemplate"] or {}).get("id") != named["id"]:
        message = "A node group keeps the launch template it was made with; only its version can change"
        raise invalid_request(message, clusterName=cluster.name, nodegroupName=group.name)
    changes: dict[str, Any] = {**wanted, **({"launchTemplate": named} if named else {})}
    params = {
        "Version": wanted["version"],
        "ReleaseVersion": wanted["releaseVersion"],
        "LaunchTemplateVersion": named.get("version"),
    }
    apply = partial(_replace_nodes, world, cluster, group, changes, data)
    change = Change("VersionUpdate", params, durations.UPDATE_NODEGROUP_VERSION, apply)
    return {"update": start_update(world, cluster, group.described, call.operation, change).described}


def _wanted_version(world: World, call: Call, cluster: Cluster, group: Nodegroup) -> dict[str, str]:
    version = call.given.get("version", group.described["version"])
    if version not in (group.described["version"], cluster.described["version"]):
        message = f"Nodegroup version {version} must be its own or the cluster's {cluster.described['version']}"
        raise invalid_parameter(message, clusterName=cluster.name, nodegroupName=group.name)
    release = call.given.get("releaseVersion") or release_version(world, version)
    return {"version": version, "releaseVersion": release}


def _changes(now: Described, given: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "scalingConfig" in given:
        changes["scalingConfig"] = checked_sizes({**now["scalingConfig"], **given["scalingConfig"]})
    if "labels" in given:
        kept = {
            key: value for key, value in now["labels"].items() if key not in given["labels"].get("removeLabels", [])
        }
        changes["labels"] = {**kept, **given["labels"].get("addOrUpdateLabels", {})}
    if "taints" in given:
        changes["taints"] = _taints(now["taints"] or [], given["taints"])
    if "updateConfig" in given:
        changes["updateConfig"] = checked_update_config(given["updateConfig"])
    if "nodeRepairConfig" in given:
        changes["nodeRepairConfig"] = given["nodeRepairConfig"]
    return changes


def _taints(now: list[Described], asked: dict[str, Any]) -> list[Described]:
    added: list[Described] = asked.get("addOrUpdateTaints", [])
    removed: list[Described] = asked.get("removeTaints", [])
    replaced = {(taint["key"], taint["effect"]) for taint in [*added, *removed]}
    return [taint for taint in now if (taint["key"], taint["effect"]) not in replaced] + added


def _params(given: dict[str, Any]) -> dict[str, Any]:
    sizes, labels, taints = (given.get(key, {}) for key in ("scalingConfig", "labels", "taints"))
    limits = given.get("updateConfig", {})
    return {
        "MinSize": sizes.get("minSize"),
        "MaxSize": sizes.get("maxSize"),
        "DesiredSize": sizes.get("desiredSize"),
        "LabelsToAdd": labels.get("addOrUpdateLabels"),
        "LabelsToRemove": labels.get("removeLabels"),
        "TaintsToAdd": taints.get("addOrUpdateTaints"),
        "TaintsToRemove": taints.get("removeTaints"),
        "MaxUnavailable": limits.get("maxUnavailable"),
        "MaxUnavailablePercentage": limits.get("maxUnavailablePercentage"),
        "NodeRepairConfig": given.get("nodeRepairConfig"),
    }


def _apply_config(world: World, cluster: Cluster, group: Nodegroup, changes: dict[str, Any]) -> None:
    group.described.update(changes)
    if "scalingConfig" not in changes:
        return
    resize(world, cluster, group)
    more = changes["scalingConfig"]["desiredSize"] - len(group.nodes)
    if more > 0:
        launch_nodes(world, cluster, group, more)
    else:
        retire_nodes(world, cluster, group, -more)


def _replace_nodes(
    world: World, cluster: Cluster, group: Nodegroup, changes: dict[str, Any], template: dict[str, Any]
) -> None:
    group.described.update(changes)
    group.template = template or group.template
    count = len(group.nodes)
    retire_nodes(world, cluster, group, count)
    launch_nodes(world, cluster, group, count)


OPERATIONS: dict[str, Operation] = {
    "UpdateNodegroupConfig": update_nodegroup_config,
    "UpdateNodegroupVersion": update_nodegroup_version,
}
