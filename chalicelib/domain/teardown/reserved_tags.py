"""Tag keys that decide ownership, derived from the rules that read them; no request may set one."""

from __future__ import annotations

from chalicelib.domain.teardown import evidence
from chalicelib.domain.teardown.volumes import DRIVER_PREFIX, NODE_KEYS

#: Karpenter's tag on its IAM resources, which are global.
_REGION_KEY = "topology.kubernetes.io/region"
_READ = (
    *(evidence.LAB_TAG, *evidence.OWNING_KEYS, *evidence.OTHERS_KEYS, *evidence.TOOLS_KEYS, *evidence.CNI_KEYS),
    *(*NODE_KEYS, evidence.CSI_TAG, evidence.PVC_TAG, _REGION_KEY),
)
_PREFIXES = ("aws:", "ekslab:", "eks:", evidence.CLUSTER_PREFIX, DRIVER_PREFIX, *evidence.OTHERS_PREFIXES)
#: AWS's own, this service's, EKS's; every prefix and key that the rules read. Lower case: IAM ignores case.
RESERVED = tuple(dict.fromkeys(key.lower() for key in (*_PREFIXES, *_READ, "elbv2.k8s.aws/")))


def reserved_by(key: str) -> str | None:
    """The reserved prefix of a key; None if anybody may write it."""
    return next((beginning for beginning in RESERVED if key.lower().startswith(beginning)), None)
