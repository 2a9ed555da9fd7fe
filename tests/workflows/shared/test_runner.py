"""The log lines of a workflow's steps: each names its origin, from the request to the step."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.labs.lab import Phase
from chalicelib.logs import logger
from chalicelib.workflows import provision, teardown, watch_support
from chalicelib.workflows.shared.runner import run_step, run_watch_step
from tests.fakes import FakeWorld, make_deps
from tests.fakes.builders import a_lab


@pytest.fixture
def world() -> FakeWorld:
    world = make_deps()
    lab = replace(a_lab(), id="lab-1", run=2, phase=Phase.REQUESTED)
    world.store.create_lab(lab, None, "", world.clock.now())
    return world


EVENT = {"lab_id": "lab-1", "execution": "lab-1-2-provision", "started_with": {"lab_id": "lab-1", "request_id": "r-7"}}
OF_THE_STEP = {
    "correlation_id": "r-7",
    "lab_id": "lab-1",
    "workflow": "provision",
    "step": "begin",
    "execution": "lab-1-2-provision",
}


def read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_every_line_of_a_step_says_whose_doing_it_is(world: FakeWorld, lines: io.StringIO) -> None:
    def begin_and_tell(deps: Any, at: Any) -> Any:
        logger.info("Something in between.")
        return provision.begin(deps, at)

    begin_and_tell.__module__, begin_and_tell.__name__ = provision.__name__, "begin"
    run_step(world.deps, begin_and_tell, EVENT)
    between, done = read(lines)
    assert between.items() >= {**OF_THE_STEP, "run": 2, "message": "Something in between."}.items()
    assert done.items() >= {**OF_THE_STEP, "run": 2, "message": "A step was run.", "outcome": "done"}.items()


def test_a_step_that_fails_says_how_under_the_same_ids(world: FakeWorld, lines: io.StringIO) -> None:
    world.fail("store.load_lab", AwsUnavailable("dynamodb:GetItem: no answer"))
    with pytest.raises(AwsUnavailable):
        run_step(world.deps, provision.begin, EVENT)
    [line] = read(lines)
    assert line.items() >= {**OF_THE_STEP, "level": "WARNING", "error": "AwsUnavailable"}.items()


def test_a_superseded_step_is_no_fault(world: FakeWorld, lines: io.StringIO) -> None:
    with pytest.raises(Exception, match="may not act"):
        run_step(world.deps, teardown.begin, EVENT)
    [line] = read(lines)
    assert (line["level"], line["message"], line["workflow"]) == ("INFO", "A step was superseded.", "teardown")


def test_a_defect_is_logged_with_its_traceback(world: FakeWorld, lines: io.StringIO) -> None:
    def broken(deps: Any, at: Any) -> Any:
        raise ZeroDivisionError

    broken.__module__ = provision.__name__
    with pytest.raises(ZeroDivisionError):
        run_step(world.deps, broken, EVENT)
    [line] = read(lines)
    assert (line["level"], line["error"], line["lab_id"]) == ("ERROR", "ZeroDivisionError", "lab-1")
    assert "Traceback" in line["exception"]


def test_nothing_of_a_step_is_left_for_the_next_invocation(world: FakeWorld, lines: io.StringIO) -> None:
    run_step(world.deps, provision.begin, EVENT)
    logger.info("The next one.")
    assert not {*OF_THE_STEP, "run"} & set(read(lines)[-1])


def test_an_execution_that_began_before_there_were_ids_goes_on(world: FakeWorld, lines: io.StringIO) -> None:
    assert run_step(world.deps, provision.begin, {"lab_id": "lab-1"})["outcome"] == "done"
    assert read(lines)[-1]["lab_id"] == "lab-1"


def test_a_scheduled_step_says_which_run_it_is_of(world: FakeWorld, lines: io.StringIO) -> None:
    began = {"time": "2026-11-23T09:00:00+00:00", "request_id": "event-1"}
    event = {"time": began["time"], "cursor": None, "execution": "watch-2026-11-23", "started_with": began}
    run_watch_step(world.deps, watch_support.begin, event)
    [line] = read(lines)
    message = {
        "correlation_id": "event-1",
        "workflow": "watch_support",
        "step": "begin",
        "execution": "watch-2026-11-23",
    }
    assert line.items() >= {**message, "outcome": "done"}.items()
