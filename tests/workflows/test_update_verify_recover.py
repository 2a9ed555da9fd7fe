"""Changing a ready lab, checking an ended one again, and the schedule that repairs missed work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, AwsUnavailable, StillInUse
from chalicelib.domain.labs.lab import Change, Lab, Phase
from chalicelib.domain.labs.spec import EndpointAccess
from chalicelib.domain.labs.steps import execution_name
from chalicelib.workflows import schedules
from tests.fakes import a_lab, a_nodegroup, a_spec
from tests.fakes.builders import in_phase
from tests.workflows.machine import LambdaDied
from tests.workflows.theatre import Theatre


def changing(theatre: Theatre, change: Change) -> str:
    """Request a change as the API does, and run it."""

    def updating(lab):  # type: ignore[no-untyped-def]  # a Lab in, a Lab out
        moved = in_phase(lab, Phase.UPDATING, theatre.world.clock.now())
        return replace(moved, change=change, run=lab.run + 1)

    lab = theatre.world.deps.store.change_lab(theatre.lab_id, updating)
    theatre.world.deps.workflows.start("update", execution_name(lab, "update"), {"lab_id": lab.id})
    return theatre.play()


@pytest.fixture
def ready() -> Theatre:
    theatre = Theatre()
    theatre.request()
    theatre.play()
    return theatre


def test_endpoint_and_nodes_are_changed_and_the_spec_says_so(ready: Theatre) -> None:
    assert changing(ready, Change("private", None, {"myeks-nodegroup": 5})) == "Changed"
    lab, cluster = ready.lab, ready.world.clusters.clusters["myeks"]
    assert (lab.phase, lab.change, lab.due_at) == (Phase.READY, None, lab.phase_since)
    assert lab.spec.endpoint.access is EndpointAccess.PRIVATE
    assert (lab.spec.nodegroups[0].desired, lab.spec.nodegroups[0].max) == (5, 5)
    assert not cluster.state.public_access
    assert cluster.nodegroups["myeks-nodegroup"].state.desired == 5


def test_a_change_that_is_already_so_is_no_update(ready: Theatre) -> None:
    assert changing(ready, Change("public", None, {"myeks-nodegroup": 2})) == "Changed"
    assert ready.world.clusters.clusters["myeks"].updates == {}


def test_a_change_that_fails_leaves_the_lab_ready_with_the_reason(ready: Theatre) -> None:
    ready.world.clusters.failing_updates.append("InsufficientFreeAddresses: no room")
    assert changing(ready, Change("private", None, {"myeks-nodegroup": 3})) == "GivenUp"
    assert ready.lab.phase is Phase.READY
    assert ready.lab.spec.endpoint.access is EndpointAccess.PUBLIC
    assert "free addresses" in str(ready.lab.reason)
    assert ready.lab.due_at == ready.lab.phase_since


def nodes_said_and_had(theatre: Theatre) -> tuple[dict[str, int], dict[str, int]]:
    groups = theatre.world.clusters.clusters["myeks"].nodegroups
    said = {group.name: group.desired for group in theatre.lab.spec.nodegroups}
    return said, {name: record.state.desired for name, record in groups.items()}


@pytest.fixture
def two_groups() -> Theatre:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(nodegroups=(a_nodegroup(name="first"), a_nodegroup(name="second")))))
    theatre.play()
    return theatre


def test_of_two_counts_the_one_that_is_changed_is_recorded_though_the_other_fails(two_groups: Theatre) -> None:
    two_groups.world.clusters.failing_updates.append("InsufficientFreeAddresses: no room")
    assert changing(two_groups, Change(nodes={"first": 5, "second": 0})) == "GivenUp"
    assert nodes_said_and_had(two_groups) == ({"first": 2, "second": 0},) * 2
    assert "free addresses" in str(two_groups.lab.reason)


def test_of_two_counts_the_one_that_is_changed_is_recorded_though_the_other_is_refused(two_groups: Theatre) -> None:
    two_groups.world.clusters.clusters["myeks"].nodegroups.pop("second")
    assert changing(two_groups, Change(nodes={"first": 5, "second": 0})) == "GivenUp"
    said, had = nodes_said_and_had(two_groups)
    assert (said["first"], had["first"]) == (5, 5)
    assert "perhaps it was deleted" in str(two_groups.lab.reason)


def test_a_count_that_is_refused_alone_is_told_at_once(two_groups: Theatre) -> None:
    refusal = AwsRefused("eks:UpdateNodegroupConfig", "InvalidParameterException", "desired is beyond what may be")
    two_groups.world.fail("scale_nodegroup", refusal)
    assert changing(two_groups, Change(nodes={"first": 5})) == "GivenUp"
    assert nodes_said_and_had(two_groups) == ({"first": 2, "second": 2},) * 2
    assert "desired is beyond what may be" in str(two_groups.lab.reason)


def test_another_update_under_way_is_waited_for(ready: Theatre) -> None:
    ready.world.fail("update_endpoint", StillInUse("UpdateClusterConfig", "ResourceInUseException", "busy"), times=3)
    assert changing(ready, Change("private")) == "Changed"


def test_another_update_that_does_not_end_is_told_as_what_it_is(ready: Theatre) -> None:
    ready.world.fail("update_endpoint", StillInUse("UpdateClusterConfig", "ResourceInUseException", "busy"), times=99)
    assert changing(ready, Change("private")) == "GivenUp"
    assert (ready.lab.phase, ready.lab.responsible) == (Phase.READY, Responsible.OURS)
    assert ready.lab.reason == "Another change of the same thing was under way. Try again in a while."


def test_one_change_follows_on_another(ready: Theatre) -> None:
    for access in ("private", "public", "public-and-private"):
        assert changing(ready, Change(access, None, {"myeks-nodegroup": len(access) % 5})) == "Changed"
        assert ready.lab.spec.endpoint.access == access


def test_a_lab_released_while_it_changes_is_torn_down(ready: Theatre) -> None:
    def before(function: str) -> None:
        if function == "check_endpoint" and ready.lab.phase is Phase.UPDATING:
            ready.release()

    ready.before = before
    assert changing(ready, Change("private")) == "Gone"
    assert ready.world.account.resources == {}


def test_a_log_group_that_comes_back_is_removed_at_the_next_look() -> None:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(log_types=("api",))))
    theatre.play()
    theatre.release()
    theatre.play()
    theatre.world.clock.advance(minutes=2)
    theatre.world.account.add(Kind.LOG_GROUP, "/aws/eks/myeks/cluster")
    theatre.later(minutes=14)
    assert theatre.ends[-1] == "Looked"
    assert theatre.world.account.resources == {}
    receipts = theatre.world.store.receipts(theatre.lab_id)
    assert [receipt.clean for receipt in receipts] == [True, True]
    text = [line.reason for receipt in receipts for line in receipt.lines if line.kind == "log-group"]
    assert text == ["It is not there.", "It came back, and was deleted again."]


def test_with_the_last_look_the_records_begin_to_age_and_not_before() -> None:
    """Issue 11, row 13: stored data about people never expired."""
    theatre = Theatre()
    theatre.request()
    theatre.play()
    theatre.release()
    theatre.play()
    theatre.later(minutes=16)
    assert theatre.world.store.expiries == {}
    theatre.later(hours=24)
    ended_at, days = theatre.lab.ended_at, theatre.world.deps.limits.retention_days
    assert ended_at is not None
    assert theatre.world.store.expiries == {theatre.lab_id: ended_at + timedelta(days=days)}


def test_what_comes_back_and_will_not_go_blocks_the_lab() -> None:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(log_types=("api",))))
    theatre.play()
    theatre.release()
    theatre.play()
    group = theatre.world.account.add(Kind.LOG_GROUP, "/aws/eks/myeks/cluster")
    theatre.world.account.forbid(group)
    theatre.later(minutes=16)
    assert theatre.lab.phase is Phase.BLOCKED
    assert group.arn in str(theatre.lab.reason)
    theatre.world.account.forbidden.clear()
    theatre.release()
    assert theatre.play() == "Gone"


def test_a_start_that_got_lost_is_found_and_never_made_twice() -> None:
    theatre = Theatre()
    theatre.world.fail("workflows.start", AwsUnavailable("lost"))
    with pytest.raises(AwsUnavailable):
        theatre.request()
    theatre.later(minutes=2)
    assert theatre.ends == ["Ready"]
    schedules.recover_labs(theatre.world.deps)
    assert len(theatre.world.workflows.started) == 1


def test_a_workflow_that_died_is_rolled_back_with_a_reason() -> None:
    theatre = Theatre()

    def dies(function: str) -> None:
        if theatre.lab.phase is Phase.PROVISIONING:
            raise LambdaDied

    theatre.before = dies
    theatre.request()
    theatre.play()
    assert theatre.ends == ["RollBackLost"]
    for _ in range(11):
        theatre.later(minutes=6)
    assert theatre.lab.phase is Phase.FAILED
    assert "died" in str(theatre.lab.reason)
    assert theatre.world.account.resources == {}


def test_a_part_of_the_run_that_cannot_be_read_costs_the_others_nothing() -> None:
    theatre = Theatre()
    lab = theatre.request()
    theatre.play()
    lose_the_start_of_the_end(theatre, lab.id)
    for part in ("blocked", "all_labs", "to_invite", "offers"):
        theatre.world.fail(part, AccessDenied("dynamodb:Query", "AccessDeniedException", "not authorized"), times=9)
    report = schedules.recover_labs(theatre.world.deps)
    assert [entry["act"] for entry in report["done"]] == ["restart"]
    assert [entry["error"] for entry in report["failed"]] == ["AccessDenied"] * 4
    assert theatre.world.store.run_table["recover_labs"].outcome == "stuck"


def lose_the_start_of_the_end(theatre: Theatre, lab_id: str) -> None:
    """End a lab as the API does, and lose the start of its teardown."""

    def releasing(lab: Lab) -> Lab:
        now = theatre.world.clock.now()
        return replace(in_phase(lab, Phase.RELEASING, now), run=lab.run + 1, due_at=now)

    theatre.world.store.change_lab(lab_id, releasing)


def test_one_bad_lab_does_not_stop_the_rest() -> None:
    theatre = Theatre()
    first = theatre.request()
    second = theatre.request(a_lab(id="lab-second", spec=a_spec(name="other")))
    theatre.play()
    for lab in (first, second):
        lose_the_start_of_the_end(theatre, lab.id)
    theatre.world.fail("workflows.start", AwsUnavailable("not now"))
    report = schedules.recover_labs(theatre.world.deps)
    assert len(report["failed"]) == 1
    assert [entry["act"] for entry in report["done"]] == ["restart"]
    for _ in range(3):
        theatre.later(minutes=6)
    phases = {theatre.world.store.load_lab(lab.id).phase for lab in (first, second)}
    assert phases == {Phase.DELETED}


def test_the_events_time_is_what_the_schedule_goes_by(ready: Theatre) -> None:
    lose_the_start_of_the_end(ready, ready.lab_id)
    assert schedules.recover_labs(ready.world.deps, "2026-11-23T09:00:00Z")["done"] == []
    report = schedules.recover_labs(ready.world.deps, "2026-11-25T12:00:00Z")
    assert [entry["act"] for entry in report["done"]] == ["block"]
    assert ready.lab.phase is Phase.BLOCKED
    assert ready.lab.due_at is None


@pytest.mark.parametrize("phase", ["ready", "hibernated"])
def test_a_lab_that_rests_is_handed_over_to_the_sweep(phase: str) -> None:
    """An earlier item, or a lab whose workflow ends at this very moment: the five-minute run's list still has it."""
    theatre = Theatre()
    theatre.world.store.put(a_lab(phase="updating"))
    theatre.lab_id = a_lab().id
    theatre.world.clock.advance(hours=9)
    theatre.world.account.hooks["labs_due"] = lambda: theatre.world.store.put(a_lab(phase=phase))
    schedules.recover_labs(theatre.world.deps)
    assert (theatre.lab.phase, theatre.lab.due_at) == (Phase(phase), theatre.world.clock.now())
    assert theatre.world.workflows.started == []


def test_the_end_of_a_lease_is_left_to_the_sweep(ready: Theatre) -> None:
    ready.later(hours=9)
    assert ready.lab.phase is Phase.READY
    assert ready.ends == ["Ready"]


def history_of(theatre: Theatre) -> list[str]:
    return [event.message for event in theatre.world.store.events(theatre.lab_id, 1000, None).items]


def test_history_tells_a_step_that_is_not_part_of_the_change_once(ready: Theatre) -> None:
    changing(ready, Change("private"))
    assert history_of(ready).count("Node count: Not part of the change.") == 1


def test_history_tells_a_refusal_that_is_met_again_and_again_once(ready: Theatre) -> None:
    denied = AccessDenied("eks:DeleteCluster", "AccessDeniedException", "no")
    ready.world.fail("clusters.delete", denied, times=100_000)
    ready.release()
    assert ready.play() == "Blocked"
    text = [line for line in history_of(ready) if line.startswith("Control plane: ") and "may not do" in line]
    assert len(text) == 1
