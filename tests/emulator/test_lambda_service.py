"""A function's log lines and its dead letters need the rights of the function's own role, as on AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from emulator.process import Sandbox

FUNCTION = "def handle(event, context): raise ValueError('never')"
LINES = ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_a_role_that_may_not_write_has_no_lines(
    sandbox: Sandbox, deploy_function: Callable[[str, str], str], role: str
) -> None:
    deploy_function("silent", FUNCTION)
    sandbox.client("lambda").invoke(FunctionName="silent")
    assert groups(sandbox) == []

    allowed(sandbox, LINES)
    sandbox.client("lambda").invoke(FunctionName="silent")
    assert groups(sandbox) == ["/aws/lambda/silent"]


def test_a_role_that_may_not_send_leaves_no_dead_letter(
    sandbox: Sandbox, deploy_function: Callable[[str, str], str], role: str
) -> None:
    sqs, functions = sandbox.client("sqs"), sandbox.client("lambda")
    queue = sqs.create_queue(QueueName="letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    deploy_function("failing", FUNCTION)
    functions.update_function_configuration(FunctionName="failing", DeadLetterConfig={"TargetArn": arn})
    functions.put_function_event_invoke_config(FunctionName="failing", MaximumRetryAttempts=0)

    def letters() -> list[Any]:
        functions.invoke(FunctionName="failing", InvocationType="Event")
        time.sleep(1)
        return list(sqs.receive_message(QueueUrl=queue).get("Messages", []))

    assert letters() == []
    allowed(sandbox, ["sqs:SendMessage"])
    assert len(letters()) == 1


def groups(sandbox: Sandbox) -> list[str]:
    found = sandbox.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/silent")["logGroups"]
    return [group["logGroupName"] for group in found]


def allowed(sandbox: Sandbox, actions: list[str]) -> None:
    """Grant the small role this as well; the fixture removes the policy again."""
    iam, lambdas = sandbox.client("iam"), ["lambda:InvokeFunction", "sts:GetCallerIdentity"]
    said = {"Effect": "Allow", "Action": [*lambdas, *actions], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [said]})
    iam.put_role_policy(RoleName="small", PolicyName="small", PolicyDocument=document)
