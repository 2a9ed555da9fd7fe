"""The service control policy that guards the service's tags: denied and allowed principals, by IAM's evaluator.

Organizations' policies never allow: a Deny in one is tested as a Deny on the actor, beside the right to all actions.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from ministack.core import iam_evaluator

from tests.paths import PROJECT

SCP = json.loads((PROJECT / "deployment/guard-tags-scp.json").read_text())
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ACCOUNT = "arn:aws:iam::111122223333"
WRITING = (
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "eks:TagResource",
    "eks:UntagResource",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:RemoveTags",
    "iam:TagRole",
    "logs:TagResource",
    "autoscaling:CreateOrUpdateTags",
)
OURS = (
    f"{ACCOUNT}:role/ekslab-TeardownSweepLeftoversRole-1",
    f"{ACCOUNT}:role/ekslab/ekslab-lab-0123456789ab-NodeRole-1",
    f"{ACCOUNT}:role/service-role/AWSBackupDefaultServiceRole",
    f"{ACCOUNT}:role/service-role/AWSDataLifecycleManagerDefaultRole",
)
OTHERS = (f"{ACCOUNT}:user/somebody", f"{ACCOUNT}:role/developers", f"{ACCOUNT}:role/not-ekslab", f"{ACCOUNT}:root")


def decision(who: str, action: str, keys: list[str], **context: Any) -> str:
    """Allow or Deny for a principal with all rights but the policy's denied ones."""
    asked = iam_evaluator.EvalContext(
        principal_arn=who,
        principal_type="AssumedRole" if ":role/" in who else "User",
        principal_account="111122223333",
        action=action,
        resource_arn="*",
        region="ap-northeast-2",
        service_context={"aws:tagkeys": keys, "aws:principalarn": who, **context},
    )
    policies = [iam_evaluator.parse_policy_document(document) for document in (ANYTHING, SCP)]
    return str(iam_evaluator.evaluate(asked, policies).decision)


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize("action", WRITING)
def test_nobody_else_writes_or_removes_our_tags(who: str, action: str) -> None:
    assert decision(who, action, ["ekslab:lab-id"]) == "Deny"
    assert decision(who, action, ["team", "ekslab:owner"]) == "Deny"


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize("action", WRITING)
def test_other_tags_and_what_writes_none_are_nobodys_business(who: str, action: str) -> None:
    assert decision(who, action, ["team", "my-ekslab:x"]) == "Allow"
    assert decision(who, "ec2:RunInstances", []) == "Allow"


@pytest.mark.parametrize("who", OURS)
@pytest.mark.parametrize("action", WRITING)
def test_our_roles_and_services_that_copy_tags_write_them(who: str, action: str) -> None:
    assert decision(who, action, ["ekslab:lab-id"]) == "Allow"


def test_cloudformation_writes_them_for_whoever_asked_it() -> None:
    via = {"aws:calledvia": ["cloudformation.amazonaws.com"]}
    assert decision(OTHERS[1], "ec2:CreateTags", ["ekslab:lab-id"], **via) == "Allow"
    assert (
        decision(OTHERS[1], "ec2:CreateTags", ["ekslab:lab-id"], **{"aws:calledvia": ["athena.amazonaws.com"]})
        == "Deny"
    )


def test_a_service_s_own_principal_is_not_bound() -> None:
    assert decision(OTHERS[1], "ec2:CreateTags", ["ekslab:lab-id"], **{"aws:principalisawsservice": "true"}) == "Allow"


def test_it_only_denies_and_is_short_enough_for_organizations() -> None:
    """A service control policy has at most 5,120 characters (AWS Organizations quotas)."""
    assert {statement["Effect"] for statement in SCP["Statement"]} == {"Deny"}
    assert len(json.dumps(SCP, separators=(",", ":"))) <= 5120
