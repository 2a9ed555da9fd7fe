"""The one logger. Constant messages with fields, one line per decision and per act; the domain never logs.

Every line carries its origin: `correlation_id`, the id of the request or schedule event that began it, from the API
through the workflows it starts. A step's lines carry more: `workflows/shared/runner.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

logger = Logger(service="ekslab")

#: The origin's place in an invocation's event: API Gateway's request, EventBridge's event.
_BEGAN = "requestContext.requestId || id"


def invocation_lines(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A Lambda handler whose lines carry its context and origin; they are cleared before the next invocation."""
    decorated: Callable[..., Any] = logger.inject_lambda_context(handler, correlation_id_path=_BEGAN, clear_state=True)
    return decorated


def request_id() -> str:
    """The id of the present request or event, for the workflows it starts; empty if there is none."""
    return logger.get_correlation_id() or ""
