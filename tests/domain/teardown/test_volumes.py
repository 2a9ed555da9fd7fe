"""The owner's choice about volumes covers the volumes of claims, and snapshots; a node's own disk always goes."""

from __future__ import annotations

import pytest

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.domain.teardown.evidence import PVC_TAG
from chalicelib.domain.teardown.volumes import VolumeFate, volume_fate

CLAIMED = Resource(Kind.VOLUME, "vol-1", "arn:1", {PVC_TAG: "data"})
DISK = Resource(Kind.VOLUME, "vol-2", "arn:2", {})
SNAPSHOT = Resource(Kind.SNAPSHOT, "snap-1", "arn:3", {})


@pytest.mark.parametrize(
    ("resource", "policy", "fate"),
    [
        (CLAIMED, VolumePolicy.DELETE, VolumeFate.DELETE),
        (CLAIMED, VolumePolicy.SNAPSHOT, VolumeFate.SNAPSHOT_THEN_DELETE),
        (CLAIMED, VolumePolicy.KEEP, VolumeFate.KEEP),
        (DISK, VolumePolicy.KEEP, VolumeFate.DELETE),
        (DISK, VolumePolicy.SNAPSHOT, VolumeFate.DELETE),
        (SNAPSHOT, VolumePolicy.DELETE, VolumeFate.DELETE),
        (SNAPSHOT, VolumePolicy.SNAPSHOT, VolumeFate.KEEP),
        (SNAPSHOT, VolumePolicy.KEEP, VolumeFate.KEEP),
    ],
)
def test_what_becomes_of_it(resource: Resource, policy: VolumePolicy, fate: VolumeFate) -> None:
    assert volume_fate(resource, policy) is fate
