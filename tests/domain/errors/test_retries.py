"""The retry predicates of tools that met AWS (tests/data/aws/retries.json): each answer is read as they read it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.clients.errors import domain_error
from chalicelib.domain.errors import patience
from chalicelib.domain.errors.patience import pause_for
from chalicelib.domain.errors.tree import AwsUnavailable, EkslabError, ResourceGone, StillInUse, Throttled, Transient
from tests.paths import PROJECT

ROWS: list[dict[str, str]] = json.loads((PROJECT / "tests/data/aws/retries.json").read_text())
NAMES = [f"{row['workflow']} {row['operation']} {row['code']} {row['message'][:24]}" for row in ROWS]


def as_raised(row: dict[str, str]) -> EkslabError:
    """What our adapter makes of the answer; an update under way is the step's own word for Transient."""
    answer: Any = {"Error": {"Code": row["code"], "Message": row["message"]}}
    error = domain_error(row["operation"], ClientError(answer, "Operation"))
    being_updated = isinstance(error, StillInUse) and row["operation"].startswith("eks:Update")
    return Transient(str(error)) if being_updated else error


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_an_answer_is_read_as_the_tools_that_met_aws_read_it(row: dict[str, str]) -> None:
    error = as_raised(row)
    pause = pause_for(error, row["workflow"], "lab-1", waits=0)
    match row["do"]:
        case "wait":
            assert pause is not None
            assert pause_for(error, row["workflow"], "lab-1", waits=1000) is None, "believed in the end"
        case "throttled":
            assert isinstance(error, Throttled)
            assert pause_for(error, row["workflow"], "lab-1", waits=1000) is not None, "never an end by itself"
        case "gone":
            assert isinstance(error, ResourceGone)
        case _:
            assert pause is None


def test_fifty_throttled_labs_do_not_ask_again_in_the_same_moment() -> None:
    pauses = [pause_for(Throttled("slower"), "provision", f"lab-{n}", waits=4) for n in range(50)]
    assert len({pause.seconds for pause in pauses if pause}) > 20
    assert all(pause and 120 <= pause.seconds < 240 for pause in pauses)


def test_a_fault_of_awss_is_waited_out_for_more_than_half_an_hour() -> None:
    error = AwsUnavailable("eks:DescribeCluster: 503")
    pauses = [pause_for(error, "wake", "lab-1", waits) for waits in range(patience.UNAVAILABLE_ANSWERS)]
    assert sum(pause.seconds for pause in pauses if pause) > 1800
