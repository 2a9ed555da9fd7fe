"""Step Functions where the emulator is laxer or stricter than AWS: a machine's role, and starting the same thing twice.

A Lambda task needs lambda:InvokeFunction in the role of its machine. StartExecution with a running execution's name and
the very same input is that execution; anything else of that name is refused.
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack import app as ministack
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import lambda_svc, stepfunctions

_role: ContextVar[str] = ContextVar("role of the running state machine", default="")


def install() -> None:
    """Correct the Step Functions of this process's emulator."""
    run, call_lambda, start = (
        stepfunctions._run_execution,
        stepfunctions._call_lambda,
        stepfunctions._start_execution,
    )

    def run_execution(arn: str) -> Any:
        machine = stepfunctions._executions[arn]["stateMachineArn"]
        _role.set(stepfunctions._state_machines.get(machine, {}).get("roleArn", ""))
        return run(arn)

    def call_lambda_as_role(reference: str, event: Any) -> Any:
        if ministack.AUTH:
            _refuse_unless_allowed(reference)
        return call_lambda(reference, event)

    def start_execution(given: dict[str, Any]) -> Any:
        return _same_execution(given) or start(given)

    stepfunctions._run_execution = run_execution
    stepfunctions._call_lambda = call_lambda_as_role
    stepfunctions._start_execution = start_execution


def role_may(role_arn: str, action: str, resource: str, context: dict[str, Any] | None = None) -> bool:
    """Tell whether the policies of a role allow an action on a resource."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    asked = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={key.lower(): value for key, value in (context or {}).items()},
    )
    result = iam_evaluator.evaluate(asked, iam_evaluator._gather_role_policies(name, account))
    return bool(result.decision == "Allow")


def _refuse_unless_allowed(reference: str) -> None:
    _, config, _ = lambda_svc._get_func_record_for_ref(reference)
    role, function = _role.get(), (config or {}).get("FunctionArn", "")
    if function and not (role and role_may(role, "lambda:InvokeFunction", function)):
        raise stepfunctions._ExecutionError(
            "Lambda.AWSLambdaException",
            f"User: {role} is not authorized to perform: lambda:InvokeFunction on resource: {function} because no "
            "identity-based policy allows the lambda:InvokeFunction action (Status Code: 403)",
        )


def _same_execution(given: dict[str, Any]) -> Any:
    execution_of = f"{str(given.get('stateMachineArn')).replace(':stateMachine:', ':execution:')}:{given.get('name')}"
    running = stepfunctions._executions.get(execution_of, {})
    if running.get("status") != "RUNNING" or running["input"] != given.get("input", "{}"):
        return None
    answer = {"executionArn": execution_of, "startDate": running["startDate"]}
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(answer).encode()
