"""A Python exception reaches the caller of the Lambda by its class name, as on AWS."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.process import Sandbox

FUNCTION = """
import os, time
calls = 0
class NotYet(Exception): pass
class Capacity(NotYet): pass
def handle(event, context):
    global calls
    calls += 1
    match event.get("do"):
        case "raise": raise Capacity("none left in\\nap-northeast-2a")
        case "fail-twice" if calls < 3: raise NotYet(f"call {calls}")
        case "sleep": time.sleep(event["seconds"])
    return {"calls": calls, "pid": os.getpid()}
"""

Deploy = Callable[[str, str], str]
Run = Callable[..., Any]


@pytest.fixture
def function(deploy_function: Deploy) -> str:
    return deploy_function("raiser", FUNCTION)


def test_an_invoke_tells_class_message_and_stack(sandbox: Sandbox, function: str) -> None:
    answer = sandbox.client("lambda").invoke(FunctionName="raiser", Payload=json.dumps({"do": "raise"}))
    error = json.load(answer["Payload"])
    assert answer["FunctionError"] == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("Capacity", "none left in\nap-northeast-2a")
    assert "raise Capacity" in error["stackTrace"][-1]
    assert set(error) == {"errorType", "errorMessage", "requestId", "stackTrace"}


def test_a_function_that_raised_stays_warm(sandbox: Sandbox, function: str) -> None:
    def invoke(event: dict[str, Any]) -> Any:
        return json.load(sandbox.client("lambda").invoke(FunctionName="raiser", Payload=json.dumps(event))["Payload"])

    first, _, third = invoke({}), invoke({"do": "raise"}), invoke({})
    assert third == {"calls": 3, "pid": first["pid"]}


def test_a_task_is_caught_by_the_exceptions_name(function: str, run_machine: Run) -> None:
    ended = run_machine(
        _task(function, Catch=[_catch("NotYet", "Wrong"), _catch("Capacity", "Right")]), {"do": "raise"}
    )
    assert ended["output"]["branch"] == "Right"
    assert json.loads(ended["output"]["error"]["Cause"])["errorType"] == "Capacity"


def test_a_task_is_retried_by_the_exceptions_name(function: str, run_machine: Run) -> None:
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 10, "MaxAttempts": 3, "BackoffRate": 1.0}]
    assert run_machine(_task(function, Retry=retry), {"do": "fail-twice"})["output"]["calls"] == 3


@pytest.mark.parametrize("name", ["States.TaskFailed", "States.ALL"])
def test_any_exception_is_a_failed_task(function: str, run_machine: Run, name: str) -> None:
    ended = run_machine(_task(function, Catch=[_catch(name, "Right")]), {"do": "raise"})
    assert ended["output"]["branch"] == "Right"


def test_a_task_that_takes_too_long_times_out(function: str, run_machine: Run) -> None:
    definition = _task(function, TimeoutSeconds=1, Catch=[_catch("States.Timeout", "Right")])
    assert run_machine(definition, {"do": "sleep", "seconds": 2})["output"]["branch"] == "Right"


def test_an_uncaught_exception_fails_the_execution_by_its_name(function: str, run_machine: Run) -> None:
    ended = run_machine(_task(function), {"do": "raise"})
    assert (ended["status"], ended["error"]) == ("FAILED", "Capacity")


def _task(function: str, **more: Any) -> dict[str, Any]:
    branches = {
        name: {"Type": "Pass", "Parameters": {"branch": name, "error.$": "$.error"}, "End": True}
        for name in ("Right", "Wrong")
    }
    used = {catch["Next"]: branches[catch["Next"]] for catch in more.get("Catch", [])}
    return {"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": function, "End": True, **more}, **used}}


def _catch(error: str, branch: str) -> dict[str, Any]:
    return {"ErrorEquals": [error], "ResultPath": "$.error", "Next": branch}
