"""The add-ons EKS offers, and the Kubernetes versions that each of their versions supports.

Version strings have the form and the rough age of real ones; kube-proxy's follow Kubernetes itself.
"""

from __future__ import annotations

from dataclasses import dataclass

_BUILD = "eksbuild"


@dataclass(frozen=True, slots=True)
class AddonKind:
    """One add-on: its name, its versions newest first, and its conditions for health."""

    name: str
    type: str
    versions: tuple[str, ...]
    namespace: str = "kube-system"
    owner: str = "aws"
    needs_nodes: bool = False
    needs_permissions: bool = False

    def versions_for(self, kubernetes_minor: int) -> list[str]:
        """Return the versions that support Kubernetes 1.<minor>, newest first."""
        if self.name == "kube-proxy":
            return [f"v1.{kubernetes_minor}.{patch}-{_BUILD}.{patch + 1}" for patch in (3, 1)]
        return list(self.versions)


_KINDS = (
    AddonKind("vpc-cni", "networking", ("v1.21.1-eksbuild.3", "v1.20.5-eksbuild.1"), needs_permissions=True),
    AddonKind("coredns", "networking", ("v1.13.1-eksbuild.1", "v1.12.4-eksbuild.1"), needs_nodes=True),
    AddonKind("kube-proxy", "networking", ()),
    AddonKind(
        "metrics-server",
        "observability",
        ("v0.8.0-eksbuild.5", "v0.7.2-eksbuild.4"),
        owner="community",
        needs_nodes=True,
    ),
    AddonKind("eks-pod-identity-agent", "security", ("v1.3.10-eksbuild.1", "v1.3.8-eksbuild.2")),
    AddonKind(
        "aws-ebs-csi-driver",
        "storage",
        ("v1.53.0-eksbuild.1", "v1.50.1-eksbuild.1"),
        needs_nodes=True,
        needs_permissions=True,
    ),
    AddonKind(
        "aws-efs-csi-driver",
        "storage",
        ("v2.1.15-eksbuild.1", "v2.1.11-eksbuild.1"),
        needs_nodes=True,
        needs_permissions=True,
    ),
    AddonKind("snapshot-controller", "storage", ("v8.3.0-eksbuild.1", "v8.2.0-eksbuild.1"), needs_nodes=True),
    AddonKind("eks-node-monitoring-agent", "observability", ("v1.4.2-eksbuild.1", "v1.4.0-eksbuild.2")),
    AddonKind(
        "external-dns",
        "networking",
        ("v0.19.0-eksbuild.2", "v0.18.0-eksbuild.1"),
        namespace="external-dns",
        owner="community",
        needs_nodes=True,
        needs_permissions=True,
    ),
    AddonKind(
        "cert-manager",
        "security",
        ("v1.19.1-eksbuild.1", "v1.18.2-eksbuild.2"),
        namespace="cert-manager",
        owner="community",
        needs_nodes=True,
    ),
)
CATALOGUE = {kind.name: kind for kind in _KINDS}
