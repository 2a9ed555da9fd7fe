"""Add-ons whose pods get a role of the lab's stack by EKS Pod Identity, and their service accounts."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.deferred import dataclass

POD_IDENTITY_AGENT = "eks-pod-identity-agent"
VPC_CNI = "vpc-cni"
EBS_CSI = "aws-ebs-csi-driver"
EXTERNAL_DNS = "external-dns"


@dataclass(frozen=True)
class AddonRole:
    """`resource`: the role's name in the stack; the stack's output of that name and `Arn` is its ARN."""

    namespace: str
    service_account: str
    resource: str


ADDON_ROLES: Mapping[str, AddonRole] = {
    VPC_CNI: AddonRole("kube-system", "aws-node", "CniRole"),
    EBS_CSI: AddonRole("kube-system", "ebs-csi-controller-sa", "EbsCsiRole"),
    EXTERNAL_DNS: AddonRole("external-dns", "external-dns", "ExternalDnsRole"),
}
