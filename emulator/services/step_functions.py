"""Step Functions where the emulator differs from AWS: a machine's role, starting the same thing twice, failing branches.

A Lambda task needs lambda:InvokeFunction in the role of its machine. StartExecution with a running execution's name and
the very same input is that execution; anything else of that name is refused. The first branch of a Parallel that fails
fails it at once: the other branches end at their next state (a Lambda that is running is not interrupted). An execution
begins at once; ministack's waits for a time that no scale shortens.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, InvalidStateError, ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import ContextVar, copy_context
from types import SimpleNamespace
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import lambda_svc, stepfunctions

_role: ContextVar[str] = ContextVar("role of the running state machine", default="")
_begins: ContextVar[bool] = ContextVar("whether the execution is about to begin", default=False)
_around: ContextVar[tuple["Future[Any]", ...]] = ContextVar("failures of the Parallels around this state", default=())


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
        _begins.set(True)
        return run(arn)

    def call_lambda_as_role(reference: str, event: Any) -> Any:
        _end_if_pointless()
        if app.AUTH:
            _refuse_unless_allowed(reference)
        return call_lambda(reference, event)

    def start_execution(given: dict[str, Any]) -> Any:
        return _same_execution(given) or start(given)

    def sleep(seconds: float) -> None:
        if not _begins.get():
            time.sleep(seconds)
        _begins.set(False)

    stepfunctions.time = SimpleNamespace(sleep=sleep, time=time.time, monotonic=time.monotonic)
    stepfunctions._run_execution = run_execution
    stepfunctions._call_lambda = call_lambda_as_role
    stepfunctions._start_execution = start_execution
    _install_parallels()


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


def _install_parallels() -> None:
    for state in ("pass", "choice", "wait", "task"):
        name = f"_execute_{state}"
        setattr(stepfunctions, name, _unless_pointless(getattr(stepfunctions, name)))
    run_branches, run_branch = stepfunctions._run_parallel_branches, stepfunctions._run_sub_machine

    def run_until_one_fails(*arguments: Any) -> Any:
        failure: Future[Any] = Future()

        def run_all() -> Any:
            _around.set((*_around.get(), failure))
            return run_branches(*arguments)

        pool = ThreadPoolExecutor(1)
        whole = pool.submit(copy_context().run, run_all)
        pool.shutdown(wait=False)
        wait((whole, failure), return_when=FIRST_COMPLETED)
        return failure.result() if failure.done() else whole.result()

    def run_one(*arguments: Any) -> Any:
        try:
            return run_branch(*arguments)
        except stepfunctions._ExecutionError as error:
            for failure in _around.get()[-1:]:
                with suppress(InvalidStateError):
                    failure.set_exception(error)
            raise

    stepfunctions._run_parallel_branches, stepfunctions._run_sub_machine = run_until_one_fails, run_one


def _unless_pointless(execute: Callable[..., Any]) -> Callable[..., Any]:
    def execute_or_end(*arguments: Any) -> Any:
        _end_if_pointless()
        return execute(*arguments)

    return execute_or_end


def _end_if_pointless() -> None:
    """End this branch's thread when a Parallel around it has failed."""
    if any(failure.done() for failure in _around.get()):
        raise SystemExit


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
