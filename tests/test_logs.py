"""From the request to the workflow that it starts: one id in all lines, and in none of the next invocation."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.aws.step_functions import StepFunctionsWorkflows
from chalicelib.logs import invocation_lines, request_id

CONTEXT = SimpleNamespace(
    function_name="APIHandler", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda", aws_request_id="l-1"
)


class Client:
    """Step Functions that only records its calls."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def start_execution(self, **request: Any) -> None:
        self.given = json.loads(request["input"])


def invoke(event: dict[str, Any], client: Client) -> None:
    def handler(event: dict[str, Any], context: object) -> None:
        workflows = StepFunctionsWorkflows(client, "ap-northeast-2", "111122223333", "ekslab")
        workflows.start("provision", "lab-1-0-provision", {"lab_id": "lab-1"})

    invocation_lines(handler)(event, CONTEXT)


@pytest.mark.parametrize(
    ("event", "began"),
    [
        ({"requestContext": {"requestId": "r-7"}, "httpMethod": "POST"}, "r-7"),
        ({"source": "aws.events", "id": "event-1", "time": "2026-11-23T09:00:00Z"}, "event-1"),
        ({"lab_id": "lab-1"}, ""),
    ],
)
def test_what_began_it_goes_along_to_the_workflow_and_into_every_line(
    event: dict[str, Any], began: str, lines: io.StringIO
) -> None:
    client = Client()
    invoke(event, client)
    assert client.given == {"lab_id": "lab-1", "request_id": began}
    [line] = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (line["message"], line["execution"]) == ("A workflow was started.", "lab-1-0-provision")
    assert (line.get("correlation_id") or "", line["function_request_id"]) == (began, "l-1")


def test_an_id_is_not_taken_over_by_the_next_invocation(lines: io.StringIO) -> None:
    invoke({"requestContext": {"requestId": "r-7"}}, Client())
    client = Client()
    invoke({"lab_id": "lab-2"}, client)
    assert client.given["request_id"] == "" == request_id()
