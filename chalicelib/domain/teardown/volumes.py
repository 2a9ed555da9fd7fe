"""Applies the owner's choice for volumes of PersistentVolumeClaims when a lab ends."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.domain.teardown.evidence import PVC_TAG

#: The prefix of the EBS CSI driver's tags.
DRIVER_PREFIX = "ebs.csi.aws.com/"
#: Tags of EKS, Karpenter and EC2 Auto Scaling on the disks of nodes that they start.
NODE_KEYS = ("eks:nodegroup-name", "karpenter.sh/nodeclaim", "karpenter.sh/nodepool", "aws:autoscaling:groupName")


class VolumeDecision(StrEnum):
    """The decision on a volume or snapshot of the lab."""

    DELETE = "delete"
    SNAPSHOT_THEN_DELETE = "snapshot, then delete"
    KEEP = "keep"


def decide_volume(resource: Resource, policy: VolumePolicy) -> VolumeDecision:
    """Decide about a volume or snapshot of the lab. A node's own disk is always deleted; the owner's policy decides about others.

    A driver need not write whose claim a volume is: a volume that is not certainly a node's disk holds somebody's data.

    The policy `delete` deletes snapshots; any other policy keeps them.
    """
    if resource.kind is Kind.SNAPSHOT:
        return VolumeDecision.DELETE if policy is VolumePolicy.DELETE else VolumeDecision.KEEP
    if resource.kind is not Kind.VOLUME or is_node_disk(resource):
        return VolumeDecision.DELETE
    match policy:
        case VolumePolicy.DELETE:
            return VolumeDecision.DELETE
        case VolumePolicy.SNAPSHOT:
            return VolumeDecision.SNAPSHOT_THEN_DELETE
        case VolumePolicy.KEEP:
            return VolumeDecision.KEEP
        case _:
            assert_never(policy)


def is_node_disk(volume: Resource) -> bool:
    """Whether it is certainly the disk of a node: the starter of the node tagged it, and no volume driver did."""
    driven = PVC_TAG in volume.tags or any(key.startswith(DRIVER_PREFIX) for key in volume.tags)
    return not driven and any(key in volume.tags for key in NODE_KEYS)


_VOLUMES = {
    VolumePolicy.DELETE: Sentence("the volumes of PersistentVolumeClaims are deleted with it"),
    VolumePolicy.SNAPSHOT: Sentence(
        "the volumes of PersistentVolumeClaims are snapshotted first, then deleted; the snapshots stay"
    ),
    VolumePolicy.KEEP: Sentence("the volumes of PersistentVolumeClaims are kept and go on costing"),
}


_ASKED = {
    VolumePolicy.DELETE: Sentence("The lab was asked to delete the volumes of its PVCs."),
    VolumePolicy.SNAPSHOT: Sentence("The lab was asked to snapshot the volumes of its PVCs."),
    VolumePolicy.KEEP: Sentence("The lab was asked to keep the volumes of its PVCs."),
}


def asked_of_volumes(policy: VolumePolicy) -> str:
    """The reason for the treatment of a volume."""
    return _ASKED[policy]


def describe_volumes(policy: VolumePolicy) -> str:
    """The effect of the policy on PVC volumes, as half a sentence."""
    return _VOLUMES[policy]
