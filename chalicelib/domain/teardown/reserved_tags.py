"""Tag keys that decide ownership, derived from the rules that read them; no request may set one."""

from __future__ import annotations

from chalicelib.domain.teardown.evidence import (
    CLUSTER_PREFIX,
    CNI_KEYS,
    CSI_TAG,
    LAB_TAG,
    OTHERS_KEYS,
    OTHERS_PREFIXES,
    OWNING_KEYS,
    PVC_TAG,
    TOOLS_KEYS,
)
from chalicelib.domain.teardown.volumes import DRIVER_PREFIX, NODE_KEYS

#: Karpenter's tag on its IAM resources, which are global.
_REGION_KEY = "topology.kubernetes.io/region"
_READ = (LAB_TAG, *OWNING_KEYS, *OTHERS_KEYS, *TOOLS_KEYS, *CNI_KEYS, *NODE_KEYS, CSI_TAG, PVC_TAG, _REGION_KEY)
#: AWS's own, this service's, EKS's; every prefix and key that the rules read. Lower case: IAM ignores case.
RESERVED = tuple(
    dict.fromkeys(
        key.lower()
        for key in (
            "aws:",
            "ekslab:",
            "eks:",
            CLUSTER_PREFIX,
            DRIVER_PREFIX,
            *OTHERS_PREFIXES,
            *_READ,
            "elbv2.k8s.aws/",
        )
    )
)


def reserved_by(key: str) -> str | None:
    """The reserved prefix of a key; None if anybody may write it."""
    return next((beginning for beginning in RESERVED if key.lower().startswith(beginning)), None)
