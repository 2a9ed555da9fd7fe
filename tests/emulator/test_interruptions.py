"""A rule interrupts calls of functions: a number of times for each role and action, before or after their effect."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emulator.process import Sandbox

FUNCTION = """
import boto3, os
from botocore.config import Config
def handle(event, context):
    iam = boto3.client("iam", config=Config(retries={"total_max_attempts": 1}))
    said = []
    for _ in range(event["calls"]):
        try:
            iam.tag_role(RoleName="small", Tags=[{"Key": "seen", "Value": event["value"]}])
            said.append("answered")
        except Exception as error:
            answer = getattr(error, "response", None) or {}
            said.append(answer.get("Error", {}).get("Code") or type(error).__name__)
    return said
"""
MAY_TAG = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:TagRole", "Resource": "*"}]}

Run = Callable[..., Any]


@pytest.fixture
def tag(sandbox: Sandbox, deploy_function: Callable[[str, str], str]) -> Iterator[Run]:
    """Let a function tag its role twice; return its answers and the final tag."""
    deploy_function("tagger", FUNCTION)
    iam = sandbox.client("iam")
    iam.put_role_policy(RoleName="small", PolicyName="tags", PolicyDocument=json.dumps(MAY_TAG))

    def run(value: str) -> tuple[Any, str]:
        event = {"calls": 2, "value": value}
        answer = sandbox.client("lambda").invoke(FunctionName="tagger", Payload=json.dumps(event))
        tags = {tag["Key"]: tag["Value"] for tag in iam.get_role(RoleName="small")["Role"].get("Tags", [])}
        return json.load(answer["Payload"]), tags.get("seen", "")

    yield run
    sandbox.admin("POST", "interruptions", [])
    iam.delete_role_policy(RoleName="small", PolicyName="tags")


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        ("throttled", "Throttling"),
        ("failed", "InternalFailure"),
        ("failed-after", "InternalFailure"),
        ("denied", "AccessDenied"),
        ("cut", "ConnectionClosedError"),
        ("lost", "ConnectionClosedError"),
    ],
)
def test_the_first_call_is_interrupted_and_the_next_is_not(sandbox: Sandbox, tag: Run, effect: str, code: str) -> None:
    sandbox.admin("POST", "interruptions", [{"effect": effect, "role": "small", "action": "iam:TagRole"}])
    said, seen = tag(effect)
    assert (said, seen) == ([code, "answered"], effect)
    assert sandbox.admin("GET", "interruptions") == {
        "interrupted": [{"effect": effect, "role": "small", "action": "iam:TagRole", "times": 1}]
    }


@pytest.mark.parametrize(("effect", "seen"), [("failed", ""), ("cut", ""), ("failed-after", "x"), ("lost", "x")])
def test_what_comes_after_the_effect_has_it(sandbox: Sandbox, tag: Run, effect: str, seen: str) -> None:
    tag("")
    sandbox.admin("POST", "interruptions", [{"effect": effect, "role": "small", "action": "iam:TagRole", "times": 2}])
    assert tag("x")[1] == seen


def test_a_killed_function_has_done_what_it_did(sandbox: Sandbox, tag: Run) -> None:
    sandbox.admin("POST", "interruptions", [{"effect": "killed", "role": "small", "action": "iam:TagRole"}])
    said, seen = tag("killed")
    assert said["errorType"] == "Runtime.ExitError"
    assert seen == "killed"
    assert tag("again") == (["answered", "answered"], "again")


def test_only_what_is_named_is_interrupted(sandbox: Sandbox, tag: Run) -> None:
    rules = [
        {"effect": "failed", "role": "other"},
        {"effect": "failed", "action": "sts:GetCallerIdentity"},
        {"effect": "failed", "about": ["lab-other"]},
        {"effect": "failed", "action": "iam:GetRole", "writes": True},
    ]
    sandbox.admin("POST", "interruptions", rules)
    assert tag("mine")[0] == ["answered", "answered"]
    sandbox.admin("POST", "interruptions", [{"effect": "failed", "about": ["mine"]}])
    assert tag("mine")[0] == ["InternalFailure", "answered"]


@pytest.mark.parametrize("rule", [{}, {"effect": "tired"}, {"effect": "lost", "often": 1}])
def test_a_rule_that_cannot_be_read_is_refused(sandbox: Sandbox, rule: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        sandbox.admin("POST", "interruptions", [rule])
    assert refused.value.code == 400
