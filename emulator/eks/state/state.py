"""The state of EKS: clusters and their parts.

Each resource keeps `described`, exactly the answer of its Describe operation, and the few facts that AWS does not show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Described = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of a node group, with the second interface the VPC CNI gave it ("" where it could not)."""

    instance_id: str
    name: str
    zone: str
    cni_interface: str


@dataclass(eq=False, slots=True)
class Nodegroup:
    """A managed node group, its machines, and the data of the launch template they are made from ({} without)."""

    described: Described
    id: str
    template: Described
    nodes: list[Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The node group's name, unique in its cluster."""
        return str(self.described["nodegroupName"])

    @property
    def made_name(self) -> str:
        """The name of the Auto Scaling group, launch template and instance profile that EKS makes for it."""
        return f"eks-{self.name}-{self.id}"

    def fail(self, status: str, code: str, message: str, resources: list[str]) -> None:
        """Put the node group into a failed status with one health issue."""
        self.described["status"] = status
        self.described["health"]["issues"].append({"code": code, "message": message, "resourceIds": resources})


@dataclass(eq=False, slots=True)
class Update:
    """A change under way or done, of the cluster itself or of one of its node groups or add-ons."""

    described: Described
    nodegroup: str | None = None
    addon: str | None = None


@dataclass(eq=False, slots=True)
class AccessEntry:
    """A principal's access, with the policies associated to it by policy ARN."""

    described: Described
    policies: dict[str, Described] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Cluster:
    """A control plane and its parts; dictionaries are by name (access entries by principal ARN).

    `omitted`: what DescribeCluster leaves out. `spared_until`: AWS forces no upgrade on it before.
    """

    account: str
    region: str
    described: Described
    endpoint_id: str
    creator: str
    self_managed_addons: bool = True
    interfaces: list[str] = field(default_factory=list)
    nodegroups: dict[str, Nodegroup] = field(default_factory=dict)
    addons: dict[str, Described] = field(default_factory=dict)
    access_entries: dict[str, AccessEntry] = field(default_factory=dict)
    pod_identity_associations: dict[str, Described] = field(default_factory=dict)
    fargate_profiles: dict[str, Described] = field(default_factory=dict)
    updates: dict[str, Update] = field(default_factory=dict)
    insights: dict[str, Described] = field(default_factory=dict)
    insights_refresh: Described | None = None
    omitted: tuple[str, ...] = ()
    spared_until: datetime | None = None

    @property
    def name(self) -> str:
        """The cluster's name, unique in its account and region."""
        return str(self.described["name"])

    @property
    def vpc_config(self) -> Described:
        """The `resourcesVpcConfig` part of the description, live."""
        config: Described = self.described["resourcesVpcConfig"]
        return config

    def has_ready_nodes(self) -> bool:
        """Tell whether pods have somewhere to run: a machine of a node group that is up."""
        up = ("ACTIVE", "UPDATING", "DEGRADED")
        return any(group.nodes and group.described["status"] in up for group in self.nodegroups.values())
