"""Each Lambda imports what it uses and no more. Asked of fresh Pythons, one a door."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.paths import PROJECT

DOORS = sorted(
    path.stem for path in (PROJECT / "chalicelib/doors").glob("*.py") if path.stem not in ("__init__", "opening")
)
STEPS = [door for door in DOORS if door != "http"]
#: What only the API, other rooms or a first use may bring in.
NEVER_IN_A_STEP = ("chalicelib.api", "chalice", "pydantic", "yaml", "holidays", "boto3", "app", "aws_xray_sdk")
LATE = ("chalicelib.wiring.cloud", "chalicelib.wiring.curfew", "chalicelib.wiring.support")


def imported(door: str) -> frozenset[str]:
    """The modules that are there once a door was opened."""
    program = f"import json, sys, chalicelib.doors.{door}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout))


def within(modules: frozenset[str], roots: tuple[str, ...]) -> list[str]:
    return [
        module
        for module in sorted(modules)
        if module.startswith(tuple(f"{root}." for root in roots)) or module in roots
    ]


@pytest.mark.parametrize("door", STEPS)
def test_a_step_imports_neither_the_api_nor_what_it_may_never_ask_for(door: str) -> None:
    assert within(imported(door), NEVER_IN_A_STEP + LATE) == []


@pytest.mark.parametrize("door", STEPS)
def test_a_step_imports_no_other_workflow(door: str) -> None:
    others = tuple(f"chalicelib.{room}.{other}" for room in ("workflows", "doors") for other in STEPS if other != door)
    assert within(imported(door), others) == []


def test_the_api_imports_no_workflow_and_no_door_of_one() -> None:
    assert within(imported("http"), ("app", "chalicelib.workflows", "holidays", *LATE)) == []


def test_every_door_is_of_a_workflow_or_of_a_schedule_or_the_api_s() -> None:
    machines = {path.name.partition(".")[0] for path in (PROJECT / "statemachine").glob("*.json")}
    assert set(DOORS) == machines | {"http", "tend", "starting"}


def test_handlers_are_called_as_chalice_is_told() -> None:
    """Lambda looks a handler up by its function's name in its module."""
    program = """
import importlib, json, app
said = {c.handler_string: c.name for c in [*app.app.pure_lambda_functions, *app.app.event_sources]}
found = {h: getattr(importlib.import_module(h.rpartition(".")[0]), h.rpartition(".")[2]).__name__ for h in said}
print(json.dumps([said, found]))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    said, found = json.loads(done.stdout)
    assert said == found
    assert len(said) > 60
