"""The contract between the state machines, the API, the functions and the errors: names are derived, references resolve.

Checks that validators lack (unknown tokens, `States.ALL` not last, errors that are never raised), and lets cfn-lint check the
rest.
"""

from __future__ import annotations

import ast
import inspect as inspection
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.errors import tree
from chalicelib.domain.labs.steps import STEPS
from tests.paths import PROJECT
from tests.workflows.machine import LAB_WORKFLOWS, WORKFLOWS, camel, definition, functions_of

OWN_ERRORS = {name for name, thing in vars(tree).items() if inspection.isclass(thing)}
#: AWS's own error names: Step Functions', and those of Lambda in it.
BUILT_IN = ("States.", "Lambda.", "Sandbox.", "Runtime.")
#: The errors that AWS recommends to retry for Lambda tasks, and its reports of a killed function.
OF_LAMBDA = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
}
ALWAYS_RETRIED = {"Throttled", "AwsUnavailable", "StaleLab", "Transient", "States.Timeout", *OF_LAMBDA}
#: Hung calls are left to the next run where time is short: in the curfew run before it notifies people.
HUNG = {"ErrorEquals": ["States.Timeout", "Sandbox.Timedout"], "MaxAttempts": 0}
TOLD_LAST = ("Warn", "Finish")


def machines(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document itself and every branch in it."""
    yield document
    for state in document["States"].values():
        for branch in inner_machines(state):
            yield from machines(branch)


def inner_machines(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The branches of a Parallel, the iterator of a Map."""
    return [*state.get("Branches", []), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]


def states(document: dict[str, Any], kind: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    for machine in machines(document):
        yield from ((name, state) for name, state in machine["States"].items() if kind in (None, state["Type"]))


def tasks_with_cover(document: dict[str, Any], cover: Any = None) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every Task with the Catch that covers it: its own, else that of the Parallel around it."""
    for name, state in document["States"].items():
        if state["Type"] == "Task":
            yield name, state, state.get("Catch", cover)
        for branch in inner_machines(state):
            yield from tasks_with_cover(branch, state.get("Catch", cover))


def following(state: dict[str, Any]) -> set[str]:
    rules = [*state.get("Choices", []), *state.get("Catch", []), state]
    return {rule["Next"] for rule in rules if "Next" in rule} | ({state["Default"]} if "Default" in state else set())


def lambdas_of_the_door() -> list[str]:
    """The handlers in the workflows' handlers, read without importing them."""
    modules = [ast.parse((PROJECT / f"chalicelib/handlers/{workflow}.py").read_text()) for workflow in WORKFLOWS]
    return [ast.unparse(node.targets[0]) for module in modules for node in module.body if isinstance(node, ast.Assign)]


def test_there_is_a_test_for_every_state_machine() -> None:
    assert {path.name for path in (PROJECT / "statemachine").iterdir()} == {f"{name}.asl.json" for name in WORKFLOWS}


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_token_is_a_function_and_a_lambda_and_used_once(workflow: str) -> None:
    used = [state["Resource"] for _, state in states(definition(workflow), "Task")]
    assert sorted(used) == sorted(functions_of(workflow))
    door = [name for name in lambdas_of_the_door() if name.startswith(f"{workflow}_")]
    assert sorted(door) == sorted(f"{workflow}_{function}" for function in functions_of(workflow).values())


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_state_names_and_result_paths_are_derived_from_the_function(workflow: str) -> None:
    functions = functions_of(workflow)
    for name, state in states(definition(workflow), "Task"):
        function = functions[state["Resource"]]
        assert (name, state["ResultPath"]) == (camel(function), f"$.{function}")
        subject = "lab_id" if workflow in LAB_WORKFLOWS else "time"
        assert state["Parameters"][f"{subject}.$"] == f"$.{subject}"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_state_is_reachable_and_every_transition_leads_somewhere(workflow: str) -> None:
    for machine in machines(definition(workflow)):
        reached, edge = set(), {machine["StartAt"]}
        while edge:
            reached |= edge
            edge = {name for known in edge for name in following(machine["States"][known])} - reached
        assert reached == set(machine["States"])


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_task_has_a_timeout_a_retry_with_jitter_and_a_catch(workflow: str) -> None:
    for name, state, cover in tasks_with_cover(definition(workflow)):
        assert 0 < state["TimeoutSeconds"] <= 900, name
        *hung, retrier = state["Retry"]
        assert hung == ([HUNG] if workflow == "curfew" and name not in TOLD_LAST else []), name
        assert {
            *retrier["ErrorEquals"],
            *(error for rule in hung for error in rule["ErrorEquals"]),
        } >= ALWAYS_RETRIED, name
        assert retrier["JitterStrategy"] == "FULL", name
        assert retrier["BackoffRate"] > 1, name
        assert retrier["MaxDelaySeconds"] > retrier["IntervalSeconds"], name
        assert 1 <= retrier["MaxAttempts"] <= 10, name
        caught = {error: c["Next"] for c in cover for error in c["ErrorEquals"]}
        if workflow in LAB_WORKFLOWS:
            assert list(caught) == ["Superseded", "States.ALL"], name
            assert caught["Superseded"] == "Superseded", name
        assert cover[-1]["ErrorEquals"] == ["States.ALL"], name


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_task_outlasts_its_lambda_so_that_no_retry_runs_beside_the_first(workflow: str) -> None:
    stages = json.loads((PROJECT / ".chalice/config.json").read_text())["stages"].values()
    configured = {name: f["lambda_timeout"] for stage in stages for name, f in stage["lambda_functions"].items()}
    functions = functions_of(workflow)
    for _, state in states(definition(workflow), "Task"):
        assert state["TimeoutSeconds"] > configured[f"{workflow}_{functions[state['Resource']]}"]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_error_named_is_one_that_is_raised_or_awss_own(workflow: str) -> None:
    for _, state in states(definition(workflow)):
        for rule in [*state.get("Retry", []), *state.get("Catch", [])]:
            for error in rule["ErrorEquals"]:
                assert error in OWN_ERRORS or error.startswith(BUILT_IN)
            if "States.ALL" in rule["ErrorEquals"]:
                assert rule["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_wait_waits_for_what_a_function_of_this_machine_said(workflow: str) -> None:
    functions = set(functions_of(workflow).values())
    for _, state in states(definition(workflow), "Wait"):
        function, _, field = state["SecondsPath"].removeprefix("$.").partition(".")
        assert function in functions
        assert field == "look_again_in"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_choice_compares_one_outcome(workflow: str) -> None:
    functions = set(functions_of(workflow).values())
    for _, state in states(definition(workflow), "Choice"):
        for rule in state["Choices"]:
            for test in rule.get("Or", [rule]):
                function, _, field = test["Variable"].removeprefix("$.").partition(".")
                assert (function in functions, field) == (True, "outcome")
                assert test["StringEquals"] in {"asked", "again", "done", "skipped"}


def test_what_is_lost_with_one_place_never_reaches_the_others() -> None:
    document = definition("watch_support")
    [(_, every)] = states(document, "Map")
    inside = every["ItemProcessor"]["States"]
    for name, state, cover in tasks_with_cover(every["ItemProcessor"]):
        assert state["Catch"] is cover, name
        assert cover[-1]["Next"] in inside, name
    assert not [name for name, state in inside.items() if state["Type"] == "Fail"]
    assert every["ResultPath"] is None, "the answers of all places together would not fit into a payload"


def test_what_is_lost_with_one_group_lab_or_region_never_reaches_the_others() -> None:
    document = definition("curfew")
    maps = dict(states(document, "Map"))
    assert set(maps) == {"ExamineGroups", "ActOnEach", "SearchPlaces"}
    for every in maps.values():
        inside = every["ItemProcessor"]["States"]
        assert not [name for name, state in inside.items() if state["Type"] == "Fail"]
        for name, _, cover in tasks_with_cover(every["ItemProcessor"]):
            assert cover[-1]["Next"] in inside, name
        ends = [state for state in inside.values() if state.get("End")]
        assert all(set(state["Parameters"]) & {"lost", "lost.$"} for state in ends), "each says whether it was lost"


def test_nothing_is_acted_on_in_a_run_that_could_not_look_at_the_brake() -> None:
    top = definition("curfew")["States"]
    leading = {name for name, state in top.items() if "ActOnEach" in following(state)}
    assert leading == {"Brake"}
    assert [caught["Next"] for caught in top["Brake"]["Catch"]] == ["SearchPlaces"]


@pytest.mark.parametrize("workflow", [name for name in LAB_WORKFLOWS if name != "verify_deletion"])
def test_every_step_may_ask_to_be_looked_at_again(workflow: str) -> None:
    """A throttled step answers `again`: no step of a lab may treat that as success."""
    for machine in machines(definition(workflow)):
        for name, state in machine["States"].items():
            if state["Type"] != "Task":
                continue
            choice = machine["States"][state["Next"]]
            own = f"{state['ResultPath']}.outcome"
            [rule] = [r for r in choice["Choices"] if r.get("Variable") == own and r["StringEquals"] == "again"]
            assert machine["States"][rule["Next"]]["SecondsPath"] == f"{state['ResultPath']}.look_again_in", name


def test_every_visible_step_is_a_function_and_every_wait_is_for_one() -> None:
    for workflow in LAB_WORKFLOWS:
        functions = set(functions_of(workflow).values())
        assert set(STEPS[workflow]) <= functions
        for _, state in states(definition(workflow), "Wait"):
            function = state["SecondsPath"].removeprefix("$.").partition(".")[0]
            assert function in functions


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_nothing_may_run_for_ever(workflow: str) -> None:
    assert definition(workflow)["TimeoutSeconds"] <= 12 * 3600


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The findings of cfn-lint, which takes a second to start, for each machine, and for a broken one."""
    broken = definition("verify_deletion")
    broken["States"]["Look"]["Retry"][0]["BackoffRate"] = "fast"
    folder = tmp_path_factory.mktemp("machines")
    files = {str(folder / f"{name}.json"): name for name in (*WORKFLOWS, "broken")}
    for file, name in files.items():
        Path(file).write_text(json.dumps(_template(broken if name == "broken" else definition(name))))
    lint = [str(Path(sys.executable).parent / "cfn-lint"), "--format", "json", "--", *files]
    found = json.loads(subprocess.run(lint, capture_output=True, text=True, check=False).stdout)
    said = dict.fromkeys(files.values(), "")
    for each in found:
        said[files[each["Filename"]]] += f"{each['Rule']['Id']} {each['Message']}\n"
    return said


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_cloudformation_would_take_the_machine(workflow: str, complaints: Mapping[str, str]) -> None:
    assert complaints[workflow] == ""


def test_cloudformation_would_not_take_a_broken_machine(complaints: Mapping[str, str]) -> None:
    assert "E3601" in complaints["broken"]


def _template(document: dict[str, Any]) -> dict[str, Any]:
    """A template of the machine, its tokens replaced by a Lambda's ARN."""
    text = json.dumps(document)
    for token in {state["Resource"] for _, state in states(document, "Task")}:
        text = text.replace(token, "arn:aws:lambda:eu-west-1:111122223333:function:f")
    properties = {"RoleArn": "arn:aws:iam::111122223333:role/states", "Definition": json.loads(text)}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Machine": resource}}
