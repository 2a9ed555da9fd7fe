"""Step Functions' own limits, which no emulator enforces: an execution's history, and enough time for all polling.

The bound is computed from the longest path through a machine: every loop polls up to its limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.domain.labs.polling import POLL_POLICIES, PollPolicy
from chalicelib.domain.labs.steps import STEPS
from chalicelib.workflows.night.run import LAST_LOOK
from tests.workflows.machine import definition

#: The maximum number of events in a standard execution (Step Functions' quota).
MOST_EVENTS = 25_000
#: Events of one poll: a Task has five (entered, scheduled, started, succeeded, exited), Choice and Wait have two each.
EVENTS_PER_LOOK = 9
#: Each retry adds three (failed, scheduled, started). This number of retries on every single poll is a bad day.
RETRIES_PER_LOOK = 2
REST = 200
#: The states of the curfew run that send its messages.
TELLING = ("Warn", "Finish")
#: Labs of one round, and the seconds for leaving one to the next run.
LABS, SECONDS_TO_LEAVE = 200, 3


def waits(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in machine["States"].values():
        if state["Type"] == "Wait":
            yield state
        for branch in state.get("Branches", []):
            yield from waits(branch)


def loops(workflow: str) -> list[PollPolicy]:
    """The polling limit of every waiting step, each once: polls are counted over all rounds of a run."""
    functions = {state["SecondsPath"].removeprefix("$.").partition(".")[0] for state in waits(definition(workflow))}
    steps = {STEPS[workflow][function][0] for function in functions & set(STEPS[workflow])}
    return [POLL_POLICIES[step] for step in sorted(steps & set(POLL_POLICIES))]


@pytest.mark.parametrize("workflow", STEPS)
def test_the_longest_way_has_fewer_events_than_a_history_holds(workflow: str) -> None:
    looks = sum(policy.max_attempts for policy in loops(workflow))
    assert looks * (EVENTS_PER_LOOK + 3 * RETRIES_PER_LOOK) + REST < MOST_EVENTS


@pytest.mark.parametrize("workflow", STEPS)
def test_a_machine_has_time_for_the_patience_of_all_its_steps(workflow: str) -> None:
    seconds = sum(policy.interval_seconds * policy.max_attempts for policy in loops(workflow))
    assert seconds < definition(workflow)["TimeoutSeconds"]


def hanging(state: dict[str, Any]) -> int:
    """The seconds until a Task fails that hangs each time."""
    retriers = [rule["MaxAttempts"] for rule in state.get("Retry", []) if "States.Timeout" in rule["ErrorEquals"]]
    return state.get("TimeoutSeconds", 0) * (1 + sum(retriers[:1]))


def test_a_run_in_which_every_step_hangs_still_has_the_time_to_tell_people() -> None:
    """No Catch sees the execution's own timeout. After LAST_LOOK no step calls AWS about labs: one may still hang, and the rest
    of its Map's items, and the places without orphans, take some seconds each.
    """
    document = definition("curfew")
    hangs = max(
        hanging(state) for state in tasks(document) if state not in (document["States"][name] for name in TELLING)
    )
    telling = sum(document["States"][name]["TimeoutSeconds"] for name in TELLING)
    left = LABS / document["States"]["ActOnEach"]["MaxConcurrency"] * SECONDS_TO_LEAVE
    assert LAST_LOOK.total_seconds() + hangs + left + telling < document["TimeoutSeconds"]


def tasks(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every Task, those inside Maps included."""
    for state in machine["States"].values():
        if state["Type"] == "Task":
            yield state
        elif inner := state.get("ItemProcessor"):
            yield from tasks(inner)
