"""Late log delivery: the deleted log group of a deleted cluster is created once more.

While a cluster with logs is being deleted, EKS checks every minute whether its log group is gone; the
first time it is, late log lines recreate the group. Once, and for ten minutes at most.
"""

from __future__ import annotations

from functools import partial

from emulator.eks.clusters.control_plane import log_group_name, logs_enabled, make_log_group
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster
from emulator.eks.state.world import World


def deliver_late_logs(world: World, cluster: Cluster) -> None:
    """Watch the log group of a cluster whose deletion begins, if it has one."""
    if logs_enabled(cluster):
        _look_again(world, cluster, durations.LATE_LOG_CHECKS)


def _look_again(world: World, cluster: Cluster, looks_left: int) -> None:
    if looks_left:
        world.jobs.after(durations.LATE_LOG_CHECK, partial(_look, world, cluster, looks_left))


def _look(world: World, cluster: Cluster, looks_left: int) -> None:
    groups = world.client("logs", cluster).describe_log_groups(logGroupNamePrefix=log_group_name(cluster))
    if any(group["logGroupName"] == log_group_name(cluster) for group in groups["logGroups"]):
        _look_again(world, cluster, looks_left - 1)
    else:
        make_log_group(world, cluster)
