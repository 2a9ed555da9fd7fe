"""Add-ons that need machines: they wait for the first one, and are degraded when the last one goes."""

from __future__ import annotations

from functools import partial

from emulator.eks.addons.catalogue import CATALOGUE
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster, Described
from emulator.eks.state.world import World


def settle(cluster: Cluster, addon: Described) -> bool:
    """Make the add-on ACTIVE if its conditions hold, and return whether they did."""
    if CATALOGUE[addon["addonName"]].needs_nodes and not cluster.has_ready_nodes():
        return False
    addon["status"] = "ACTIVE"
    addon["health"]["issues"] = []
    return True


def degrade(addon: Described) -> None:
    """Show that the add-on's pods have nowhere to run."""
    message = "The add-on is unhealthy because it doesn't have the desired number of replicas."
    issue = {"code": "InsufficientNumberOfReplicas", "message": message, "resourceIds": []}
    addon["status"] = "DEGRADED"
    addon["health"]["issues"] = [issue]


def nodes_came(world: World, cluster: Cluster) -> None:
    """Make add-ons that waited for machines ACTIVE a little later."""
    world.jobs.after(durations.ADDON_SETTLES, partial(_settle_waiting, cluster))


def nodes_went(cluster: Cluster) -> None:
    """Degrade add-ons that need machines if the cluster has none left."""
    if not cluster.has_ready_nodes():
        for addon in cluster.addons.values():
            if CATALOGUE[addon["addonName"]].needs_nodes and addon["status"] == "ACTIVE":
                degrade(addon)


def _settle_waiting(cluster: Cluster) -> None:
    for addon in cluster.addons.values():
        if addon["status"] == "DEGRADED" or (addon["status"] == "CREATING" and _waited(addon)):
            settle(cluster, addon)


def _waited(addon: Described) -> bool:
    return bool(CATALOGUE[addon["addonName"]].needs_nodes)
