"""Add-ons of a cluster: Create, Describe, List, Update and Delete."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from emulator.eks.access.roles import require_role
from emulator.eks.addons.catalogue import CATALOGUE
from emulator.eks.addons.configuration import check_values
from emulator.eks.addons.health import degrade, settle
from emulator.eks.addons.identities import associate_identities, drop_identities
from emulator.eks.clusters.updates import Change, require_quiet, start_update
from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, invalid_parameter, not_found
from emulator.eks.http.pages import page
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster, Described
from emulator.eks.state.world import Operation, World


def create_addon(world: World, call: Call) -> dict[str, Any]:
    """Start an add-on; half a minute later it is ACTIVE if it has the machines it needs."""
    cluster, name = world.ready_cluster_of(call), call.given["addonName"]
    version = _checked_version(cluster, name, call.given.get("addonVersion"))
    if name in cluster.addons:
        raise in_use("Addon already exists.", clusterName=cluster.name, addonName=name)
    check_values(name, call.given.get("configurationValues"))
    _require_role(world, call)
    addon = cluster.addons[name] = _described(world, call, cluster, version)
    associate_identities(world, call, cluster, addon)
    outcome = world.faults.outcome(call.operation, cluster.name)
    seconds = outcome.get("durationSeconds", durations.CREATE_ADDON)
    world.jobs.after(seconds, partial(_finish_creation, world, cluster, addon, outcome))
    return {"addon": addon}


def describe_addon(world: World, call: Call) -> dict[str, Any]:
    """Return the add-on as it is now."""
    return {"addon": _addon_of(world, call)}


def list_addons(world: World, call: Call) -> dict[str, Any]:
    """Return the names of the cluster's add-ons, sorted."""
    return page(call, "addons", sorted(world.cluster_of(call).addons))


def update_addon(world: World, call: Call) -> dict[str, Any]:
    """Start a change of the add-on's version, configuration, role or pod identities."""
    cluster, addon, given = world.ready_cluster_of(call), _addon_of(world, call), call.given
    require_quiet(cluster, addon, call.operation)
    version = _checked_version(cluster, addon["addonName"], given.get("addonVersion", addon["addonVersion"]))
    check_values(addon["addonName"], given.get("configurationValues"))
    _require_role(world, call)
    associate_identities(world, call, cluster, addon)
    kept: dict[str, Any] = {key: given[key] for key in ("serviceAccountRoleArn", "configurationValues") if key in given}
    changes: dict[str, Any] = {"addonVersion": version, **kept}
    params = {
        "AddonVersion": version,
        "ServiceAccountRoleArn": given.get("serviceAccountRoleArn"),
        "ResolveConflicts": given.get("resolveConflicts"),
        "ConfigurationValues": given.get("configurationValues"),
        "PodIdentityAssociations": given.get("podIdentityAssociations"),
    }
    change = Change("AddonUpdate", params, durations.UPDATE_ADDON, partial(addon.update, changes))
    return {"update": start_update(world, cluster, addon, call.operation, change).described}


def delete_addon(world: World, call: Call) -> dict[str, Any]:
    """Start the deletion of an add-on, and of the pod identity associations it owns."""
    cluster, addon = world.cluster_of(call), _addon_of(world, call)
    require_quiet(cluster, addon, call.operation)
    addon["status"] = "DELETING"
    world.jobs.after(durations.DELETE_ADDON, partial(_finish_deletion, world, cluster, addon))
    return {"addon": addon}


def _addon_of(world: World, call: Call) -> Described:
    cluster, name = world.cluster_of(call), call.given["addonName"]
    if name not in cluster.addons:
        raise not_found(f"No addon: {name} found in cluster: {cluster.name}", clusterName=cluster.name, addonName=name)
    return cluster.addons[name]


def _checked_version(cluster: Cluster, name: str, asked: str | None) -> str:
    if name not in CATALOGUE:
        raise invalid_parameter(f"Addon {name} specified is not supported", clusterName=cluster.name, addonName=name)
    offered = CATALOGUE[name].versions_for(int(cluster.described["version"].split(".")[1]))
    if asked is None or asked == "latest":
        return offered[0]
    known = [*offered, cluster.addons.get(name, {}).get("addonVersion")]
    matching = [version for version in known if version and (version == asked or version.split("-")[0] == asked)]
    if not matching:
        message = f"Addon version specified is not supported, {name} for {cluster.described['version']} has {offered}"
        raise invalid_parameter(message, clusterName=cluster.name, addonName=name)
    return matching[0]


def _require_role(world: World, call: Call) -> None:
    if "serviceAccountRoleArn" in call.given:
        require_role(world, call.caller, call.given["serviceAccountRoleArn"])


def _described(world: World, call: Call, cluster: Cluster, version: str) -> Described:
    kind, now = CATALOGUE[call.given["addonName"]], world.clock.now()
    where = f"{cluster.region}:{cluster.account}:addon/{cluster.name}/{kind.name}/{uuid.uuid4()}"
    return {
        "addonName": kind.name,
        "clusterName": cluster.name,
        "status": "CREATING",
        "addonVersion": version,
        "health": {"issues": []},
        "addonArn": f"arn:aws:eks:{where}",
        "createdAt": now,
        "modifiedAt": now,
        "serviceAccountRoleArn": call.given.get("serviceAccountRoleArn"),
        "configurationValues": call.given.get("configurationValues"),
        "tags": dict(call.given.get("tags", {})),
        "publisher": "eks",
        "owner": kind.owner,
        "namespaceConfig": call.given.get("namespaceConfig", {"namespace": kind.namespace}),
    }


def _finish_creation(world: World, cluster: Cluster, addon: Described, outcome: dict[str, Any]) -> None:
    if addon["status"] != "CREATING":
        return
    if "issue" in outcome:
        addon["status"] = outcome.get("status", "CREATE_FAILED")
        addon["health"]["issues"].append({"resourceIds": [], **outcome["issue"]})
    elif not settle(cluster, addon):
        world.jobs.after(durations.ADDON_GIVES_UP, partial(_give_up, addon))


def _give_up(addon: Described) -> None:
    if addon["status"] == "CREATING":
        degrade(addon)


def _finish_deletion(world: World, cluster: Cluster, addon: Described) -> None:
    drop_identities(world, cluster, addon)
    del cluster.addons[addon["addonName"]]
    world.tokens.forget(addon)


OPERATIONS: dict[str, Operation] = {
    "CreateAddon": create_addon,
    "DescribeAddon": describe_addon,
    "ListAddons": list_addons,
    "UpdateAddon": update_addon,
    "DeleteAddon": delete_addon,
}
