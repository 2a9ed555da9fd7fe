"""Every EKS cluster of the registered accounts and regions, as last read: the records of the support watch.

Real answers lack fields: no tags, no platform version, no policy, versions that no calendar lists. Such a field is None or
empty here, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import ClusterKey


class NodeKind(StrEnum):
    """The party that upgrades these nodes."""

    MANAGED = "managed"
    SELF_MANAGED = "self-managed"
    FARGATE = "fargate"


@dataclass(frozen=True)
class Nodes:
    """A group of nodes of one Kubernetes minor version (`1.33`; None: unknown). `count`: desired machines; 0 for Fargate."""

    name: str
    kind: NodeKind
    version: str | None
    count: int


class InsightStatus(StrEnum):
    """EKS's own words."""

    PASSING = "PASSING"
    WARNING = "WARNING"
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Insight:
    """One finding of EKS about an upgrade. `last_called_at`: the last call of a deprecated API, None if not about calls."""

    id: str
    name: str
    status: InsightStatus
    reason: str
    kubernetes_version: str | None
    resources: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    last_called_at: datetime | None = None
    refreshed_at: datetime | None = None


@dataclass(frozen=True)
class AddonAtNext:
    """An add-on, its version, and whether that runs on the next minor. `compatible_version`: one that does, None if none does."""

    name: str
    version: str
    runs_on_next: bool
    compatible_version: str | None = None


@dataclass(frozen=True)
class FleetCluster:
    """A cluster as last read. `support_type` None if EKS returned no policy (which means EXTENDED).

    `unread`: the parts that could not be read, in AWS's words; if it names nodes, `nodes` lacks them, and if it names insights or
    add-ons, `insights` and `addons` are those of an earlier look.
    """

    key: ClusterKey
    arn: str
    version: str
    status: str
    support_type: str | None = None
    platform_version: str | None = None
    created_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[Nodes, ...] = ()
    addons: tuple[AddonAtNext, ...] = ()
    insights: tuple[Insight, ...] = ()
    deletion_protection: bool = False
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadFailure:
    """A place or cluster that could not be read: AWS's code and words, the first time, and the last try."""

    operation: str
    code: str
    message: str
    since: datetime
    last_tried_at: datetime
