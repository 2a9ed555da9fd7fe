"""Executions and Lambdas that die: found at the next five-minute run, without loss of proofs or work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import AccessDenied
from chalicelib.domain.labs.lab import OVER, RESTING, Lab, Phase
from chalicelib.domain.labs.recovery import BLOCKED_FOR
from chalicelib.domain.labs.steps import STEPS, Step, StepStatus, execution_name
from chalicelib.workflows import schedules
from tests.fakes import a_lab, a_spec
from tests.fakes.builders import in_phase
from tests.workflows.machine import LambdaDied
from tests.workflows.test_retries import ready_for
from tests.workflows.theatre import Theatre


@pytest.mark.parametrize("workflow", ["update", "wake"])
def test_a_dead_execution_is_found_at_the_next_run_and_its_work_is_done_anew(workflow: str) -> None:
    theatre = ready_for(workflow)
    name = execution_name(theatre.lab, workflow)
    theatre.world.store.change_lab(theatre.lab_id, lambda lab: replace(lab, due_at=theatre.world.clock.now()))
    theatre.world.workflows.end(name)
    theatre._played = len(theatre.world.workflows.started)
    theatre.later(minutes=6)
    assert theatre.lab.phase is Phase.READY
    assert theatre.lab.reason is None
    assert name not in [started for _, started, _ in theatre.world.workflows.started][theatre._played :]


def test_a_lab_that_is_proved_empty_is_deleted_though_the_last_step_dies() -> None:
    theatre = ready_for("provision")
    theatre.play()
    died: list[str] = []

    def dies_at_the_end(function: str) -> None:
        if function == "finish" and len(died) < 30:
            died.append(function)
            raise LambdaDied

    theatre.before = dies_at_the_end
    theatre.release()
    theatre.play()
    assert died
    assert theatre.lab.phase is Phase.DELETED
    assert theatre.world.store.receipts(theatre.lab_id)[-1].clean


def blocked() -> Theatre:
    theatre = ready_for("provision")
    theatre.play()
    refusal = AccessDenied("eks:DeleteCluster", "AccessDeniedException", "with an explicit deny")
    theatre.world.fail("clusters.delete", refusal, times=40)
    theatre.release()
    theatre.play()
    assert theatre.lab.phase is Phase.BLOCKED
    return theatre


def test_a_blocked_lab_is_tried_again_when_its_cause_may_have_passed() -> None:
    theatre = blocked()
    theatre.later(minutes=30)
    assert theatre.lab.phase is Phase.BLOCKED
    theatre.world.account.troubles.clear()
    theatre.later(hours=BLOCKED_FOR.total_seconds() / 3600)
    assert theatre.lab.phase is Phase.DELETED
    assert theatre.world.account.resources == {}


def test_a_blocked_lab_is_not_tried_for_ever() -> None:
    theatre = blocked()
    theatre.world.clock.advance(days=40)
    before = len(theatre.world.workflows.started)
    schedules.recover_labs(theatre.world.deps)
    assert len(theatre.world.workflows.started) == before


def test_no_step_stays_running_when_a_workflow_gives_up() -> None:
    theatre = ready_for("update")

    def dies(function: str) -> None:
        if function == "check_nodegroups":
            raise LambdaDied

    theatre.before = dies
    theatre.play()
    theatre.world.clock.advance(hours=1)
    assert theatre.lab.phase is Phase.READY
    assert all(step.status is not StepStatus.RUNNING for step in theatre.world.store.steps(theatre.lab_id))


#: Steps that run only when this function dies repeatedly.
LEADS_TO = {
    ("provision", "roll_back"): "create_stack",
    ("update", "give_up"): "scale_nodegroups",
    ("wake", "give_up"): "restore_nodegroups",
}
VISIBLE = [(workflow, function) for workflow, steps in STEPS.items() for function in steps]


def at_its_beginning(workflow: str) -> Theatre:
    """A lab at the start of `workflow`; for the later check, one that is being deleted."""
    if workflow in ("provision", "update", "wake"):
        return ready_for(workflow)
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(log_types=("api",))))
    theatre.play()
    if workflow == "hibernate":
        lab = theatre.world.store.change_lab(
            theatre.lab_id,
            lambda stored: in_phase(replace(stored, run=stored.run + 1), Phase.HIBERNATING, theatre.world.clock.now()),
        )
        theatre.world.workflows.start("hibernate", execution_name(lab, "hibernate"), {"lab_id": lab.id})
    else:
        theatre.release()
    return theatre


@pytest.mark.parametrize(("workflow", "function"), VISIBLE)
def test_no_step_that_dies_half_way_is_told_as_running_for_ever(workflow: str, function: str) -> None:
    """After any Catch: when no execution works on the lab, no step is recorded as running."""
    theatre, deaths = at_its_beginning(workflow), 0

    def dies_half_way(called: str) -> None:
        nonlocal deaths
        if called == LEADS_TO.get((workflow, function)):
            raise LambdaDied
        if called == function and deaths < 20:
            deaths += 1
            name, title = STEPS[workflow][function]
            now, store = theatre.world.clock.now(), theatre.world.store
            half_done = Step(workflow, name, title, StepStatus.RUNNING, started_at=now, run=theatre.lab.run)
            store.record_step(theatre.lab_id, half_done)
            raise LambdaDied

    theatre.before = dies_half_way
    theatre.play()
    if workflow == "verify_deletion":
        theatre.world.clock.advance(minutes=2)
        theatre.world.account.add(Kind.LOG_GROUP, "/aws/eks/myeks/cluster")
    for minutes in (14, 60, 60 * 24, 60 * 24):
        theatre.later(minutes=minutes)
    assert deaths
    assert theatre.lab.phase in RESTING | OVER | {Phase.BLOCKED}
    assert [step for step in theatre.world.store.steps(theatre.lab_id) if step.status is StepStatus.RUNNING] == []


def test_a_dead_change_is_given_up_in_the_end() -> None:
    theatre = ready_for("update")
    theatre.world.workflows.end(execution_name(theatre.lab, "update"))
    theatre._played = len(theatre.world.workflows.started)

    def due(lab: Lab) -> Lab:
        return replace(lab, due_at=theatre.world.clock.now(), phase_since=lab.phase_since - timedelta(hours=3))

    theatre.world.store.change_lab(theatre.lab_id, due)
    theatre.later(minutes=6)
    assert (theatre.lab.phase, theatre.lab.change) == (Phase.READY, None)
