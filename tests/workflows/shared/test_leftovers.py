"""One sweep: every deleted resource was on the ledger before, one failure affects no other, and uncertain resources stay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.resources import ASKED_FOR, BY_STACK, EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.errors.tree import AccessDenied, AwsUnavailable, ResourceGone, StillInUse
from chalicelib.domain.labs.arns import cluster_of, ec2_thing
from chalicelib.domain.labs.lab import ClusterFacts, Lab
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.domain.teardown.evidence import PVC_TAG
from chalicelib.domain.teardown.receipt import ReceiptOutcome
from chalicelib.workflows.shared.leftovers import SweepOutcome, aim, sweep, take_receipt
from tests.fakes.builders import NOW, a_lab, a_spec
from tests.fakes.trail import CREATIONS
from tests.fakes.world import FakeWorld, make_deps

OWNED = {"kubernetes.io/cluster/myeks": "owned"}
LATER = NOW + timedelta(minutes=40)


@dataclass
class Scene:
    """A lab that has had a cluster, in an account shared with others."""

    world: FakeWorld
    lab: Lab

    def add(self, kind: Kind, id: str | None = None, **facts: object) -> Resource:
        """A resource with the cluster's tag, by default created by a role of the lab's."""
        thing = self.world.account.add(kind, id, **{"tags": OWNED, "created_at": LATER, **facts})
        if "tags" not in facts and kind in CREATIONS:
            self.world.history.made(thing, self.role)
        return thing

    def with_data(self, key: str) -> Resource:
        """A volume of the lab's with one more tag."""
        thing = self.add(Kind.VOLUME, tags={**OWNED, key: "data"})
        return self.world.history.made(thing, self.role)

    @property
    def role(self) -> Resource:
        return self.world.account.get(Kind.ROLE, "csi")

    def sweep(self, *kinds: Kind) -> SweepOutcome:
        return sweep(self.world.deps, self.lab, kinds, LATER)

    def entry(self, resource: Resource) -> LedgerEntry:
        (found,) = (entry for entry in self.world.store.ledger(self.lab.id) if entry.resource.arn == resource.arn)
        return found

    def has(self, resource: Resource) -> bool:
        return resource.arn in self.world.account.resources


@pytest.fixture
def scene() -> Scene:
    return a_scene(VolumePolicy.DELETE)


def a_scene(volumes: VolumePolicy) -> Scene:
    world = make_deps()
    world.account.add(Kind.ROLE, "csi", role_id="AROALABSCSI")
    facts = ClusterFacts(vpc_id="vpc-1", arn=cluster_of(a_lab()).arn, role_ids={"csi": "AROALABSCSI"})
    lab = a_lab(spec=a_spec(volumes=volumes), facts=facts)
    world.store.create_lab(lab, None, "digest", NOW)
    world.store.note_before(lab.id, frozenset())
    vpc = ec2_thing(lab, Kind.VPC, "vpc-1")
    for thing, how in ((cluster_of(lab), ASKED_FOR), (vpc, BY_STACK)):
        world.store.record(lab.id, LedgerEntry(thing, EntryState.PRESENT, how, NOW, NOW))
    return Scene(world, lab)


def test_what_is_the_labs_goes_and_its_deletion_is_told(scene: Scene) -> None:
    mine, theirs = scene.add(Kind.VOLUME), scene.add(Kind.VOLUME, tags={"kubernetes.io/cluster/myeks2": "owned"})
    outcome = scene.sweep(Kind.VOLUME)
    assert outcome.done
    assert outcome.deleted == [mine]
    assert not scene.has(mine)
    assert scene.has(theirs)
    assert scene.entry(mine).state is EntryState.DELETED
    (event,) = [e for e in scene.world.store.events(scene.lab.id, 50, None).items if e.kind == "resource-deleted"]
    assert event.facts["arn"] == mine.arn
    assert "as CloudTrail says" in event.message


def test_it_is_on_the_ledger_before_it_is_deleted(scene: Scene) -> None:
    mine = scene.add(Kind.VOLUME)
    scene.world.fail("leftovers.delete", RuntimeError("the Lambda died"))
    with pytest.raises(RuntimeError):
        scene.sweep(Kind.VOLUME)
    assert scene.entry(mine).state is EntryState.PRESENT


def test_a_lost_answer_is_made_good_by_the_next_sweep(scene: Scene) -> None:
    mine = scene.add(Kind.VOLUME)
    scene.world.lose_answer("leftovers.delete")
    with pytest.raises(AwsUnavailable):
        scene.sweep(Kind.VOLUME)
    assert scene.sweep(Kind.VOLUME).done
    assert scene.entry(mine).state is EntryState.DELETED


def test_what_is_refused_is_blocked_with_awss_words_and_the_others_still_go(scene: Scene) -> None:
    first, second = scene.add(Kind.VOLUME), scene.add(Kind.VOLUME)
    scene.world.fail("leftovers.delete", AccessDenied("ec2:DeleteVolume", "UnauthorizedOperation", "an SCP says no"))
    outcome = scene.sweep(Kind.VOLUME)
    assert [entry.resource for entry in outcome.blocked] == [first]
    assert "an SCP says no" in scene.entry(first).reason
    assert not scene.has(second)
    assert scene.sweep(Kind.VOLUME).done
    assert not scene.has(first)


def test_what_is_in_use_remains_and_the_ledger_says_why(scene: Scene) -> None:
    group = scene.add(Kind.SECURITY_GROUP, vpc_id="vpc-1")
    scene.world.fail("leftovers.delete", StillInUse("ec2:DeleteSecurityGroup", "DependencyViolation", "eni-1 uses it"))
    outcome = scene.sweep(Kind.SECURITY_GROUP)
    assert outcome.remaining == [group]
    assert scene.entry(group).state is EntryState.PRESENT
    assert "eni-1 uses it" in scene.entry(group).reason


def test_gone_already_is_success(scene: Scene) -> None:
    mine = scene.add(Kind.VOLUME)
    scene.world.fail("leftovers.delete", ResourceGone("ec2:DeleteVolume", "InvalidVolume.NotFound", ""))
    assert scene.sweep(Kind.VOLUME).deleted == [mine]


def test_a_kind_that_can_not_be_listed_is_told_and_loses_no_other(scene: Scene) -> None:
    mine = scene.add(Kind.SNAPSHOT)
    scene.world.fail("leftovers.find", AccessDenied("ec2:DescribeVolumes", "UnauthorizedOperation", "no"))
    outcome = scene.sweep(Kind.VOLUME, Kind.SNAPSHOT)
    assert not outcome.done
    assert "volume" in outcome.unread[0]
    assert not scene.has(mine)


def test_throttling_is_raised_only_after_everything_else_was_tried(scene: Scene) -> None:
    first, second = scene.add(Kind.VOLUME), scene.add(Kind.VOLUME)
    scene.world.fail("leftovers.delete", AwsUnavailable("503"))
    with pytest.raises(AwsUnavailable):
        scene.sweep(Kind.VOLUME)
    assert scene.has(first)
    assert not scene.has(second)


def test_what_disappeared_by_itself_is_struck_off(scene: Scene) -> None:
    gone = Resource(Kind.VOLUME, "vol-gone", "arn:aws:ec2:ap-northeast-2:111122223333:volume/vol-gone")
    scene.world.store.record(scene.lab.id, LedgerEntry(gone, EntryState.PRESENT, "tag x", NOW, NOW))
    scene.sweep(Kind.VOLUME)
    assert scene.entry(gone).state is EntryState.DELETED


def test_a_stranger_in_the_labs_own_vpc_is_told_but_never_enters_the_ledger(scene: Scene) -> None:
    stranger = scene.add(Kind.NETWORK_INTERFACE, tags={}, vpc_id="vpc-1", status="available")
    for _ in range(2):
        outcome = scene.sweep(Kind.NETWORK_INTERFACE)
        assert [resource for resource, _ in outcome.in_the_way] == [stranger]
    assert stranger.arn not in {entry.resource.arn for entry in scene.world.store.ledger(scene.lab.id)}
    assert scene.has(stranger)


def test_volumes_of_claims_are_kept_when_the_owner_said_so() -> None:
    scene = a_scene(VolumePolicy.KEEP)
    data, disk = scene.with_data(PVC_TAG), scene.with_data("eks:nodegroup-name")
    assert scene.sweep(Kind.VOLUME).done
    assert scene.has(data)
    assert not scene.has(disk)
    lines = take_receipt(scene.world.deps, scene.lab, "now", LATER).lines
    assert [(line.outcome, bool(line.reason)) for line in lines if line.arn == data.arn] == [
        (ReceiptOutcome.KEPT, True)
    ]


def test_a_volume_goes_only_when_its_snapshot_is_complete() -> None:
    scene = a_scene(VolumePolicy.SNAPSHOT)
    data = scene.with_data(PVC_TAG)
    scene.world.leftovers.backups = ["pending"]
    assert scene.sweep(Kind.VOLUME, Kind.SNAPSHOT).remaining == [data]
    assert scene.has(data)
    (pending,) = scene.world.account.of(Kind.SNAPSHOT)
    done = replace(pending, attributes={**pending.attributes, "status": "completed"})
    scene.world.account.resources[pending.arn] = done
    assert scene.sweep(Kind.VOLUME, Kind.SNAPSHOT).done
    assert not scene.has(data)
    assert scene.has(pending)
    lines = {line.arn: line.outcome for line in take_receipt(scene.world.deps, scene.lab, "now", LATER).lines}
    assert (lines[data.arn], lines[pending.arn]) == (ReceiptOutcome.DELETED, ReceiptOutcome.KEPT)


def test_a_snapshot_that_ec2_does_not_know_yet_is_waited_for_and_one_that_stays_unknown_is_asked_for_again() -> None:
    scene = a_scene(VolumePolicy.SNAPSHOT)
    data = scene.with_data(PVC_TAG)
    scene.world.leftovers.backups = ["pending"]
    scene.sweep(Kind.VOLUME)
    (made,) = scene.world.account.of(Kind.SNAPSHOT)
    del scene.world.account.resources[made.arn]
    assert scene.sweep(Kind.VOLUME).remaining == [data]
    assert not scene.world.account.of(Kind.SNAPSHOT)
    later = LATER + timedelta(minutes=20)
    for _ in range(2):
        assert sweep(scene.world.deps, scene.lab, (Kind.VOLUME,), later).blocked == []
    assert [again.id != made.id for again in scene.world.account.of(Kind.SNAPSHOT)] == [True]


def test_a_cluster_of_the_name_without_our_tag_takes_the_name_over(scene: Scene) -> None:
    volume = scene.add(Kind.VOLUME, tags=OWNED, created_at=NOW)
    stranger = replace(scene.lab, id="lab-other")
    scene.world.clusters.create(stranger, "role", ("subnet-1", "subnet-2"), ())
    assert aim(scene.world.deps, scene.lab, ()).name_taken_over
    assert scene.sweep(Kind.VOLUME).done
    assert scene.has(volume)
