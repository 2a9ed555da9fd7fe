"""The table of forgeries and accidents, row by row, on fakes: deleted and kept resources, and their reasons.

Rows 1, 2 and 9 are in tests/story/test_proof.py, where IAM enforces; rows 7 and 14 are tests of the rules themselves
(tests/domain/teardown/test_volumes.py, test_reserved_tags.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.message import Message
from chalicelib.domain.core.place import Place
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import AwsRefused, NotProved, NotYours, StillInUse
from chalicelib.domain.labs.aws_states import HealthIssue
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.spec import ExternalDnsSpec, VolumePolicy
from chalicelib.domain.teardown import unproven_message
from chalicelib.domain.teardown.receipt import ReceiptLine, ReceiptOutcome
from chalicelib.services.labs import adoption, queries
from chalicelib.services.labs.leftovers import keep_leftovers
from chalicelib.workflows import collection
from chalicelib.workflows.shared.leftovers import sweep, take_receipt
from tests.fakes import NOW, a_caller, a_lab, a_spec
from tests.workflows.theatre import Theatre

OWNED = {"kubernetes.io/cluster/myeks": "owned"}


def a_lab_that_is_ready(**spec: object) -> Theatre:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(**spec)))
    assert theatre.play() == "Ready"
    return theatre


def released(theatre: Theatre) -> Theatre:
    theatre.release()
    theatre.play()
    return theatre


def line_of(theatre: Theatre, thing: Resource) -> ReceiptLine:
    newest = theatre.world.store.receipts(theatre.lab_id)[-1]
    (line,) = (line for line in newest.lines if line.arn == thing.arn)
    return line


def is_there(theatre: Theatre, thing: Resource) -> bool:
    return thing.arn in theatre.world.account.resources


def test_row_3_another_teams_things_after_our_cluster_was_deleted_by_hand_stay() -> None:
    theatre = a_lab_that_is_ready()
    account = theatre.world.account
    del theatre.world.clusters.clusters["myeks"]
    collection.collect_of(theatre.world.deps, theatre.lab, theatre.world.clock.now())
    assert theatre.lab.phase is Phase.LOST
    theatre.world.clock.instant += timedelta(hours=1)
    volume = account.add(Kind.VOLUME, tags=OWNED)
    balancer = account.add(Kind.LOAD_BALANCER, tags={"elbv2.k8s.aws/cluster": "myeks"}, vpc_id="vpc-theirs")
    released(theatre)
    assert is_there(theatre, volume)
    assert is_there(theatre, balancer)


def test_row_6_somebodys_log_group_of_the_clusters_name_stays_and_is_named() -> None:
    theatre = a_lab_that_is_ready(log_types=())
    group = theatre.world.account.add(Kind.LOG_GROUP, "/aws/eks/myeks/cluster", tags={"team": "x"}, retention="30")
    released(theatre)
    assert is_there(theatre, group)
    assert line_of(theatre, group).outcome is ReceiptOutcome.LEFT


def test_row_8_an_older_snapshot_with_the_labs_tag_is_no_backup() -> None:
    theatre = a_lab_that_is_ready(volumes=VolumePolicy.SNAPSHOT)
    account = theatre.world.account
    volume = account.add(Kind.VOLUME, tags=OWNED)
    theatre.world.history.made(volume, account.get(Kind.ROLE, f"{theatre.lab.stack_name}-NodeRole"))
    older = account.add(Kind.SNAPSHOT, tags=theatre.lab.tags, volume_id=volume.id, status="completed")
    released(theatre)
    ours = [snapshot for snapshot in account.of(Kind.SNAPSHOT) if snapshot.arn != older.arn]
    assert not is_there(theatre, volume)
    assert is_there(theatre, older)
    assert [snapshot.attributes["volume-id"] for snapshot in ours] == [volume.id]


def test_row_10_a_group_somebody_made_in_the_labs_vpc_is_named_and_so_is_its_instance() -> None:
    theatre = a_lab_that_is_ready()
    vpc = theatre.lab.facts.vpc_id
    group = theatre.world.account.add(Kind.AUTO_SCALING_GROUP, "theirs", tags=OWNED, vpc_id=vpc)
    instance = theatre.world.account.add(Kind.INSTANCE, tags=OWNED, vpc_id=vpc, status="running")
    released(theatre)
    assert theatre.lab.phase is Phase.BLOCKED
    for thing in (group, instance):
        assert is_there(theatre, thing)
        assert line_of(theatre, thing).outcome is ReceiptOutcome.BLOCKED
    assert group.arn in str(theatre.lab.reason)


def test_row_12_outside_the_labs_subdomain_neither_the_record_nor_its_txt_goes() -> None:
    theatre = a_lab_that_is_ready(external_dns=ExternalDnsSpec("Z1", "example.org"))
    owner = theatre.lab.txt_owner_id
    txt = theatre.world.account.add(Kind.DNS_RECORD, "Z1|x-app.example.org.|TXT", txt_owner=owner)
    record = theatre.world.account.add(Kind.DNS_RECORD, "Z1|app.example.org.|A", txt_owner=owner)
    released(theatre)
    assert [line_of(theatre, thing).outcome for thing in (txt, record)] == [ReceiptOutcome.LEFT] * 2
    assert is_there(theatre, txt)
    assert is_there(theatre, record)


def test_row_13_a_lab_whose_record_was_lost_is_adopted_by_an_administrator_and_goes_whole() -> None:
    theatre = a_lab_that_is_ready()
    world = theatre.world
    world.deps = replace(world.deps, curfew=replace(world.deps.curfew, installation="school"))
    record = world.clusters.clusters["myeks"]
    record.state = replace(record.state, tags={**record.state.tags, "ekslab:installation": "school"})
    place, admin = theatre.lab.place, a_caller(is_admin=True)
    for table in (world.store.labs, world.store.names, world.store.entries):
        table.clear()
    with pytest.raises(NotYours):
        adoption.adopt(world.deps, a_caller(), place, "myeks", world.clock.now())
    with pytest.raises(NotProved):
        adoption.adopt(world.deps, admin, Place(place.account, place.region), "another", world.clock.now())
    lab = adoption.adopt(world.deps, admin, place, "myeks", world.clock.now())
    assert lab.created_at <= NOW
    released(theatre)
    assert theatre.lab.phase is Phase.DELETED
    assert world.account.resources == {}


def test_row_15_a_blocked_lab_says_the_cause_first_in_awss_words() -> None:
    theatre = a_lab_that_is_ready()
    told = "Stack [ekslab] cannot be deleted while TerminationProtection is enabled"
    theatre.world.fail("stacks.delete", AwsRefused("cloudformation:DeleteStack", "ValidationError", told), times=500)
    released(theatre)
    assert theatre.lab.phase is Phase.BLOCKED
    reason = str(theatre.lab.reason)
    assert reason.startswith(f"cloudformation:DeleteStack: ValidationError: {told}")
    assert "more of the lab's things are still there" in reason


def test_row_15_a_node_groups_failed_deletion_is_told_with_the_ids_that_eks_names() -> None:
    theatre = a_lab_that_is_ready()
    record = theatre.world.clusters.clusters["myeks"].nodegroups["myeks-nodegroup"]
    told = "The security group sg-9 could not be deleted"
    issue = HealthIssue("Ec2SecurityGroupDeletionFailure", told, ("sg-9",))
    record.state = replace(record.state, issues=(issue,), status="DELETE_FAILED")
    theatre.world.fail("clusters.delete_nodegroup", StillInUse("eks:DeleteNodegroup", "ResourceInUse", "x"), times=900)
    released(theatre)
    assert theatre.lab.phase is Phase.BLOCKED
    reason = str(theatre.lab.reason)
    assert reason.startswith(f"eks:DeleteNodegroup: Ec2SecurityGroupDeletionFailure: {told} (sg-9)")


def test_row_15_what_somebody_put_in_the_way_is_told_before_what_waits_for_it() -> None:
    theatre = a_lab_that_is_ready()
    vpc = theatre.lab.facts.vpc_id
    table = theatre.world.account.add(Kind.ROUTE_TABLE, vpc_id=vpc)
    released(theatre)
    assert theatre.lab.phase is Phase.BLOCKED
    assert str(theatre.lab.reason).startswith(f"{table.arn}: It is in the lab's own VPC")
    view = queries.get_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    assert table.arn in view.next[0]
    looked = queries.receipt(theatre.world.deps, a_caller(), theatre.lab_id)
    assert table.arn in looked.verdict


def test_a_fargate_profile_that_comes_late_is_deleted_with_the_cluster() -> None:
    theatre = a_lab_that_is_ready()
    record = theatre.world.clusters.clusters["myeks"]

    def late(function: str) -> None:
        if function == "delete_cluster" and "late" not in came:
            came.append("late")
            record.fargate["late"] = None

    came: list[str] = []
    theatre.before = late
    released(theatre)
    assert came == ["late"]
    assert theatre.lab.phase is Phase.DELETED
    assert theatre.world.account.resources == {}


def test_what_is_left_and_nobody_hears_of_does_not_count_as_told() -> None:
    theatre = a_lab_that_is_ready()
    theatre.world.account.add(Kind.VOLUME, tags={"ekslab:lab-id": theatre.lab_id}, size_gib=100)
    theatre.world.curfew.reach.unreachable["learner"] = "Nobody has confirmed a subscription."
    released(theatre)
    theatre.later(minutes=16)
    theatre.later(hours=24)
    theatre.told(unproven_message.KIND)
    assert "Nobody takes messages for learner: " in theatre.history()[-1]


def test_what_is_left_and_costs_is_told_daily_until_somebody_answers() -> None:
    theatre = a_lab_that_is_ready()
    world = theatre.world
    theirs = world.account.add(Kind.VOLUME, tags={"ekslab:lab-id": theatre.lab_id}, size_gib=100)
    released(theatre)
    theatre.later(minutes=16)
    assert leftovers_mails(theatre) == []
    for day in (1, 2, 3, 4, 5):
        theatre.later(hours=24)
        assert len(leftovers_mails(theatre)) == day
    assert theirs.arn in leftovers_mails(theatre)[-1].body
    assert "a month" in leftovers_mails(theatre)[-1].subject
    view = queries.get_lab(world.deps, a_caller(), theatre.lab_id, world.clock.now())
    assert f"ekslab leftovers {theatre.lab_id} --keep ARN" in view.next[1]
    keep_leftovers(world.deps, a_caller(), theatre.lab_id, [theirs.arn], world.clock.now())
    theatre.later(hours=24)
    theatre.later(hours=24)
    assert len(leftovers_mails(theatre)) == 5
    assert is_there(theatre, theirs)
    assert theatre.lab.due_at is None


def test_what_is_left_and_costs_nothing_is_not_asked_about() -> None:
    theatre = a_lab_that_is_ready()
    theatre.world.account.add(Kind.SECURITY_GROUP, tags={"ekslab:lab-id": theatre.lab_id}, vpc_id="vpc-theirs")
    released(theatre)
    theatre.later(minutes=16)
    theatre.later(hours=24)
    theatre.later(hours=24)
    assert leftovers_mails(theatre) == []


def leftovers_mails(theatre: Theatre) -> list[Message]:
    return theatre.told(unproven_message.KIND)


def test_a_stack_that_is_there_already_under_the_labs_name_is_not_taken_for_it_and_stays() -> None:
    theatre = Theatre()
    lab = a_lab()
    network = theatre.world.account.add(Kind.VPC)
    theirs = theatre.world.stacks.make_somebodys(lab.stack_name, lab.tags, [network])
    theatre.request(lab)
    theatre.play()
    assert theatre.lab.phase is Phase.FAILED
    assert theatre.world.stacks.describe(lab.stack_name).id == theirs.id
    assert is_there(theatre, network)
    (line,) = (each for each in theatre.world.store.receipts(lab.id)[-1].lines if each.kind == "stack")
    assert line.outcome is ReceiptOutcome.LEFT


def test_a_stack_that_took_the_name_after_ours_was_deleted_by_hand_stays_with_all_it_made() -> None:
    theatre = a_lab_that_is_ready()
    stacks, name = theatre.world.stacks, theatre.lab.stack_name
    gone = [thing for thing in theatre.world.account.resources.values() if thing.arn in stacks.stacks[name].arns]
    for thing in (*gone, theatre.world.account.get(Kind.STACK, name)):
        del theatre.world.account.resources[thing.arn]
    del stacks.stacks[name]
    network = theatre.world.account.add(Kind.VPC)
    stacks.make_somebodys(name, theatre.lab.tags, [network])
    released(theatre)
    assert stacks.describe(name).status == "CREATE_COMPLETE"
    assert is_there(theatre, network)


def test_a_proved_thing_that_our_rights_do_not_reach_is_told_with_the_next_step_and_the_command() -> None:
    theatre = a_lab_that_is_ready()
    volume = theatre.world.account.add(Kind.VOLUME, tags=OWNED)
    theatre.world.history.made(volume, theatre.world.account.get(Kind.ROLE, f"{theatre.lab.stack_name}-NodeRole"))
    theatre.world.account.forbid(volume)
    released(theatre)
    line = line_of(theatre, volume)
    assert theatre.lab.phase is Phase.BLOCKED
    assert line.outcome is ReceiptOutcome.BLOCKED
    assert line.command.startswith(f"aws ec2 delete-volume --volume-id {volume.id}")
    assert f"tag it ekslab:lab-id={theatre.lab_id}" in line.reason
    assert f"tag it ekslab:lab-id={theatre.lab_id}" in str(theatre.lab.reason)


@pytest.mark.parametrize("kind", [Kind.LOAD_BALANCER, Kind.TARGET_GROUP])
def test_an_idempotent_create_has_no_creator_at_first_look_so_that_it_stays_and_is_named(kind: Kind) -> None:
    """An older event of another creator may still be on its way: a lab that requested the same load balancer again created
    nothing.
    """
    theatre = a_lab_that_is_ready()
    world = theatre.world
    world.clock.advance(hours=3)
    thing = world.account.add(kind, tags={"elbv2.k8s.aws/cluster": "myeks"}, vpc_id="vpc-theirs")
    role = world.account.get(Kind.ROLE, f"{theatre.lab.stack_name}-NodeRole")
    world.history.made(thing, role)
    collection.collect_of(world.deps, theatre.lab, world.clock.now())
    entry = next(entry for entry in world.store.ledger(theatre.lab_id) if entry.resource.arn == thing.arn)
    assert (entry.creator, entry.grounds) == (None, None)
    sweep(world.deps, theatre.lab, (kind,), world.clock.now())
    receipt = take_receipt(world.deps, theatre.lab, "now", world.clock.now())
    (line,) = (line for line in receipt.lines if line.arn == thing.arn)
    assert is_there(theatre, thing)
    assert (line.outcome, receipt.clean) == (ReceiptOutcome.LEFT, False)
    world.clock.advance(minutes=30)
    sweep(world.deps, theatre.lab, (kind,), world.clock.now())
    assert not is_there(theatre, thing)
