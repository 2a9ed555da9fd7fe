"""Applies the owner's choice for volumes of PersistentVolumeClaims when a lab ends."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.domain.teardown.evidence import PVC_TAG

#: The EBS CSI driver's marks begin so.
DRIVER_PREFIX = "ebs.csi.aws.com/"
#: What EKS, Karpenter and EC2 Auto Scaling write on the disks that they start a node with.
NODE_KEYS = ("eks:nodegroup-name", "karpenter.sh/nodeclaim", "karpenter.sh/nodepool", "aws:autoscaling:groupName")


class VolumeDecision(StrEnum):
    """What to do with a volume or snapshot that is the lab's."""

    DELETE = "delete"
    SNAPSHOT_THEN_DELETE = "snapshot, then delete"
    KEEP = "keep"


def decide_volume(resource: Resource, policy: VolumePolicy) -> VolumeDecision:
    """Decide about a thing of the lab's. A node's own disk always goes; of any other volume its owner's word decides.

    A driver need not write whose claim a volume is, so that what is not certainly a node's disk holds somebody's data.

    Snapshots go where the policy says delete; where something is to be kept, a snapshot is what is kept.
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
    """Whether it is certainly the disk of a node: what started the node marked it, and no driver of volumes did."""
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
    """Why a volume was treated so."""
    return _ASKED[policy]


def describe_volumes(policy: VolumePolicy) -> str:
    """The effect of the policy on PVC volumes, as half a sentence."""
    return _VOLUMES[policy]
