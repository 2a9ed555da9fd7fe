"""AWS's price list, which the emulator lacks: here it has no products, so that labs show the prices that are bundled.

It is there to be asked: without `pricing:GetProducts` a role is refused, as on AWS.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack import app
from ministack.core import iam_actions, router

NAME = "pricing"
TARGET = "AWSPriceListService."


def install() -> None:
    """Add the service to this process's emulator, behind its IAM enforcement."""
    router.SERVICE_PATTERNS[NAME] = {"target_prefixes": [TARGET], "credential_scope": NAME}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[NAME] = NAME
    app.SERVICE_HANDLERS[NAME] = _handle_request


async def _handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
    del method, path, body, query
    operation = headers.get("x-amz-target", "").removeprefix(TARGET)
    if operation == "GetProducts":
        return _answer(200, {"FormatVersion": "aws_v1", "PriceList": []})
    return _answer(400, {"__type": "InvalidAction", "message": f"This price list cannot {operation}"})


def _answer(status: int, content: Mapping[str, Any]) -> Any:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()
