"""The outcome of a claim's volume is the owner's choice, and the receipt names it."""

import pytest

from sandbox.scenarios.leftover import Kind, Leftover, still_there
from sandbox.scenarios.leftovers import Cluster, drop_volume
from sandbox.stage import Stage
from tests.story.account import clients, pods_of
from tests.story.steps import Lab, learner, lines

pytestmark = pytest.mark.story


def test_volumes_are_kept_or_snapshotted_as_the_owner_chose(stage: Stage) -> None:
    # Given two ready labs, each with the volume of a claim, one to be kept and one to be snapshotted
    owner = learner(stage)
    keeping = owner.asks_for("keeping", volumes="keep", nodegroups=[])
    archiving = owner.asks_for("archiving", volumes="snapshot", nodegroups=[])
    for lab in (keeping, archiving):
        lab.becomes("ready")
    kept, archived = with_volume(keeping), with_volume(archiving)

    # When both are ended
    keeping.is_let_go()
    archiving.is_let_go()

    # Then the first volume still exists, and the receipt states that it goes on costing
    keeping.becomes("deleted")
    assert still_there(clients(keeping), kept)
    receipt = keeping.receipt()
    assert receipt["clean"], receipt["verdict"]
    assert [line["arn"].rpartition("/")[2] for line in lines(receipt, "kept", "volume")] == [kept.id]
    [line] = lines(receipt, "kept", "volume")
    assert "keep" in line["reason"]

    # And the second is deleted, but a complete snapshot of it stays
    archiving.becomes("deleted")
    ec2 = clients(archiving)("ec2")
    assert not still_there(clients(archiving), archived)
    of_volume = [{"Name": "volume-id", "Values": [archived.id]}]
    [snapshot] = ec2.describe_snapshots(OwnerIds=["self"], Filters=of_volume)["Snapshots"]
    assert snapshot["State"] == "completed"
    receipt = archiving.receipt()
    assert receipt["clean"], receipt["verdict"]
    [line] = lines(receipt, "kept", "snapshot")
    assert line["arn"].endswith(snapshot["SnapshotId"])
    assert archived.id in line["reason"]
    assert any(line["arn"].endswith(archived.id) for line in lines(receipt, "deleted", "volume"))


def with_volume(lab: Lab) -> Leftover:
    """The volume of a PersistentVolumeClaim of this lab, with the CSI driver's tags."""
    plane = lab.inventory()["controlPlane"]
    there = Cluster(lab.name, plane["vpcId"], tuple(plane["subnetIds"]), f"ekslab-{lab.id}")
    [volume] = drop_volume(pods_of(lab), there, snapshot=False)
    assert volume.kind is Kind.VOLUME
    return volume
