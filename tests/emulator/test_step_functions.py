"""The emulator's state machine language: the features that the workflows use behave as on AWS."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox

FUNCTION = """
class NotYet(Exception): pass
class Refused(Exception): pass
calls = {}
def handle(event, context):
    key = event.get("key", "")
    calls[key] = calls.get(key, 0) + 1
    if calls[key] <= event.get("fail", 0): raise NotYet("again")
    if event.get("refuse"): raise Refused(event["refuse"])
    return {"calls": calls[key], "event": event, "look_again_in": 0.5}
"""
END = {"Type": "Pass", "End": True}

Run = Callable[..., Any]


@pytest.fixture
def function(deploy_function: Callable[[str, str], str]) -> str:
    return deploy_function("machine-step", FUNCTION)


def one(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "Only", "States": {"Only": state if "Next" in state else {**state, "End": True}}}


def test_parallel_branches_give_a_list_in_order(run_machine: Run) -> None:
    branches = [one({"Type": "Pass", "Result": number}) for number in (1, 2)]
    assert run_machine(one({"Type": "Parallel", "Branches": branches}))["output"] == [1, 2]


def test_a_failed_branch_fails_the_parallel_by_its_own_error(function: str, run_machine: Run) -> None:
    failing = one({"Type": "Task", "Resource": function, "Parameters": {"refuse": "no capacity"}})
    slow = one({"Type": "Wait", "Seconds": 300})
    catch = [{"ErrorEquals": ["Refused"], "ResultPath": "$.error", "Next": "Caught"}]
    definition = {
        "StartAt": "Both",
        "States": {
            "Both": {"Type": "Parallel", "Branches": [slow, failing], "Catch": catch, "End": True},
            "Caught": {"Type": "Pass", "InputPath": "$.error", "End": True},
        },
    }
    caught = run_machine(definition, {"lab_id": "lab-1"})["output"]
    assert caught["Error"] == "Refused"
    assert json.loads(caught["Cause"])["errorMessage"] == "no capacity"


def test_the_first_branch_that_fails_ends_the_others(function: str, run_machine: Run) -> None:
    failing = one({"Type": "Task", "Resource": function, "Parameters": {"refuse": "no capacity"}})
    wait = {"Type": "Wait", "Seconds": 200, "Next": "Act"}
    act = {"Type": "Task", "Resource": function, "Parameters": {"key": "after-the-end"}, "End": True}
    patient = {"StartAt": "Wait", "States": {"Wait": wait, "Act": act}}
    outer = one({"Type": "Parallel", "Branches": [patient, failing]})
    begun = time.monotonic()
    seen = run_machine(one({"Type": "Parallel", "Branches": [outer, patient]}))
    assert (seen["status"], seen["error"]) == ("FAILED", "Refused")
    assert time.monotonic() - begun < 2
    time.sleep(2.5)
    count = {"Type": "Task", "Resource": function, "Parameters": {"key": "after-the-end"}}
    assert run_machine(one(count))["output"]["calls"] == 1


def test_a_parallel_can_be_retried_as_a_whole(function: str, run_machine: Run) -> None:
    branch = one({"Type": "Task", "Resource": function, "Parameters": {"fail": 1, "key": "parallel"}})
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    definition = one({"Type": "Parallel", "Branches": [branch], "Retry": retry})
    assert run_machine(definition)["output"][0]["calls"] == 2


def test_a_map_runs_over_items_with_their_context(function: str, run_machine: Run) -> None:
    item = {"name.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index", "lab.$": "$.lab"}
    definition = one(
        {
            "Type": "Map",
            "ItemsPath": "$.names",
            "ItemSelector": item,
            "MaxConcurrency": 2,
            "ItemProcessor": one({"Type": "Pass"}),
        }
    )
    output = run_machine(definition, {"names": ["a", "b"], "lab": 1})["output"]
    assert output == [{"name": "a", "index": 0, "lab": 1}, {"name": "b", "index": 1, "lab": 1}]


def test_a_wait_takes_its_scaled_seconds_from_a_path(run_machine: Run) -> None:
    started = time.monotonic()
    run_machine(one({"Type": "Wait", "SecondsPath": "$.look_again_in"}), {"look_again_in": 60})
    assert 0.55 < time.monotonic() - started < 2


def test_a_choice_reads_nested_fields_and_combines_them(run_machine: Run) -> None:
    rules = [
        {
            "And": [
                {"Variable": "$.step.state", "StringEquals": "waiting"},
                {"Not": {"Variable": "$.step.attempts", "NumericGreaterThanEquals": 3}},
                {"Variable": "$.step.absent", "IsPresent": False},
            ],
            "Next": "Again",
        }
    ]
    states = {"Choose": {"Type": "Choice", "Choices": rules, "Default": "Stop"}}
    for name in ("Again", "Stop"):
        states[name] = {"Type": "Pass", "Result": name, "End": True}
    definition = {"StartAt": "Choose", "States": states}
    assert run_machine(definition, {"step": {"state": "waiting", "attempts": 2}})["output"] == "Again"
    assert run_machine(definition, {"step": {"state": "waiting", "attempts": 3}})["output"] == "Stop"


def test_intrinsic_functions_and_the_context_object(run_machine: Run) -> None:
    parameters = {
        "format.$": "States.Format('lab-{}-{}', $.id, $.count)",
        "length.$": "States.ArrayLength($.list)",
        "add.$": "States.MathAdd($.count, 1)",
        "merged.$": "States.JsonMerge($.left, $.right, false)",
        "parsed.$": "States.StringToJson($.text)",
        "array.$": "States.Array($.id, $.count)",
        "state.$": "$$.State.Name",
        "execution.$": "$$.Execution.Name",
    }
    given = {"id": "x", "count": 2, "list": [1, 2], "left": {"a": 1}, "right": {"b": 2}, "text": '{"c": 3}'}
    output = run_machine(one({"Type": "Pass", "Parameters": parameters}), given)["output"]
    assert output.pop("execution")
    assert output == {
        "format": "lab-x-2",
        "length": 2,
        "add": 3,
        "merged": {"a": 1, "b": 2},
        "parsed": {"c": 3},
        "array": ["x", 2],
        "state": "Only",
    }


def test_results_are_selected_and_placed(function: str, run_machine: Run) -> None:
    state = {"Type": "Task", "Resource": function, "Parameters": {"key": "placed"}}
    placed = {"ResultSelector": {"wait.$": "$.look_again_in"}, "ResultPath": "$.step"}
    assert run_machine(one(state | placed), {"lab_id": "lab-1"})["output"] == {"lab_id": "lab-1", "step": {"wait": 0.5}}
    assert run_machine(one(state | {"ResultPath": None}), {"lab_id": "lab-1"})["output"] == {"lab_id": "lab-1"}


def test_a_task_by_the_lambda_integration_gets_payload_and_names_its_errors(function: str, run_machine: Run) -> None:
    integration = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
    payload = {"FunctionName": function, "Payload": {"key": "integration"}}
    answer = run_machine(one({**integration, "Parameters": payload, "OutputPath": "$.Payload"}))
    assert answer["output"]["calls"] == 1
    refusing = {"FunctionName": function, "Payload": {"refuse": "no"}}
    assert run_machine(one({**integration, "Parameters": refusing}))["error"] == "Refused"


def test_retries_run_out_and_the_catch_takes_over(function: str, run_machine: Run) -> None:
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2.0}]
    retry[0] |= {"MaxDelaySeconds": 2, "JitterStrategy": "FULL"}
    task = {"Type": "Task", "Resource": function, "Parameters": {"fail": 9, "key": "out"}, "Retry": retry}
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]
    states = {"Try": {**task, "Catch": catch, "End": True}, "Caught": END}
    ended = run_machine({"StartAt": "Try", "States": states}, {"lab_id": "lab-1"})["output"]
    assert (ended["lab_id"], ended["error"]["Error"]) == ("lab-1", "NotYet")


def test_long_retry_delays_are_scaled(function: str, run_machine: Run) -> None:
    retry = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 40, "MaxAttempts": 2, "BackoffRate": 1.0}]
    task = {"Type": "Task", "Resource": function, "Parameters": {"fail": 1, "key": "long"}, "Retry": retry}
    started = time.monotonic()
    run_machine(one(task))
    assert 0.35 < time.monotonic() - started < 2


def test_a_fail_state_ends_with_its_error_and_cause(run_machine: Run) -> None:
    failing = {"StartAt": "Only", "States": {"Only": {"Type": "Fail", "ErrorPath": "$.why", "CausePath": "$.text"}}}
    ended = run_machine(failing, {"why": "QuotaExceeded", "text": "no more VPCs"})
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "QuotaExceeded", "no more VPCs")


def test_an_execution_is_started_once_by_its_name(sandbox: Sandbox, role: str) -> None:
    client = sandbox.client("stepfunctions")
    definition = json.dumps(one({"Type": "Wait", "Seconds": 30}))
    arn = client.create_state_machine(name="named", definition=definition, roleArn=role)["stateMachineArn"]
    start = {"stateMachineArn": arn, "name": "lab-1", "input": "{}"}
    first = client.start_execution(**start)
    assert client.start_execution(**start)["executionArn"] == first["executionArn"]
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        client.start_execution(**start | {"input": '{"other": 1}'})
    while client.describe_execution(executionArn=first["executionArn"])["status"] == "RUNNING":
        time.sleep(0.02)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        client.start_execution(**start)
    client.delete_state_machine(stateMachineArn=arn)


def test_a_machine_may_not_call_what_its_role_may_not(
    sandbox: Sandbox, deploy_function: Callable[[str, str], str]
) -> None:
    iam, client = sandbox.client("iam"), sandbox.client("stepfunctions")
    function = deploy_function("guarded", FUNCTION)
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="powerless", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    definition = json.dumps(one({"Type": "Task", "Resource": function}))
    arn = client.create_state_machine(name="guarded", definition=definition, roleArn=role)["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    while (seen := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.02)
    assert seen["status"] == "FAILED"
    client.delete_state_machine(stateMachineArn=arn)
    iam.delete_role(RoleName="powerless")
