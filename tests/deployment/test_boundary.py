"""The boundary of labs' roles: it allows all of their policies, and denies everything critical elsewhere."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from chalicelib.domain.stack.roles import boundary_name
from tests.deployment.rights import CHALICE
from tests.domain.stack.test_template import LABS, resources

RESOURCES: dict[str, Any] = json.loads((CHALICE / "template.json").read_text())["Resources"]
BOUNDARY = RESOURCES["LabBoundary"]["Properties"]
MANAGED = json.loads(aws_managed_policies_data)


def bounded() -> list[str]:
    statements = BOUNDARY["PolicyDocument"]["Statement"]
    return [action for said in statements if said["Effect"] == "Allow" for action in listed(said["Action"])]


def listed(actions: Any) -> list[str]:
    return [actions] if isinstance(actions, str) else list(actions)


def roles() -> Iterator[dict[str, Any]]:
    for lab in LABS.values():
        for made in resources(replace(lab, installation="prod")).values():
            if made["Type"] == "AWS::IAM::Role":
                yield made["Properties"]


def test_all_that_policies_of_labs_roles_allow_is_within_the_boundary() -> None:
    names = {
        str(arn).rpartition("policy/")[2].strip("'}") for role in roles() for arn in role.get("ManagedPolicyArns", [])
    }
    documents = [MANAGED[name.rpartition("/")[2]]["Document"] for name in names]
    documents += [policy["PolicyDocument"] for role in roles() for policy in role.get("Policies", [])]
    allowed = {action for each in documents for said in each["Statement"] for action in listed(said["Action"])}
    assert len(documents) > 7
    assert {action for action in allowed if not any(fnmatch.fnmatchcase(action, known) for known in bounded())} == set()


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreateRole", "iam:PassRole", "sts:AssumeRole", "s3:GetObject", "secretsmanager:GetSecretValue",
        "ec2:RunInstances", "ec2:CreateVpc", "eks:CreateCluster", "eks:CreateAccessEntry", "ssm:SendCommand",
        "lambda:InvokeFunction", "dynamodb:GetItem", "cloudformation:CreateStack",
    ],
)  # fmt: skip
def test_nothing_that_makes_more_of_it_is(action: str) -> None:
    assert [known for known in bounded() if fnmatch.fnmatchcase(action, known)] == []


def test_every_role_of_a_lab_of_an_installation_has_it() -> None:
    name = f"{BOUNDARY['Path']}{BOUNDARY['ManagedPolicyName']['Fn::Sub'].replace('${AWS::StackName}', 'prod')}"
    assert boundary_name("prod") == name
    assert all(name in str(role["PermissionsBoundary"]) for role in roles())


def test_labs_stacks_cannot_make_or_widen_a_role_without_it() -> None:
    statements = RESOURCES["LabStackRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    widening = ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy")
    found = [said for said in statements if {*widening} & {*listed(said["Action"])}]
    assert [said["Condition"]["ArnEquals"]["iam:PermissionsBoundary"] for said in found] == [{"Ref": "LabBoundary"}] * 2
    never = ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy")
    assert not {*never} & {action for said in statements for action in listed(said["Action"])}
