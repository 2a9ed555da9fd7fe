"""Which nodes are older than their control plane, by how much, and how much Kubernetes allows.

The kubelet may be three minors older than the API server since 1.28, two before, and never newer.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.support.assessment import minor
from chalicelib.domain.support.fleet import NodeKind, Nodes

_REMEDY = {
    NodeKind.MANAGED: "update the node group",
    NodeKind.SELF_MANAGED: "replace the instances with ones of a newer image",
    NodeKind.FARGATE: "restart its pods",
}


@dataclass(frozen=True)
class Behind:
    """Nodes that are not on the control plane's version. `minors`: how many older; negative means newer, which is never allowed."""

    nodes: Nodes
    control_plane: str
    minors: int
    allowed: int

    @property
    def within(self) -> bool:
        """Whether Kubernetes supports this skew."""
        return 0 <= self.minors <= self.allowed

    @property
    def sentence(self) -> str:
        """The skew for people, and what to do."""
        who = f"{_KIND[self.nodes.kind]} {self.nodes.name} ({self.nodes.count} on {self.nodes.version})"
        are = "are" if self.nodes.kind is NodeKind.SELF_MANAGED else "is"
        if self.minors < 0:
            return f"{who} {are} newer than the control plane {self.control_plane}, which Kubernetes never allows."
        older = "1 minor version" if self.minors == 1 else f"{self.minors} minor versions"
        limit = f"{self.allowed} are allowed" if self.within else f"only {self.allowed} are allowed"
        return f"{who} {are} {older} older than the control plane {self.control_plane}; {limit}: {_REMEDY[self.nodes.kind]}."


_KIND = {
    NodeKind.MANAGED: "node group",
    NodeKind.SELF_MANAGED: "self-managed nodes",
    NodeKind.FARGATE: "Fargate profile",
}


def allowed_skew(control_plane: str) -> int:
    """How many minors older than this API server a kubelet may be."""
    return 3 if minor(control_plane) >= (1, 28) else 2


def behind(control_plane: str, nodes: Iterable[Nodes]) -> tuple[Behind, ...]:
    """The nodes that are not on the control plane's minor version, furthest behind first; those of unknown version are left out."""
    server = minor(control_plane)
    if len(server) < 2:
        return ()
    allowed = allowed_skew(control_plane)
    found = [
        Behind(group, control_plane, server[1] - kubelet[1], allowed)
        for group in nodes
        if len(kubelet := minor(group.version or "")) > 1 and kubelet[:2] != server[:2]
    ]
    return tuple(sorted(found, key=lambda b: (b.within, -b.minors, b.nodes.name)))
