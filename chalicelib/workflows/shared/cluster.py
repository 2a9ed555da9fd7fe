"""The cluster that is on the ledger as the lab's, as EKS has it now."""

from __future__ import annotations

from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.cluster_identity import is_own_cluster
from chalicelib.domain.labs.lab import Lab
from chalicelib.ports.deps import Deps


def own_cluster(deps: Deps, lab: Lab) -> ClusterState | None:
    """The lab's cluster as it is now; None when there is none, or one that is not the lab's."""
    try:
        state = deps.cloud(lab.place).clusters.describe(lab.name)
    except ResourceGone:
        return None
    return state if is_own_cluster(lab, state) else None
