"""The retry predicates of tools that use AWS (tests/data/aws/retries.json): each answer is classified as they do it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.clients.errors import domain_error
from chalicelib.domain.errors.patience import Waited, pause_for
from chalicelib.domain.errors.tree import (
    AlreadyExists,
    AwsUnavailable,
    EkslabError,
    ResourceGone,
    StillInUse,
    Throttled,
    Transient,
)
from tests.paths import PROJECT

ROWS: list[dict[str, str]] = json.loads((PROJECT / "tests/data/aws/retries.json").read_text())
NAMES = [f"{row['workflow']} {row['operation']} {row['code']} {row['message'][:24]}" for row in ROWS]


def as_raised(row: dict[str, str]) -> EkslabError:
    """The adapter's error for the answer; an update in progress is the step's own case of Transient."""
    answer: Any = {"Error": {"Code": row["code"], "Message": row["message"]}}
    error = domain_error(row["operation"], ClientError(answer, "Operation"))
    being_updated = isinstance(error, StillInUse) and row["operation"].startswith("eks:Update")
    return Transient(str(error)) if being_updated else error


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_an_answer_is_read_as_the_tools_that_met_aws_read_it(row: dict[str, str]) -> None:
    error = as_raised(row)
    pause = pause_for(error, row["workflow"], "lab-1", Waited())
    match row["do"]:
        case "wait":
            assert pause is not None
            assert pause_for(error, row["workflow"], "lab-1", Waited(100_000, pause.why)) is None, "believed in the end"
        case "throttled":
            assert isinstance(error, Throttled)
            assert pause_for(error, row["workflow"], "lab-1", Waited(100_000)) is not None, "never an end by itself"
        case "gone":
            assert isinstance(error, ResourceGone)
        case "in-use":
            assert isinstance(error, StillInUse)
        case "exists":
            assert isinstance(error, AlreadyExists)
        case _:
            assert pause is None


def test_fifty_throttled_labs_do_not_ask_again_in_the_same_moment() -> None:
    pauses = [pause_for(Throttled("slower"), "provision", f"lab-{n}", Waited(240)) for n in range(50)]
    assert len({pause.seconds for pause in pauses if pause}) > 20
    assert all(pause and 120 <= pause.seconds < 240 for pause in pauses)


def test_a_fault_of_awss_is_waited_out_for_more_than_half_an_hour() -> None:
    error = AwsUnavailable("eks:DescribeCluster: 503")
    before, asked = Waited(), 0
    while (pause := pause_for(error, "wake", "lab-1", before)) is not None:
        before, asked = before.and_now(pause), asked + 1
    assert 1800 < before.seconds < 2 * 3600
    assert asked < 60


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_what_was_just_made_is_waited_for_a_quarter_of_an_hour_however_fast_the_answers_come(code: str) -> None:
    row = {"operation": "eks:DescribeNodegroup", "code": code, "message": "No node group found for name: ng."}
    before = Waited()
    while (pause := pause_for(as_raised(row), "provision", "lab-1", before)) is not None:
        before = before.and_now(pause)
    assert 900 <= before.seconds < 930


def test_another_refusal_begins_anew_and_the_same_one_in_other_wrapping_does_not() -> None:
    denied = "You are not authorized to perform this operation. Encoded authorization failure message: {}"
    row = {"operation": "ec2:RunInstances", "code": "UnauthorizedOperation"}
    before = Waited()
    for n in range(1000):
        pause = pause_for(as_raised(row | {"message": denied.format(f"x{n}")}), "provision", "lab-1", before)
        if pause is None:
            break
        before = before.and_now(pause)
    assert before.seconds < 930
    other = as_raised(row | {"message": "User: r is not authorized to perform: iam:PassRole"})
    assert pause_for(other, "provision", "lab-1", before) is not None
    assert pause_for(other, "provision", "lab-1", Waited(3600, "AWS asks us to slow down.")) is not None
