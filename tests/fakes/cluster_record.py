"""FakeClusters' record of one cluster; it counts reads instead of time."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.domain.core.failure import HealthIssue
from chalicelib.domain.labs.aws_states import (
    AccessEntryState,
    AddonState,
    ClusterState,
    NodegroupState,
    PodIdentityState,
    UpdateState,
)


@dataclass
class Looks:
    """The number of reads for which each resource stays in a transitional state."""

    cluster: int = 2
    nodegroup: int = 2
    addon: int = 1
    update: int = 1
    deletion: int = 1


@dataclass
class NodegroupRecord:
    """A node group with its resources; `left` counts reads until it settles."""

    state: NodegroupState
    left: int
    tags: dict[str, str]
    issue: HealthIssue | None = None


@dataclass
class ClusterRecord:
    """A cluster and everything in it."""

    state: ClusterState
    left: int
    log_types: tuple[str, ...] = ()
    issue: HealthIssue | None = None
    protected: bool = False
    nodegroups: dict[str, NodegroupRecord] = field(default_factory=dict)
    fargate: dict[str, int | None] = field(default_factory=dict)
    addons: dict[str, tuple[AddonState, int]] = field(default_factory=dict)
    entries: dict[str, AccessEntryState] = field(default_factory=dict)
    associations: list[PodIdentityState] = field(default_factory=list)
    updates: dict[str, tuple[UpdateState, int]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
