"""A lab wakes: its node groups regain their sizes, its nodes are seen, people regain access; a failed wake-up leaves it asleep
with a reason.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.core.failure import HealthIssue, Responsible
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.curfew.messages import wake_failed
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, AwsUnavailable, StaleLab, StillInUse, Throttled
from chalicelib.domain.labs.aws_states import NodegroupState
from chalicelib.domain.labs.lab import NodegroupSize, Phase
from chalicelib.domain.labs.schedule import Schedule
from chalicelib.services.labs import hibernation
from chalicelib.workflows.shared.records import learn
from tests.examples import examples
from tests.fakes import a_caller, a_lab, a_nodegroup, a_spec
from tests.fakes.builders import OWNER
from tests.workflows.machine import LambdaDied
from tests.workflows.theatre import Theatre

FIRST, SECOND = NodegroupSize("myeks-nodegroup", 1, 2, 3), NodegroupSize("second", 0, 1, 4)


def a_ready_lab(schedule: Schedule | None = None) -> Theatre:
    theatre = Theatre()
    groups = (a_nodegroup(), a_nodegroup(name="second", desired=1, min=0, max=4))
    theatre.request(a_lab(spec=a_spec(nodegroups=groups, schedule=schedule or Schedule())))
    assert theatre.play() == "Ready"
    return theatre


def a_sleeping_lab(schedule: Schedule | None = None) -> Theatre:
    theatre = a_ready_lab(schedule)
    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    assert theatre.play() == "Hibernated"
    return theatre


def wake(theatre: Theatre) -> str:
    """Request the lab as a person does, and run the started workflow."""
    hibernation.wake_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    return theatre.play()


def states(theatre: Theatre) -> dict[str, NodegroupState]:
    return {name: record.state for name, record in theatre.world.clusters.clusters["myeks"].nodegroups.items()}


def sizes(theatre: Theatre) -> dict[str, NodegroupSize]:
    return {name: state.size for name, state in states(theatre).items()}


def set_nodegroup(theatre: Theatre, name: str, **changes: object) -> None:
    record = theatre.world.clusters.clusters["myeks"].nodegroups[name]
    record.state = replace(record.state, **changes)  # type: ignore[arg-type]  # fields of NodegroupState by name


def detail(theatre: Theatre, name: str) -> str:
    return next(step.detail for step in reversed(theatre.world.store.steps(theatre.lab_id)) if step.name == name)


def test_a_lab_wakes_as_it_fell_asleep() -> None:
    theatre = a_sleeping_lab()
    assert wake(theatre) == "Awake"
    lab = theatre.lab
    assert (lab.phase, lab.hibernation, lab.reason, lab.due_at) == (Phase.READY, None, None, lab.phase_since)
    assert sizes(theatre) == {FIRST.name: FIRST, SECOND.name: SECOND}
    assert len(theatre.world.account.of(Kind.INSTANCE)) == 3
    assert set(theatre.world.clusters.clusters["myeks"].entries) == {OWNER, theatre.world.kubernetes.view_role()}
    assert len(theatre.world.account.of(Kind.ACCESS_ENTRY)) == 2


def test_a_lab_sleeps_and_wakes_as_often_as_asked() -> None:
    theatre = a_sleeping_lab()
    for _ in range(3):
        assert wake(theatre) == "Awake"
        assert sizes(theatre) == {FIRST.name: FIRST, SECOND.name: SECOND}
        hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
        assert theatre.play() == "Hibernated"
    assert not theatre.world.account.of(Kind.INSTANCE)


def test_nodes_that_kubernetes_calls_ready_are_what_counts_where_it_can_be_asked() -> None:
    theatre = a_sleeping_lab()
    theatre.world.kubernetes.answers = True
    assert wake(theatre) == "Awake"
    assert detail(theatre, "verify_nodes") == "3 of 3 nodes say Ready."


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        (True, "The lab is awake. 3 of 3 nodes say Ready."),
        (False, "The lab is awake. 3 of 3 nodes run, and EKS finds no fault (Kubernetes can't be asked: {problem})."),
    ],
)
def test_row_20_what_is_said_of_nodes_is_what_was_seen_of_them(answers: bool, seen: str) -> None:
    """Issue 12, row 20: the lab reported "its nodes are Ready" though Kubernetes answered 401."""
    theatre = a_sleeping_lab()
    theatre.world.kubernetes.answers = answers
    assert wake(theatre) == "Awake"
    events = [event.message for event in theatre.world.store.events(theatre.lab_id, 100, None).items]
    problem = theatre.world.kubernetes.nodes(theatre.lab).problem
    assert events[-1] == seen.format(problem=problem)


def test_a_failed_waking_that_nobody_hears_of_says_so() -> None:
    theatre = a_sleeping_lab()
    theatre.world.curfew.reach.unreachable["learner"] = "Nobody has confirmed a subscription."
    theatre.world.kubernetes.answers, theatre.world.kubernetes.ready = True, {"second": 1}
    assert wake(theatre) == "GivenUp"
    theatre.told(wake_failed.KIND)
    assert "Nobody takes messages for learner: " in theatre.history()[-1]


def test_nodes_that_run_and_are_never_ready_leave_the_lab_asleep() -> None:
    theatre = a_sleeping_lab()
    theatre.world.kubernetes.answers, theatre.world.kubernetes.ready = True, {"second": 1}
    assert wake(theatre) == "GivenUp"
    assert theatre.lab.phase is Phase.HIBERNATED
    assert "myeks-nodegroup: 0 of 2 nodes are Ready" in str(theatre.lab.reason)


def test_a_lab_of_which_too_few_machines_come_sleeps_on_keeps_its_sizes_and_costs_no_nodes() -> None:
    theatre = a_sleeping_lab()
    theatre.world.clusters.capacity["myeks-nodegroup"] = 1
    before = theatre.lab.hibernation
    assert wake(theatre) == "GivenUp"
    lab = theatre.lab
    assert (lab.phase, lab.responsible, lab.due_at) == (Phase.HIBERNATED, Responsible.OURS, lab.phase_since)
    assert lab.hibernation == before
    assert "myeks-nodegroup: 1 of 2 nodes run" in str(lab.reason)
    assert OWNER not in theatre.world.clusters.clusters["myeks"].entries
    assert {state.desired for state in states(theatre).values()} == {0}
    theatre.world.clusters.capacity.clear()
    while any(state.status == "UPDATING" for state in states(theatre).values()):
        for name in states(theatre):
            theatre.world.clusters.nodegroup("myeks", name)
    assert not theatre.world.account.of(Kind.INSTANCE)
    assert wake(theatre) == "Awake"
    assert (theatre.lab.reason, sizes(theatre)) == (None, {FIRST.name: FIRST, SECOND.name: SECOND})


def test_what_eks_says_of_the_nodes_is_the_reason() -> None:
    theatre = a_sleeping_lab()
    issue = HealthIssue("NodeCreationFailure", "Instances failed to join the kubernetes cluster", ())

    def joins_not(function: str) -> None:
        if function == "verify_nodes":
            set_nodegroup(theatre, "second", status="DEGRADED", issues=(issue,))

    theatre.before = joins_not
    assert wake(theatre) == "GivenUp"
    assert "did not join" in str(theatre.lab.reason)
    assert theatre.lab.responsible is Responsible.YOURS


def test_a_node_group_that_was_degraded_and_has_no_nodes_to_have_keeps_nobody_from_waking() -> None:
    theatre = a_ready_lab()
    issue = HealthIssue("AsgInstanceLaunchFailures", "no capacity", ())
    set_nodegroup(theatre, "second", min=0, desired=0, status="DEGRADED", issues=(issue,))
    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    assert theatre.play() == "Hibernated"
    assert wake(theatre) == "Awake"


def test_nodes_that_somebody_brought_meanwhile_are_left_as_they_are() -> None:
    theatre = a_sleeping_lab()
    theatre.world.clusters.resize_nodegroup("myeks", NodegroupSize("second", 1, 4, 4), "by hand")
    assert wake(theatre) == "Awake"
    assert sizes(theatre) == {FIRST.name: FIRST, "second": NodegroupSize("second", 1, 4, 4)}


def test_a_node_group_deleted_meanwhile_is_not_waited_for() -> None:
    theatre = a_sleeping_lab()
    del theatre.world.clusters.clusters["myeks"].nodegroups["second"]
    assert wake(theatre) == "Awake"
    assert sizes(theatre) == {FIRST.name: FIRST}


def test_another_update_under_way_is_waited_for() -> None:
    theatre = a_sleeping_lab()
    theatre.world.fail(
        "resize_nodegroup", StillInUse("UpdateNodegroupConfig", "ResourceInUseException", "busy"), times=9
    )
    assert wake(theatre) == "Awake"


def test_a_control_plane_under_change_is_waited_for() -> None:
    theatre = a_sleeping_lab()
    record = theatre.world.clusters.clusters["myeks"]
    record.state, record.left = replace(record.state, status="UPDATING"), 5
    assert wake(theatre) == "Awake"


def test_who_cannot_be_let_in_again_is_told_and_keeps_nobody_else_out() -> None:
    theatre = a_sleeping_lab()
    theatre.world.fail(
        "grant_access", AwsRefused("CreateAccessEntry", "InvalidParameterException", "no such principal")
    )
    assert wake(theatre) == "Awake"
    assert theatre.lab.reason == f"Not let in again: {OWNER}: no such principal."


def test_a_lab_made_before_this_service_looked_in_is_looked_into_once_it_wakes() -> None:
    theatre = a_sleeping_lab()
    learn(theatre.world.deps, theatre.lab, view_role_arn=None)
    assert wake(theatre) == "Awake"
    role = theatre.world.kubernetes.view_role()
    assert theatre.lab.facts.view_role_arn == role
    assert role in theatre.world.clusters.clusters["myeks"].entries


def test_a_cluster_that_is_gone_is_not_woken_but_left_to_the_sweep() -> None:
    theatre = a_sleeping_lab()
    del theatre.world.clusters.clusters["myeks"]
    assert wake(theatre) == "GivenUp"
    assert (theatre.lab.phase, theatre.lab.hibernation) == (Phase.READY, None)


def test_after_a_failed_wake_it_is_the_next_morning_that_wakes_it() -> None:
    theatre = a_sleeping_lab(Schedule("Asia/Seoul", wake=time(8)))
    theatre.world.clusters.capacity["second"] = 0
    theatre.world.clock.advance(hours=13)
    assert wake(theatre) == "GivenUp"
    assert theatre.lab.hibernation is not None
    assert theatre.lab.hibernation.wake_at == datetime(2026, 11, 24, 23, tzinfo=UTC)


def test_who_comes_to_a_lab_that_did_not_wake_has_a_mail_that_says_why_and_what_next() -> None:
    theatre = a_sleeping_lab(Schedule("Asia/Seoul", wake=time(8)))
    theatre.world.clusters.capacity["second"] = 0
    assert wake(theatre) == "GivenUp"
    [message] = theatre.told(wake_failed.KIND)
    assert (message.kind, message.recipient) == ("wake-failed", OWNER.rpartition("/")[2])
    body = " ".join(message.body.split())
    assert "second: 0 of 1 nodes run" in body
    assert "We try again on Tue 24 Nov 08:00 (Asia/Seoul)" in body
    assert f"ekslab wake {theatre.lab_id}" in body


def test_a_lab_without_a_cluster_is_not_offered_to_be_woken() -> None:
    theatre = a_sleeping_lab()
    del theatre.world.clusters.clusters["myeks"]
    assert wake(theatre) == "GivenUp"
    [message] = theatre.told(wake_failed.KIND)
    assert "there was no cluster of it to wake" in " ".join(message.body.split())
    assert "ekslab wake" not in message.body


def test_a_lab_of_which_nothing_was_put_to_sleep_and_that_cannot_be_woken_is_ready() -> None:
    theatre = a_ready_lab()
    theatre.world.fail("clusters.describe", AccessDenied("eks:DescribeCluster", "AccessDeniedException", "no"), times=2)

    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    assert theatre.play() == "GivenUp"
    assert (theatre.lab.phase, theatre.lab.hibernation) == (Phase.READY, None)
    assert "may not do" in str(theatre.lab.reason)


def test_a_mail_that_cannot_be_sent_fails_no_wake_and_is_sent_later() -> None:
    theatre = a_sleeping_lab()
    theatre.world.clusters.capacity["second"] = 0
    assert wake(theatre) == "GivenUp"
    assert theatre.lab.phase is Phase.HIBERNATED
    theatre.world.fail("send", AwsUnavailable("no answer"))
    assert theatre.told(wake_failed.KIND) == []
    theatre.world.clock.advance(minutes=5)
    assert len(theatre.told(wake_failed.KIND)) == 1


def test_nobody_hears_that_a_lab_did_not_wake_once_it_is_awake() -> None:
    theatre = a_sleeping_lab()
    theatre.world.clusters.capacity["second"] = 0
    assert wake(theatre) == "GivenUp"
    theatre.world.clusters.capacity.clear()
    assert wake(theatre) == "Awake"
    assert theatre.told(wake_failed.KIND) == []
    assert theatre.world.posts.waiting().posts == ()


@pytest.mark.parametrize("function", ["begin", "restore_nodegroups", "verify_nodes", "grant_access", "finish"])
def test_a_lab_released_while_it_wakes_is_torn_down(function: str) -> None:
    theatre = a_sleeping_lab()

    def releases(step: str) -> None:
        if step == function and theatre.lab.phase is Phase.WAKING:
            theatre.release()

    theatre.before = releases
    assert wake(theatre) == "Gone"
    assert theatre.world.account.resources == {}


def test_a_sleeping_lab_can_be_torn_down() -> None:
    theatre = a_sleeping_lab()
    theatre.release()
    assert theatre.play() == "Gone"
    assert theatre.world.account.resources == {}


def test_waking_that_dies_again_and_again_leaves_the_lab_asleep_with_its_sizes() -> None:
    theatre = a_sleeping_lab()

    def dies(function: str) -> None:
        raise LambdaDied

    theatre.before = dies
    wake(theatre)
    for _ in range(40):
        theatre.later(minutes=6)
    assert theatre.lab.phase is Phase.HIBERNATED
    assert "not come to an end in 3 hours" in str(theatre.lab.reason)
    assert theatre.lab.hibernation is not None
    assert theatre.lab.hibernation.sizes == (FIRST, SECOND)


def test_going_to_sleep_that_dies_again_and_again_is_woken_instead() -> None:
    theatre = a_ready_lab()

    def dies(function: str) -> None:
        if theatre.lab.phase is Phase.HIBERNATING:
            raise LambdaDied

    theatre.before = dies
    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    theatre.play()
    for _ in range(40):
        theatre.later(minutes=6)
    assert theatre.lab.phase is Phase.READY
    assert "Going to sleep has not come to an end" in str(theatre.lab.reason)
    assert sizes(theatre) == {FIRST.name: FIRST, SECOND.name: SECOND}


OPERATIONS = (
    "resize_nodegroup", "nodegroup", "nodegroups", "clusters.describe", "nodegroup_update_state", "grant_access",
    "revoke_access", "running_nodes", "workflows.start", "execution", "load_lab", "change_lab", "record_step", "add_event",
    "record", "ledger",
)  # fmt: skip
trouble = st.tuples(
    st.sampled_from(OPERATIONS),
    st.sampled_from([AwsUnavailable("no answer"), Throttled("slow down"), StaleLab("someone was faster")]),
    st.booleans(),
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    troubles=st.lists(trouble, max_size=8),
    deaths=st.sets(st.tuples(st.integers(0, 25), st.booleans()), max_size=8),
    capacity=st.integers(0, 3),
)
def test_whatever_dies_or_gets_lost_no_size_is_ever_forgotten(
    troubles: list[tuple[str, Exception, bool]], deaths: set[tuple[int, bool]], capacity: int
) -> None:
    theatre, count = a_ready_lab(), 0

    def before(function: str) -> None:
        nonlocal count
        count += 1
        if (count, False) in deaths:
            raise LambdaDied

    def after_it(function: str) -> None:
        if (count, True) in deaths:
            raise LambdaDied

    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    theatre.before, theatre.after = before, after_it
    theatre.world.clusters.capacity["myeks-nodegroup"] = capacity
    for operation, error, after in troubles:
        theatre.world.fail(operation, error, after=after)
    theatre.play()
    for _ in range(12):
        theatre.later(minutes=20)
    theatre.world.account.troubles.clear()
    theatre.world.clusters.capacity.clear()
    theatre.before = theatre.after = lambda function: None
    theatre.later(minutes=20)
    assert theatre.lab.phase in (Phase.HIBERNATED, Phase.READY), theatre.lab.reason
    if theatre.lab.phase is Phase.HIBERNATED:
        assert wake(theatre) == "Awake"
    assert (theatre.lab.phase, theatre.lab.hibernation) == (Phase.READY, None)
    assert sizes(theatre) == {FIRST.name: FIRST, SECOND.name: SECOND}
    assert OWNER in theatre.world.clusters.clusters["myeks"].entries
