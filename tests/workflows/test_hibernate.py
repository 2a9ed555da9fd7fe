"""A lab hibernates: sizes are stored before anything shrinks, people lose access, and a failure removes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.resources import EntryState, Kind
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, Superseded
from chalicelib.domain.labs.aws_states import AccessEntryState
from chalicelib.domain.labs.hibernation import put_to_sleep
from chalicelib.domain.labs.lab import Lab, NodegroupSize, Phase
from chalicelib.domain.labs.spec import AccessSpec, NodegroupSpec
from chalicelib.domain.labs.steps import execution_name
from chalicelib.services.labs import hibernation
from chalicelib.workflows import hibernate
from chalicelib.workflows.shared.runner import run_step
from tests.fakes import a_caller, a_lab, a_nodegroup, a_spec
from tests.fakes.builders import NOW, OWNER
from tests.fakes.cluster_record import NodegroupRecord
from tests.workflows.machine import LambdaDied
from tests.workflows.theatre import Theatre

NODE_ROLE = "arn:aws:iam::111122223333:role/ekslab/nodes"
FIRST, SECOND = NodegroupSize("myeks-nodegroup", 1, 2, 3), NodegroupSize("second", 0, 1, 4)


def a_ready_lab(*groups: NodegroupSpec) -> Theatre:
    """A lab of two node groups, ready by default."""
    theatre = Theatre()
    theatre.request(
        a_lab(spec=a_spec(nodegroups=groups or (a_nodegroup(), a_nodegroup(name="second", desired=1, min=0, max=4))))
    )
    assert theatre.play() == "Ready"
    return theatre


def sleep(theatre: Theatre) -> str:
    """Request hibernation as a person does, and run the started workflow."""
    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    return theatre.play()


def sizes(theatre: Theatre) -> dict[str, NodegroupSize]:
    groups = theatre.world.clusters.clusters["myeks"].nodegroups
    return {name: record.state.size for name, record in groups.items()}


def entries(theatre: Theatre) -> set[str]:
    return set(theatre.world.clusters.clusters["myeks"].entries)


def add_nodegroup(theatre: Theatre, name: str, status: str = "ACTIVE") -> None:
    """Resources that the learner made by hand."""
    groups = theatre.world.clusters.clusters["myeks"].nodegroups
    known = groups["myeks-nodegroup"].state
    state = replace(known, name=name, arn=f"{known.arn}-{name}", status=status, desired=5, min=5, max=7)
    groups[name] = NodegroupRecord(state, 1, {})


def test_all_nodes_go_and_the_control_plane_stays() -> None:
    theatre = a_ready_lab()
    assert sleep(theatre) == "Hibernated"
    lab = theatre.lab
    assert (lab.phase, lab.due_at, lab.reason) == (Phase.HIBERNATED, lab.phase_since, None)
    assert lab.hibernation is not None
    assert lab.hibernation.sizes == (FIRST, SECOND)
    assert lab.hibernation.reason == f"{OWNER} asked for it."
    assert sizes(theatre) == {"myeks-nodegroup": replace(FIRST, min=0, desired=0), "second": replace(SECOND, desired=0)}
    assert not theatre.world.account.of(Kind.INSTANCE)
    assert theatre.world.clusters.clusters["myeks"].state.status == "ACTIVE"


def test_node_groups_are_told_by_their_names_as_they_are() -> None:
    theatre = a_ready_lab()
    sleep(theatre)
    message = {step.detail for step in theatre.world.store.steps(theatre.lab_id)}
    assert "myeks-nodegroup: 0 nodes, second: 0 nodes. No instance is left." in message


def an_instance(theatre: Theatre, **tags: str) -> str:
    """An instance that keeps running at any size of its node group."""
    return theatre.world.account.add(Kind.INSTANCE, tags=tags, status="running").id


def test_row_20_a_lab_whose_instances_go_on_running_says_so_and_not_that_it_has_no_nodes() -> None:
    """Issue 12, row 20: scale-in protection, or suspended processes of Auto Scaling, keep surplus instances."""
    theatre = a_ready_lab()
    an_instance(theatre, **{"eks:cluster-name": "myeks", "eks:nodegroup-name": "second"})
    assert sleep(theatre) == "Hibernated"
    why = (
        "Instances go on running, and cost: 1 instance of second (see whether Auto Scaling protects them from scale-in, or has "
        "its processes suspended)."
    )
    assert (theatre.lab.reason, theatre.lab.responsible) == (why, Responsible.YOURS)
    events = [event.message for event in theatre.world.store.events(theatre.lab_id, 100, None).items]
    assert events[-1] == f"The lab is hibernated; the control plane stays. {why}"
    assert "no nodes" not in events[-1]
    hibernation.wake_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    assert theatre.play() == "Awake"
    assert theatre.lab.reason is None


def test_row_20_instances_that_take_a_while_are_waited_for() -> None:
    theatre = a_ready_lab()
    left = an_instance(theatre, **{"eks:cluster-name": "myeks", "eks:nodegroup-name": "second"})
    looks = 0

    def goes(function: str) -> None:
        nonlocal looks
        looks += function == "shrink_nodegroups"
        if looks == 5 and function == "shrink_nodegroups":
            theatre.world.account.remove(theatre.world.account.get(Kind.INSTANCE, left))

    theatre.before = goes
    assert sleep(theatre) == "Hibernated"
    assert looks >= 5
    assert theatre.lab.reason is None


def test_row_20_instances_of_no_node_group_are_told_and_not_waited_for() -> None:
    theatre = a_ready_lab()
    an_instance(theatre, **{"kubernetes.io/cluster/myeks": "owned", "karpenter.sh/nodepool": "default"})
    assert sleep(theatre) == "Hibernated"
    assert "1 instance in no managed node group" in str(theatre.lab.reason)


def test_a_lab_without_node_groups_sleeps_too() -> None:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(nodegroups=())))
    theatre.play()
    assert sleep(theatre) == "Hibernated"
    assert theatre.lab.hibernation is not None
    assert theatre.lab.hibernation.sizes == ()


def test_a_node_group_made_by_hand_shrinks_as_well_and_one_that_goes_is_left_to_go() -> None:
    theatre = a_ready_lab()
    add_nodegroup(theatre, "mine")
    add_nodegroup(theatre, "going", "DELETING")
    assert sleep(theatre) == "Hibernated"
    assert theatre.lab.hibernation is not None
    assert theatre.lab.hibernation.sizes == (FIRST, SECOND, NodegroupSize("mine", 5, 5, 7))
    assert sizes(theatre)["mine"] == NodegroupSize("mine", 0, 0, 7)


def test_a_node_group_that_appears_meanwhile_is_remembered_before_it_shrinks() -> None:
    theatre = a_ready_lab()

    def appears(function: str) -> None:
        if function == "shrink_nodegroups" and "late" not in sizes(theatre):
            add_nodegroup(theatre, "late", "UPDATING")

    theatre.after = appears
    assert sleep(theatre) == "Hibernated"
    assert theatre.lab.hibernation is not None
    assert NodegroupSize("late", 5, 5, 7) in theatre.lab.hibernation.sizes
    assert sizes(theatre)["late"].desired == 0


def test_a_size_that_is_just_being_changed_is_remembered_when_it_is_settled() -> None:
    theatre = a_ready_lab()
    add_nodegroup(theatre, "growing", "UPDATING")

    def grows(function: str) -> None:
        record = theatre.world.clusters.clusters["myeks"].nodegroups["growing"]
        if function == "shrink_nodegroups" and record.state.status == "UPDATING" and record.state.desired:
            record.state, record.left = replace(record.state, desired=7), 0

    theatre.after = grows
    assert sleep(theatre) == "Hibernated"
    assert theatre.lab.hibernation is not None
    assert NodegroupSize("growing", 5, 7, 7) in theatre.lab.hibernation.sizes


def test_sizes_are_on_the_lab_before_anything_shrinks() -> None:
    theatre = a_ready_lab()
    seen: list[Lab] = []
    shrink = theatre.world.clusters.resize_nodegroup

    def looked(cluster: str, size: NodegroupSize, token: str) -> str | None:
        seen.append(theatre.world.store.labs[theatre.lab_id])
        return shrink(cluster, size, token)

    theatre.world.clusters.resize_nodegroup = looked  # type: ignore[method-assign]  # a look at the moment of the act
    sleep(theatre)
    assert seen
    assert {lab.hibernation.sizes for lab in seen if lab.hibernation} == {(FIRST, SECOND)}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("count", range(8))
def test_whatever_dies_on_the_way_the_sizes_are_the_true_ones(count: int, when: str) -> None:
    theatre, calls = a_ready_lab(), 0

    def dies(function: str) -> None:
        nonlocal calls
        calls += 1
        if calls == count + 1:
            raise LambdaDied

    setattr(theatre, when, dies)
    sleep(theatre)
    assert theatre.lab.phase is Phase.HIBERNATED
    assert theatre.lab.hibernation is not None
    assert theatre.lab.hibernation.sizes == (FIRST, SECOND)


@pytest.mark.parametrize(
    "operation", ["change_lab", "resize_nodegroup", "nodegroup", "nodegroups", "describe", "revoke_access", "load_lab"]
)
def test_a_lost_answer_is_asked_for_again(operation: str) -> None:
    theatre = a_ready_lab()
    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    for _ in range(3):
        theatre.world.lose_answer(operation)
    assert theatre.play() == "Hibernated"
    assert theatre.lab.hibernation is not None
    assert theatre.lab.hibernation.sizes == (FIRST, SECOND)
    assert len(theatre.world.clusters.clusters["myeks"].updates) == 2


def test_exactly_those_whom_the_lab_let_in_are_locked_out_and_this_service_too() -> None:
    theatre = Theatre()
    nodes = AccessSpec(NODE_ROLE, type="EC2_LINUX")
    theatre.request(a_lab(spec=a_spec(access=(*a_spec().access, nodes))))
    theatre.play()
    others = "arn:aws:iam::111122223333:role/their-own"
    theatre.world.clusters.clusters["myeks"].entries[others] = AccessEntryState(others, "arn:other", "STANDARD")
    sleep(theatre)
    assert entries(theatre) == {NODE_ROLE, others}
    ledger = theatre.world.store.ledger(theatre.lab_id)
    message = {entry.resource.id: entry.state for entry in ledger if entry.resource.kind is Kind.ACCESS_ENTRY}
    own = theatre.world.kubernetes.view_role()
    assert message == {OWNER: EntryState.DELETED, own: EntryState.DELETED, NODE_ROLE: EntryState.PRESENT}


def test_who_cannot_be_locked_out_holds_nothing_up() -> None:
    theatre = a_ready_lab()
    theatre.world.fail("revoke_access", AwsRefused("DeleteAccessEntry", "InvalidRequestException", "not now"))
    assert sleep(theatre) == "Hibernated"
    [step] = [step for step in theatre.world.store.steps(theatre.lab_id) if step.name == "revoke_access"]
    assert step.detail == f"Not taken back: {OWNER}: not now."


def test_what_cannot_sleep_is_woken_again_with_its_sizes_and_the_reason() -> None:
    theatre = a_ready_lab()
    refusal = AwsRefused("UpdateNodegroupConfig", "InvalidRequestException", "the second one won't")

    def refuses(function: str) -> None:
        if function == "shrink_nodegroups" and sizes(theatre)["myeks-nodegroup"].desired == 0:
            theatre.world.fail("resize_nodegroup", refusal)

    theatre.before = refuses
    add_nodegroup(theatre, "busy", "UPDATING")
    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    theatre.world.clusters.looks.update = 3
    theatre.play()
    assert theatre.ends[-2:] == ["GivenUp", "Awake"]
    assert (theatre.lab.phase, theatre.lab.hibernation) == (Phase.READY, None)
    assert "the second one won't" in str(theatre.lab.reason)
    assert sizes(theatre) == {FIRST.name: FIRST, SECOND.name: SECOND, "busy": NodegroupSize("busy", 5, 5, 7)}
    assert OWNER in entries(theatre)


def test_an_update_that_fails_is_noticed_though_it_was_asked_for_by_an_earlier_look() -> None:
    theatre = a_ready_lab(a_nodegroup())
    theatre.world.clusters.failing_updates.append("Unknown: the group would not shrink")
    assert sleep(theatre) == "Awake"
    assert theatre.ends[-2] == "GivenUp"
    assert "would not shrink" in str(theatre.lab.reason)
    assert sizes(theatre) == {FIRST.name: FIRST}


def test_a_cluster_that_is_gone_leaves_the_lab_ready_for_the_sweep_to_see() -> None:
    theatre = a_ready_lab()
    del theatre.world.clusters.clusters["myeks"]
    sleep(theatre)
    assert (theatre.lab.phase, theatre.lab.hibernation) == (Phase.READY, None)
    assert theatre.lab.reason == "EKS knows no cluster myeks of the lab's."


def test_a_node_group_that_is_never_done_is_waited_for_a_bounded_time_and_named() -> None:
    theatre = a_ready_lab()
    add_nodegroup(theatre, "endless", "UPDATING")
    theatre.world.clusters.clusters["myeks"].nodegroups["endless"].left = 1000
    sleep(theatre)
    assert theatre.ends[-2:] == ["GivenUp", "Awake"]
    assert theatre.lab.reason == ("After 40 minutes it was not done: endless is UPDATING. Try again in a while.")


def test_a_namesake_of_somebody_else_is_never_touched() -> None:
    theatre = a_ready_lab()
    record = theatre.world.clusters.clusters["myeks"]
    record.state = replace(record.state, created_at=NOW + timedelta(days=1))
    before = sizes(theatre), entries(theatre)
    sleep(theatre)
    assert (sizes(theatre), entries(theatre)) == before


@pytest.mark.parametrize("function", ["begin", "revoke_access", "shrink_nodegroups", "finish"])
def test_a_lab_released_while_it_goes_to_sleep_is_torn_down(function: str) -> None:
    theatre = a_ready_lab()

    def releases(step: str) -> None:
        if step == function and theatre.lab.phase is Phase.HIBERNATING:
            theatre.release()

    theatre.before = releases
    assert sleep(theatre) == "Gone"
    assert theatre.world.account.resources == {}


def test_a_step_that_runs_late_shrinks_nothing_of_a_lab_that_is_awake_again() -> None:
    theatre = a_ready_lab()
    with pytest.raises(Superseded):
        run_step(theatre.world.deps, hibernate.shrink_nodegroups, {"lab_id": theatre.lab_id})
    assert sizes(theatre) == {FIRST.name: FIRST, SECOND.name: SECOND}


def test_a_start_that_got_lost_and_a_workflow_that_died_are_begun_again() -> None:
    theatre = a_ready_lab()
    theatre.world.fail("workflows.start", AwsUnavailable("lost"))
    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    theatre.later(minutes=2)
    assert theatre.ends[-1] == "Hibernated"


def test_a_lab_sent_to_sleep_without_a_word_says_so() -> None:
    theatre = a_ready_lab()

    def going(stored: Lab) -> Lab:
        moved = put_to_sleep(stored, theatre.world.clock.now(), "", theatre.world.deps.curfew.holidays)
        return replace(moved, hibernation=None, reason="idle since 18:40")

    lab = theatre.world.store.change_lab(theatre.lab_id, going)
    theatre.world.workflows.start("hibernate", execution_name(lab, "hibernate"), {"lab_id": lab.id})
    assert theatre.play() == "Hibernated"
    assert theatre.lab.hibernation is not None
    assert (theatre.lab.hibernation.reason, theatre.lab.reason) == ("idle since 18:40", None)
