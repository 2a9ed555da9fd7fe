"""Make a Python exception in a Lambda reach its caller as on AWS: by its class name.

The emulator reports every exception as `Runtime.HandlerError`, which no `Catch` or `Retry` of a state machine can tell
apart, and throws the warm process away. Here each Python function runs through `lambdas/entry/`, which hands the
exception over as a value, and the emulator's result is turned into AWS's failure
(`errorType`, `errorMessage`, `requestId`, `stackTrace`), for a direct Invoke and for a Step Functions Task alike.

The entry also ends the lines of an invocation with one that says so. The emulator guesses their end by waiting: up to a
twentieth of a second each time, in which it looks fifty times, and a busy machine loses lines.
"""

import queue
from contextlib import suppress
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from emulator.lambdas.code import unpacked

JsonObject = dict[str, Any]

EMPTY_ARCHIVE = b"PK\x05\x06" + bytes(18)
ENTRY_HANDLER = "emulator_lambda_entry.handle"
RAISED = "emulator:raised"
"""The key under which `lambdas/entry/emulator_lambda_entry.py` hands over what a function raised, and a worker why it can't run."""

ENDED = "emulator:ended "
"""What the entry's last line of an invocation begins with; the rest is the request's id."""
LONGEST_DRAIN = 5.0
"""Seconds; the line is written before the answer, so that it is read at once but on a very busy machine."""

DIED = "Worker process died"
"""What the emulator says of a process that ended before it answered; AWS says Runtime.ExitError."""


class NamedErrorsWorker(lambda_runtime.Worker):  # type: ignore[misc]  # the emulator ships no types
    """A warm Python process of one function whose entry is ours; AWS's `_HANDLER` variable names the real one.

    Its code is where `EMULATOR_CODE` says, so the archive that the emulator unpacks for it is empty.
    """

    def __init__(self, func_name: str, config: JsonObject, code_zip: bytes) -> None:
        variables = config.get("Environment", {}).get("Variables", {})
        added = {"_HANDLER": config["Handler"], "EMULATOR_CODE": str(unpacked(code_zip))}
        entered = {**config, "Handler": ENTRY_HANDLER, "Environment": {"Variables": {**variables, **added}}}
        super().__init__(func_name, entered, EMPTY_ARCHIVE)
        self._request_id = ""

    def invoke(self, event: Any, request_id: str, **named: Any) -> JsonObject:
        """Run one invocation; one at a time does.

        A process that could not be started is a failure of this invocation. The emulator would take an exception as a reason
        to end all processes of the function, those at work among them.
        """
        self._request_id = request_id
        try:
            answered: JsonObject = super().invoke(event, request_id, **named)
        except Exception as error:  # noqa: BLE001 - the emulator's own edge, which takes any error of a start
            lambda_runtime.kill_workers([self])
            # A machine without room for a process is Lambda's own error, which callers retry; the rest is the function's.
            kind = "Lambda.ServiceException" if isinstance(error, OSError) else type(error).__name__
            failure = {"errorMessage": str(error), "errorType": kind}
            return {"status": "ok", "result": {RAISED: failure}, "log": ""}
        return answered

    def _drain_stderr_bounded(self, *waits: float) -> str:
        """The lines of the invocation that was answered; those of a process that ended come as the emulator guesses."""
        mark = f"{ENDED}{self._request_id}"
        if self._proc is None:
            return str(super()._drain_stderr_bounded(*waits)).replace(mark, "")
        lines: list[str] = []
        with suppress(queue.Empty):
            while not (line := self._stderr_queue.get(timeout=LONGEST_DRAIN)).endswith(mark):
                lines.append(line)
            lines += filter(None, [line.removesuffix(mark)])
        return "\n".join(lines)


def install() -> None:
    """Put the named errors into the emulator of this process. Call once, before it serves."""
    choose_class = lambda_runtime._worker_class_for
    execute = lambda_svc._execute_function_warm

    def worker_class_for(config: JsonObject) -> type:
        return NamedErrorsWorker if str(config.get("Runtime", "")).startswith("python") else choose_class(config)

    def execute_function_warm(func: JsonObject, event: Any, request_id: str) -> JsonObject:
        return _as_failure(execute(func, event, request_id), request_id)

    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_function_warm


def _as_failure(result: JsonObject, request_id: str) -> JsonObject:
    body = result.get("body")
    if isinstance(body, dict) and body.get("errorMessage") == DIED:
        message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        return {**result, "body": {"errorType": "Runtime.ExitError", "errorMessage": message}}
    if isinstance(body, dict) and RAISED in body:
        return {**result, "body": body[RAISED], "error": True}
    return result
