"""AWS Step Functions' answers, recorded by LocalStack's authors, compared with the emulator's.

Source: localstack/localstack, tests/aws/services/stepfunctions/v2, `*.snapshot.json`: recordings of AWS itself. Each case names
its recording; codes and messages are theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox

PASS: dict[str, Any] = {"StartAt": "State_1", "States": {"State_1": {"Type": "Pass", "Result": {"a": 1}, "End": True}}}
RAISES = """
def handle(event, context):
    raise Exception("Some exception was raised.")
"""
INPUTS = {
    "start_exec_str_inp": (
        "not some json",
        "'Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')'",
    ),
    "start_res_empty": ("", "'Invalid execution input.'"),
}

Run = Callable[..., Any]


@pytest.fixture
def make(sandbox: Sandbox, role: str) -> Callable[..., str]:
    def make(name: str, definition: dict[str, Any], **more: Any) -> str:
        states, text = sandbox.client("stepfunctions"), json.dumps(definition)
        return str(states.create_state_machine(name=name, definition=text, roleArn=role, **more)["stateMachineArn"])

    return make


def error_of(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"StartAt": "A"}, "These fields are required: [States] at /"),
        ({"States": PASS["States"]}, "These fields are required: [StartAt] at /"),
        ({}, "These fields are required: [States, StartAt] at /"),
    ],
    ids=["test_create_delete_invalid_sm", "INVALID_BASE_NO_STARTAT", "EMPTY_DICT"],
)
def test_a_definition_without_its_fields(make: Callable[..., str], definition: dict[str, Any], message: str) -> None:
    expected = f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {message}'"
    assert error_of(lambda: make("invalid", definition)) == ("InvalidDefinition", expected)


def test_create_exact_duplicate_sm_and_duplicate_sm_name(sandbox: Sandbox, make: Callable[..., str]) -> None:
    arn = make("twice", PASS)
    assert make("twice", PASS) == arn
    other = {**PASS, "Comment": "another"}
    message = f"State Machine Already Exists: '{arn}'"
    assert error_of(lambda: make("twice", other)) == ("StateMachineAlreadyExists", message)
    sandbox.client("stepfunctions").delete_state_machine(stateMachineArn=arn)
    sandbox.client("stepfunctions").delete_state_machine(stateMachineArn=arn)


def test_invalid_start_execution_arn(sandbox: Sandbox) -> None:
    arn = f"arn:aws:states:{sandbox.region}:{sandbox.account}:stateMachine:absent"
    error = error_of(lambda: sandbox.client("stepfunctions").start_execution(stateMachineArn=arn))
    assert error == ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")


@pytest.mark.parametrize(("text", "message"), INPUTS.values(), ids=INPUTS)
def test_invalid_start_execution_input(sandbox: Sandbox, make: Callable[..., str], text: str, message: str) -> None:
    states, arn = sandbox.client("stepfunctions"), make("inputs", PASS)
    error = error_of(lambda: states.start_execution(stateMachineArn=arn, input=text))
    assert error == ("InvalidExecutionInput", f"Invalid State Machine Execution Input: {message}")
    for fine in ("2", '"text"', "null"):
        states.start_execution(stateMachineArn=arn, input=fine)


def test_raise_exception_and_raise_exception_catch(deploy_function: Callable[..., str], run_machine: Run) -> None:
    function = deploy_function("raises", RAISES)
    task = {"Type": "Task", "Resource": function}
    failed = run_machine({"StartAt": "Start", "States": {"Start": {**task, "End": True}}})
    assert (failed["status"], failed["error"]) == ("FAILED", "Exception")
    assert set(json.loads(failed["cause"])) == {"errorMessage", "errorType", "requestId", "stackTrace"}
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Handler"}]
    handler = {"Type": "Pass", "ResultPath": "$.task_failed_error", "End": True}
    states = {"Start": {**task, "Catch": catch, "End": True}, "Handler": handler}
    caught = run_machine({"StartAt": "Start", "States": states})["output"]
    assert set(caught) == {"Error", "Cause", "task_failed_error"}
    assert caught["task_failed_error"] == {"Error": caught["Error"], "Cause": caught["Cause"]}
    assert json.loads(caught["Cause"])["errorMessage"] == "Some exception was raised."
