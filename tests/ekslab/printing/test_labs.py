"""The output for refusals, and while watching."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekslab.client import Answer, Client
from ekslab.commands.watching import news
from ekslab.printing import problems
from ekslab.printing.labs import folded
from tests.ekslab.wire import Wire, run
from tests.fakes import a_lab


def test_a_refusal_says_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    lab = a_lab(phase="ready")
    wire.http.world.store.put(lab)
    assert run(wire, "get", "receipt", lab.id) == 1
    assert capsys.readouterr().err.startswith("404 There is no receipt yet. ")
    assert run(wire, "describe", "cluster", "nope") == 1
    assert capsys.readouterr().err == "404 There is no lab nope.\n`ekslab get clusters` shows your labs.\n"
    assert run(wire, "delete", "cluster", lab.id) == 0
    assert run(wire, "wake", lab.id) == 1
    assert capsys.readouterr().err.startswith("409 Not while the lab is like this: ")


def test_a_refusal_of_the_gateway_has_no_title() -> None:
    assert list(problems.problem(403, {"message": "Missing Authentication Token"})) == [
        "403 Missing Authentication Token"
    ]


def test_of_what_is_found_errors_come_first_and_warnings_are_marked() -> None:
    found = [
        {"severity": "warning", "path": "version", "message": "It ends soon."},
        {"severity": "error", "path": "name", "message": "It is taken."},
    ]
    assert list(problems.findings(found)) == ["  error    name: It is taken.", "  warning  version: It ends soon."]


@pytest.mark.parametrize(
    ("phase", "since", "message"),
    [
        ("ready", "04", ["02  Stack ...", "03  Add-ons ...", "04  Stack: done.", "04  myeks is ready."]),
        ("provisioning", "02", ["02  myeks is provisioning.", "02  Stack ...", "03  Add-ons ...", "04  Stack: done."]),
    ],
)
def test_while_one_watches_times_go_forward_on_the_labs_own_clock(phase: str, since: str, message: list[str]) -> None:
    steps = [
        {"title": "Stack", "status": "done", "startedAt": _at("02"), "endedAt": _at("04"), "detail": ""},
        {"title": "Add-ons", "status": "running", "startedAt": _at("03"), "endedAt": None, "detail": ""},
    ]
    zone = {"timeZone": "Asia/Seoul"}
    lab: dict[str, Any] = {"name": "myeks", "phase": phase, "phaseSince": _at(since), "steps": steps, "schedule": zone}
    said: list[str] = []
    Client(transport=_Answers(lab), sleep=lambda _: lab.update(phase="failed")).wait("x", seen=news(said.append))
    assert [line.removeprefix("19:00:") for line in said][: len(message)] == message


def _at(second: str) -> str:
    return f"2026-11-23T10:00:{second}Z"


class _Answers:
    def __init__(self, lab: Any) -> None:
        self.answer = Answer(200, {}, lab)

    def call(self, *_: Any) -> Answer:
        return self.answer


def a_line(arn: str, caused_by: str = "") -> dict[str, str]:
    return {"arn": arn, "causedBy": caused_by}


def test_what_a_thing_holds_stands_under_it_in_the_order_of_the_receipt() -> None:
    lines = [
        a_line("eni-1", "i-1"),
        a_line("vol-1", "i-1"),
        a_line("i-1", "asg"),
        a_line("asg"),
        a_line("sg-1", "gone"),
    ]
    told = [(line["arn"], depth) for line, depth in folded(lines)]
    assert told == [("asg", 0), ("i-1", 1), ("eni-1", 2), ("vol-1", 2), ("sg-1", 0)]


@given(st.lists(st.integers(-1, 7), max_size=8))
def test_each_line_of_a_receipt_is_told_once_whatever_holds_what(holders: list[int]) -> None:
    lines = [a_line(f"thing-{n}", f"thing-{by}") for n, by in enumerate(holders)]
    assert sorted(line["arn"] for line, _ in folded(lines)) == sorted(line["arn"] for line in lines)
