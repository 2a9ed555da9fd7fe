"""Every operation the sandbox's EKS carries out, by its name in the model."""

from __future__ import annotations

from sandbox.eks import clusters, versions
from sandbox.eks.world import Operation

OPERATIONS: dict[str, Operation] = {
    **clusters.OPERATIONS,
    **versions.OPERATIONS,
}
