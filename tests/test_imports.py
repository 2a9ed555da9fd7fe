"""Each Lambda imports only the modules that it uses. Tested in fresh Pythons, one a handler module."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from tests.paths import PROJECT

HANDLERS = sorted(
    path.stem for path in (PROJECT / "chalicelib/handlers").glob("*.py") if path.stem not in ("__init__", "factory")
)
STEPS = [module for module in HANDLERS if module != "api"]
#: Modules that only the API, other folders or a first use may import.
NEVER_IN_A_STEP = ("chalicelib.api", "chalice", "pydantic", "yaml", "holidays", "boto3", "app", "aws_xray_sdk")
LATE = ("chalicelib.wiring.cloud", "chalicelib.wiring.curfew", "chalicelib.wiring.support")


@cache
def imported(module: str) -> frozenset[str]:
    """The loaded modules after the import of a handler module."""
    program = f"import json, sys, chalicelib.handlers.{module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout))


def within(modules: frozenset[str], roots: tuple[str, ...]) -> list[str]:
    return [
        module
        for module in sorted(modules)
        if module.startswith(tuple(f"{root}." for root in roots)) or module in roots
    ]


@pytest.mark.parametrize("module", STEPS)
def test_a_step_imports_neither_the_api_nor_what_it_may_never_ask_for(module: str) -> None:
    assert within(imported(module), NEVER_IN_A_STEP + LATE) == []


@pytest.mark.parametrize("module", STEPS)
def test_a_step_imports_no_other_workflow(module: str) -> None:
    others = tuple(
        f"chalicelib.{folder}.{other}" for folder in ("workflows", "handlers") for other in STEPS if other != module
    )
    assert within(imported(module), others) == []


def test_the_api_imports_no_workflow_and_no_handler_of_one() -> None:
    assert (
        within(imported("api"), ("app", "chalicelib.workflows", "holidays", "jinja2", "chalicelib.api.pages", *LATE))
        == []
    )


def test_every_handler_module_is_of_a_workflow_or_the_schedules_or_the_api() -> None:
    machines = {path.name.partition(".")[0] for path in (PROJECT / "statemachine").glob("*.json")}
    assert set(HANDLERS) == machines | {"api", "schedules"}


def test_handlers_are_called_as_chalice_is_told() -> None:
    """Lambda finds a handler by its function's name in its module."""
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


@pytest.mark.parametrize("module", HANDLERS)
def test_a_handler_collects_garbage_though_its_imports_were_not_looked_at(module: str) -> None:
    program = f"import gc, chalicelib.handlers.{module}; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
