"""Step Functions' own limits, which no emulator has: the history of an execution, and that time suffices for all patience.

The bound is worked out from the longest way through a machine: every loop looks as often as its patience allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.domain.labs.polling import POLL_POLICIES, PollPolicy
from chalicelib.domain.labs.steps import STEPS
from tests.workflows.machine import definition

#: A standard execution ends with an error when it has so many events (Step Functions' quota).
MOST_EVENTS = 25_000
#: Events of one look: a Task has five (entered, scheduled, started, succeeded, exited), Choice and Wait have two each.
EVENTS_PER_LOOK = 9
#: Each retry adds three (failed, scheduled, started). So many retries on every single look are a bad day.
RETRIES_PER_LOOK = 2
REST = 200


def waits(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in machine["States"].values():
        if state["Type"] == "Wait":
            yield state
        for branch in state.get("Branches", []):
            yield from waits(branch)


def loops(workflow: str) -> list[PollPolicy]:
    """The patience of every step that is waited for, each once: looks are counted over all rounds of a run."""
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
