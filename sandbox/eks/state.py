"""What exists: clusters and everything that belongs to one.

Each thing keeps `described`, exactly what its Describe operation answers, beside the few facts AWS keeps to itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Described = dict[str, Any]


@dataclass(eq=False, slots=True)
class Nodegroup:
    """A managed node group and the machines it brought into the account."""

    described: Described
    instances: list[str] = field(default_factory=list)
    launched_by_template: bool = False


@dataclass(eq=False, slots=True)
class Update:
    """A change under way or done, of the cluster itself or of one of its node groups or add-ons."""

    described: Described
    nodegroup: str | None = None
    addon: str | None = None


@dataclass(eq=False, slots=True)
class AccessEntry:
    """A principal's way in, with the policies associated to it by policy ARN."""

    described: Described
    policies: dict[str, Described] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Cluster:
    """A control plane and what hangs on it; dictionaries are by name (access entries by principal ARN)."""

    account: str
    region: str
    described: Described
    endpoint_id: str
    self_managed_addons: bool = True
    interfaces: list[str] = field(default_factory=list)
    nodegroups: dict[str, Nodegroup] = field(default_factory=dict)
    addons: dict[str, Described] = field(default_factory=dict)
    access_entries: dict[str, AccessEntry] = field(default_factory=dict)
    pod_identity_associations: dict[str, Described] = field(default_factory=dict)
    fargate_profiles: dict[str, Described] = field(default_factory=dict)
    updates: dict[str, Update] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The cluster's name, unique in its account and region."""
        return str(self.described["name"])

    @property
    def vpc_config(self) -> Described:
        """The `resourcesVpcConfig` part of the description, live."""
        config: Described = self.described["resourcesVpcConfig"]
        return config

    def has_active_nodes(self) -> bool:
        """Tell whether any node group runs at least one instance."""
        return any(group.instances and group.described["status"] != "CREATING" for group in self.nodegroups.values())
