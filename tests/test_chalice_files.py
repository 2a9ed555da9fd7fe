"""What `.chalice/compose.py` writes is current, and every deployed function has a policy that says only what it needs."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def compose() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compose", PROJECT / ".chalice/compose.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_compose_writes_is_what_lies_there(compose: ModuleType) -> None:
    stale = [path for path, text in compose.composed().items() if (PROJECT / path).read_text() != text]
    assert stale == [], "run `make compose`"


def test_no_policy_is_left_of_a_function_that_is_gone(compose: ModuleType) -> None:
    there = {f".chalice/policies/{path.name}" for path in (PROJECT / ".chalice/policies").iterdir()}
    assert there == {path for path in compose.composed() if "/policies/" in path}


def test_every_right_is_said_once_has_a_reason_and_is_granted_to_someone() -> None:
    statements = json.loads((PROJECT / ".chalice/statements.json").read_text())
    granted = {name for names in json.loads((PROJECT / ".chalice/grants.json").read_text()).values() for name in names}
    assert [name for name, said in statements.items() if not said.get("why")] == []
    assert granted == set(statements)


def test_no_right_is_a_wildcard_and_what_changes_things_names_what_it_may_change() -> None:
    reading = ("Describe", "List", "Get", "BatchGet", "Lookup")
    #: EC2 checks RunInstances against a dozen resource types at once; service-linked roles are bound by a condition;
    #: CreateCluster is about no resource that is there (AWS's service authorization reference lists none).
    unscoped = {"run-work-host", "launch-by-template", "eks-service-linked-roles", "create-clusters"}
    for name, said in json.loads((PROJECT / ".chalice/statements.json").read_text()).items():
        actions = [said["Action"]] if isinstance(said["Action"], str) else said["Action"]
        assert not [action for action in actions if "*" in action], name
        changes = [action for action in actions if not action.split(":")[1].startswith(reading)]
        assert not changes or said["Resource"] != "*" or name in unscoped, f"{name}: {changes} on everything"
