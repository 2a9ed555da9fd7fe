"""The Lambda service's calls with a function's own role: it writes log lines, and sends failed events to the dead letter queue.

As on AWS, a role that lacks the right gets no lines, no dead letters, and no error. ministack checks no rights here.
"""

from collections.abc import Iterator
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from emulator.services.step_functions import role_may

JsonObject = dict[str, Any]


def install() -> None:
    """Make this process's Lambda check these rights. Call once, before it serves."""
    keep_lines, leave = lambda_svc._emit_lambda_logs, lambda_svc._route_async_failure

    def keep_lines_if_allowed(func: JsonObject, *rest: Any, **named: Any) -> None:
        config = func.get("config") or func
        if _may_all(config, _of_lines(config)):
            keep_lines(func, *rest, **named)

    def leave_if_allowed(target: str, name: str, *rest: Any) -> None:
        config = lambda_svc._functions.get(name, {}).get("config", {})
        action = "sqs:SendMessage" if target.split(":")[2] == "sqs" else "sns:Publish"
        if _may_all(config, [(action, target)]):
            leave(target, name, *rest)

    lambda_svc._emit_lambda_logs, lambda_svc._route_async_failure = keep_lines_if_allowed, leave_if_allowed


def _of_lines(config: JsonObject) -> Iterator[tuple[str, str]]:
    logging = config.get("LoggingConfig") or {}
    name = logging.get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
    group = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}"
    yield "logs:CreateLogStream", group
    yield "logs:PutLogEvents", f"{group}:log-stream:*"


def _may_all(config: JsonObject, wanted: Any) -> bool:
    return not app.AUTH or all(role_may(config.get("Role", ""), *each) for each in wanted)
