"""Available add-ons: DescribeAddonVersions and DescribeAddonConfiguration."""

from __future__ import annotations

import json
from typing import Any

from emulator.eks.addons.catalogue import CATALOGUE, AddonKind
from emulator.eks.addons.configuration import schema_of
from emulator.eks.http.call import Call
from emulator.eks.http.errors import not_found
from emulator.eks.http.pages import page
from emulator.eks.state.calendar import UNSUPPORTED
from emulator.eks.state.world import Operation, World


def describe_addon_versions(world: World, call: Call) -> dict[str, Any]:
    """Return the add-ons that match the filters, each version with the Kubernetes versions it goes with."""
    minors = _minors(world, call.given.get("kubernetesVersion"))
    kinds = [kind for kind in CATALOGUE.values() if minors and _wanted(kind, call.given)]
    if call.given.get("addonName") and not kinds:
        raise not_found(f"The addon {call.given['addonName']} is not available", addonName=call.given["addonName"])
    return page(call, "addons", [_info(kind, minors) for kind in kinds])


def describe_addon_configuration(_world: World, call: Call) -> dict[str, Any]:
    """Return the schema of an add-on's settings, the same for all its versions."""
    name, version = call.given["addonName"], call.given["addonVersion"]
    if name not in CATALOGUE:
        raise not_found(f"The addon {name} is not available", addonName=name)
    return {"addonName": name, "addonVersion": version, "configurationSchema": json.dumps(schema_of(name))}


def _minors(world: World, asked: str | None) -> list[int]:
    now = world.clock.now()
    alive = [version for version in world.calendar.released(now) if version.status(now) != UNSUPPORTED]
    return [version.minor for version in alive if asked in (None, version.name)]


def _wanted(kind: AddonKind, given: dict[str, Any]) -> bool:
    return (
        given.get("addonName") in (None, kind.name)
        and kind.type in given.get("types", [kind.type])
        and kind.owner in given.get("owners", [kind.owner])
        and "eks" in given.get("publishers", ["eks"])
    )


def _info(kind: AddonKind, minors: list[int]) -> dict[str, Any]:
    offered = {minor: kind.versions_for(minor) for minor in minors}
    versions = sorted({version for each in offered.values() for version in each}, reverse=True)
    return {
        "addonName": kind.name,
        "type": kind.type,
        "publisher": "eks",
        "owner": kind.owner,
        "defaultNamespace": kind.namespace,
        "addonVersions": [_version(kind, version, offered) for version in versions],
    }


def _version(kind: AddonKind, version: str, offered: dict[int, list[str]]) -> dict[str, Any]:
    goes_with = [minor for minor, versions in offered.items() if version in versions]
    return {
        "addonVersion": version,
        "architecture": ["amd64", "arm64"],
        "computeTypes": ["ec2"],
        "compatibilities": [
            {
                "clusterVersion": f"1.{minor}",
                "platformVersions": ["*"],
                "defaultVersion": version == offered[minor][-1],
            }
            for minor in goes_with
        ],
        "requiresConfiguration": False,
        "requiresIamPermissions": kind.needs_permissions,
    }


OPERATIONS: dict[str, Operation] = {
    "DescribeAddonVersions": describe_addon_versions,
    "DescribeAddonConfiguration": describe_addon_configuration,
}
