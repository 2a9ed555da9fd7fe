"""A class of fifty requests its labs at the same moment, and each gets one; `make long` runs this.

The limits are the project's own: two cores, 4 GiB for the sandbox and all its functions' processes.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator.core.memory import measured
from sandbox.people import Person, make_person
from sandbox.stage import Stage, installed

LABS, OF_EACH = 50, 5
WITHIN = 5.0
"""Seconds in which all of them are asked for."""
PATIENCE = 900.0
MOST_MEMORY = 4096
"""MiB."""
ENDED = {"ready", "failed", "blocked", "deleted", "lost"}


@pytest.mark.long
def test_fifty_labs_asked_for_within_five_seconds_are_all_ready() -> None:
    with measured(os.getpid()) as memory, installed() as stage:
        learners = [make_person(stage.sandbox, f"student-{number}") for number in range(LABS // OF_EACH)]
        with ThreadPoolExecutor(LABS) as everybody:
            asked = [everybody.submit(_ask, stage, learners[n // OF_EACH], n, n * WITHIN / LABS) for n in range(LABS)]
            answers = [each.result() for each in asked]
        assert Counter(status for status, _ in answers) == {202: LABS}, answers
        labs = _until_ended(stage)
    assert Counter(lab["phase"] for lab in labs) == {"ready": LABS}, _troubles(labs)
    assert memory.megabytes < MOST_MEMORY, f"in {memory.processes} processes"


def _ask(stage: Stage, who: Person, number: int, after: float) -> tuple[int, Any]:
    time.sleep(after)
    body = {"name": f"class-{number}", "network": {"cidr": f"10.{number}.0.0/16"}, "nodegroups": [{"desired": 1}]}
    answer = stage.call(who, "POST", "/labs", body)
    return answer.status, answer.json


def _until_ended(stage: Stage) -> list[Mapping[str, Any]]:
    end = time.monotonic() + PATIENCE
    while True:
        answer = stage.call(stage.people.administrator, "GET", "/labs?owner=%2A&limit=100").json
        labs: list[Mapping[str, Any]] = answer["labs"]
        if (len(labs) == LABS and all(lab["phase"] in ENDED for lab in labs)) or time.monotonic() > end:
            return labs
        time.sleep(2)


def _troubles(labs: list[Mapping[str, Any]]) -> list[str]:
    return [f"{lab['name']} {lab['phase']}: {lab['reason']}" for lab in labs if lab["phase"] != "ready"]
