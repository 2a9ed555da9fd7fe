"""Every operation that this EKS carries out, by its name in the model."""

from __future__ import annotations

from emulator.eks import tags
from emulator.eks.access import entries, pod_identity, policies
from emulator.eks.addons import operations as addons
from emulator.eks.addons import versions as addon_versions
from emulator.eks.clusters import config, insights, updates, upgrade, versions
from emulator.eks.clusters import operations as clusters
from emulator.eks.nodegroups import changes, fargate_profiles
from emulator.eks.nodegroups import operations as nodegroups
from emulator.eks.state.world import Operation

OPERATIONS: dict[str, Operation] = {
    **clusters.OPERATIONS,
    **config.OPERATIONS,
    **upgrade.OPERATIONS,
    **versions.OPERATIONS,
    **nodegroups.OPERATIONS,
    **changes.OPERATIONS,
    **addons.OPERATIONS,
    **addon_versions.OPERATIONS,
    **entries.OPERATIONS,
    **policies.OPERATIONS,
    **pod_identity.OPERATIONS,
    **fargate_profiles.OPERATIONS,
    **updates.OPERATIONS,
    **insights.OPERATIONS,
    **tags.OPERATIONS,
}
