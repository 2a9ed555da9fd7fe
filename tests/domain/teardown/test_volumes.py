"""The owner's choice about volumes covers the volumes of claims, and snapshots; a node's own disk is always deleted."""

from __future__ import annotations

import pytest

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.domain.teardown.evidence import PVC_TAG
from chalicelib.domain.teardown.volumes import VolumeDecision, decide_volume

CLAIMED = Resource(Kind.VOLUME, "vol-1", "arn:1", {PVC_TAG: "data"})
#: A driver without extra metadata writes no claim's name; one without a cluster id omits the cluster's, too.
BARE = Resource(Kind.VOLUME, "vol-3", "arn:5", {"ebs.csi.aws.com/cluster": "true", "karpenter.sh/nodepool": "x"})
UNMARKED = Resource(Kind.VOLUME, "vol-4", "arn:6", {"ekslab:lab-id": "lab-1"})
DISK = Resource(Kind.VOLUME, "vol-2", "arn:2", {"eks:nodegroup-name": "workers"})
SNAPSHOT = Resource(Kind.SNAPSHOT, "snap-1", "arn:3", {})


@pytest.mark.parametrize(
    ("resource", "policy", "decision"),
    [
        (CLAIMED, VolumePolicy.DELETE, VolumeDecision.DELETE),
        (CLAIMED, VolumePolicy.SNAPSHOT, VolumeDecision.SNAPSHOT_THEN_DELETE),
        (CLAIMED, VolumePolicy.KEEP, VolumeDecision.KEEP),
        *((volume, VolumePolicy.KEEP, VolumeDecision.KEEP) for volume in (BARE, UNMARKED)),
        *((volume, VolumePolicy.SNAPSHOT, VolumeDecision.SNAPSHOT_THEN_DELETE) for volume in (BARE, UNMARKED)),
        (DISK, VolumePolicy.KEEP, VolumeDecision.DELETE),
        (DISK, VolumePolicy.SNAPSHOT, VolumeDecision.DELETE),
        (SNAPSHOT, VolumePolicy.DELETE, VolumeDecision.DELETE),
        (SNAPSHOT, VolumePolicy.SNAPSHOT, VolumeDecision.KEEP),
        (SNAPSHOT, VolumePolicy.KEEP, VolumeDecision.KEEP),
    ],
)
def test_what_becomes_of_it(resource: Resource, policy: VolumePolicy, decision: VolumeDecision) -> None:
    assert decide_volume(resource, policy) is decision
