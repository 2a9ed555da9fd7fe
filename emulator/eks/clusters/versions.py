"""DescribeClusterVersions: the support calendar as an API.

A bare call lists supported versions; ended versions are included with `includeAll`, or if requested by name or status.
"""

from __future__ import annotations

from typing import Any

from emulator.eks.http.call import Call
from emulator.eks.http.pages import page
from emulator.eks.state.calendar import UNSUPPORTED, KubernetesVersion
from emulator.eks.state.world import Operation, World

_OLD_STATUS = {
    "STANDARD_SUPPORT": "standard-support",
    "EXTENDED_SUPPORT": "extended-support",
    "UNSUPPORTED": "unsupported",
}


def describe_cluster_versions(world: World, call: Call) -> dict[str, Any]:
    """Return the versions that match the filters, newest first."""
    now = world.clock.now()
    default = world.calendar.default(now).name
    described = [_described(world, version, default) for version in world.calendar.released(now)]
    return page(call, "clusterVersions", [version for version in described if _wanted(call.given, version)])


def platform_version(version: KubernetesVersion, world: World) -> str:
    """Return the platform version new clusters of this version get: EKS makes one about every two months."""
    return f"eks.{1 + max(0, (world.clock.now() - version.release).days // 60)}"


def _described(world: World, version: KubernetesVersion, default: str) -> dict[str, Any]:
    now = world.clock.now()
    status = version.status(now)
    return {
        "clusterVersion": version.name,
        "clusterType": "eks",
        "defaultPlatformVersion": platform_version(version, world),
        "defaultVersion": version.name == default,
        "releaseDate": version.release,
        "endOfStandardSupportDate": version.end_of_standard,
        "endOfExtendedSupportDate": version.end_of_extended,
        "status": _OLD_STATUS[status],
        "versionStatus": status,
        "kubernetesPatchVersion": version.patch(now),
    }


def _wanted(given: dict[str, Any], version: dict[str, Any]) -> bool:
    names, status, old_status = given.get("clusterVersions"), given.get("versionStatus"), given.get("status")
    if given.get("clusterType", "eks") != "eks" or (given.get("defaultOnly") and not version["defaultVersion"]):
        return False
    if names and version["clusterVersion"] not in names:
        return False
    if status and version["versionStatus"] != status:
        return False
    if old_status and version["status"] != old_status:
        return False
    asked_for = given.get("includeAll") or names or status or old_status
    return bool(asked_for) or version["versionStatus"] != UNSUPPORTED


OPERATIONS: dict[str, Operation] = {"DescribeClusterVersions": describe_cluster_versions}
