"""UpdateClusterVersion, and AWS's forced upgrades.

A control plane whose version ends is upgraded by AWS: at the end of standard support under policy STANDARD, at the end
of extended support under EXTENDED. Nodes and add-ons stay as they are. A rollback to the version before is not
offered here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from emulator.eks.clusters.updates import Change, require_quiet, start_update
from emulator.eks.clusters.versions import platform_version
from emulator.eks.http.call import Call
from emulator.eks.http.errors import invalid_parameter, invalid_request
from emulator.eks.state import durations
from emulator.eks.state.calendar import EXTENDED, STANDARD, UNSUPPORTED, KubernetesVersion
from emulator.eks.state.state import Cluster
from emulator.eks.state.world import Operation, World

FORCED = "ForcedUpgrade"


def update_cluster_version(world: World, call: Call) -> dict[str, Any]:
    """Start an upgrade to the next minor version; five minutes later the control plane runs it."""
    cluster = world.ready_cluster_of(call)
    require_quiet(cluster, cluster.described, call.operation)
    running, asked = cluster.described["version"], call.given["version"]
    target = world.calendar.find(asked, world.clock.now())
    if target is None or target.status(world.clock.now()) == UNSUPPORTED:
        raise invalid_parameter("unsupported Kubernetes version", clusterName=cluster.name)
    if target.minor != _minor(running) + 1:
        message = f"Unsupported Kubernetes minor version update from {running} to {asked}"
        raise invalid_parameter(message, clusterName=cluster.name)
    behind = sorted(name for name, group in cluster.nodegroups.items() if group.described["version"] != running)
    if behind:
        message = f"Nodegroups {', '.join(behind)} must be updated to match cluster version {running} first"
        raise invalid_request(message, clusterName=cluster.name, nodegroupName=behind[0])
    return {"update": _start(world, cluster, target, call.operation)}


def start_due_upgrades(world: World) -> None:
    """Begin the forced upgrade of every ACTIVE cluster whose version has ended under its policy."""
    now = world.clock.now()
    versions = {version.name: version for version in world.calendar.released(now)}
    # Called at each request: ended versions are looked up once, not for each of a thousand clusters.
    ended = {name: version.status(now) for name, version in versions.items() if version.status(now) != STANDARD}
    for cluster in [each for each in world.clusters.values() if each.described["version"] in ended]:
        running = cluster.described["version"]
        following = versions.get(f"1.{_minor(running) + 1}")
        spared = cluster.spared_until is not None and now < cluster.spared_until
        due = ended[running] in _ended_under(cluster) and not spared
        if due and following and cluster.described["status"] == "ACTIVE":
            _start(world, cluster, following, FORCED)


def _ended_under(cluster: Cluster) -> tuple[str, ...]:
    policy = cluster.described["upgradePolicy"]["supportType"]
    return (EXTENDED, UNSUPPORTED) if policy == "STANDARD" else (UNSUPPORTED,)


def _start(world: World, cluster: Cluster, target: KubernetesVersion, operation: str) -> dict[str, Any]:
    platform = platform_version(target, world)
    apply = partial(cluster.described.update, version=target.name, platformVersion=platform)
    params = {"Version": target.name, "PlatformVersion": platform}
    change = Change("VersionUpdate", params, durations.UPDATE_CLUSTER_VERSION, apply)
    return start_update(world, cluster, cluster.described, operation, change).described


def _minor(version: str) -> int:
    return int(version.split(".")[1])


OPERATIONS: dict[str, Operation] = {"UpdateClusterVersion": update_cluster_version}
