"""The one logger. Constant messages with fields, one line per decision and per act; the domain never logs.

Every line carries whose doing it is: `correlation_id`, the id of the request or schedule event that began it, from the API
through the workflows it starts. A step's lines carry more: `workflows/shared/runner.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

logger = Logger(service="ekslab")

#: Where an invocation's event says what began it: API Gateway's request, EventBridge's event.
_BEGAN = "requestContext.requestId || id"


def invocation_lines(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A Lambda handler whose lines carry its context and what began it; nothing is left over for the next invocation."""
    decorated: Callable[..., Any] = logger.inject_lambda_context(handler, correlation_id_path=_BEGAN, clear_state=True)
    return decorated


def request_id() -> str:
    """The id of the request or event that is being answered here, as it goes on to workflows; empty if there is none."""
    return logger.get_correlation_id() or ""
