"""Every operation the sandbox's EKS carries out, by its name in the model."""

from __future__ import annotations

from sandbox.eks import (
    access_entries,
    access_policies,
    addon_versions,
    addons,
    cluster_config,
    cluster_version,
    clusters,
    fargate_profiles,
    insights,
    nodegroup_changes,
    nodegroups,
    pod_identity,
    tags,
    updates,
    versions,
)
from sandbox.eks.world import Operation

OPERATIONS: dict[str, Operation] = {
    **clusters.OPERATIONS,
    **cluster_config.OPERATIONS,
    **cluster_version.OPERATIONS,
    **versions.OPERATIONS,
    **nodegroups.OPERATIONS,
    **nodegroup_changes.OPERATIONS,
    **addons.OPERATIONS,
    **addon_versions.OPERATIONS,
    **access_entries.OPERATIONS,
    **access_policies.OPERATIONS,
    **pod_identity.OPERATIONS,
    **fargate_profiles.OPERATIONS,
    **updates.OPERATIONS,
    **insights.OPERATIONS,
    **tags.OPERATIONS,
}
