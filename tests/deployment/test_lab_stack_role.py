"""LabStackRole allows all calls of CloudFormation's resource handlers for a lab's stack.

The table has the handlers create, read and delete of each type's schema in the CloudFormation registry (seen in August 2026),
without `Describe`, which the role has in full, and without rights for properties that no lab has.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.domain.stack.test_template import LABS, resources
from tests.paths import PROJECT

TEMPLATE = PROJECT / ".chalice/template.json"
HANDLERS: Mapping[str, str] = {
    "EC2::EIP": "AllocateAddress AssociateAddress CreateTags DisassociateAddress ReleaseAddress",
    "EC2::InternetGateway": "CreateInternetGateway CreateTags DeleteInternetGateway",
    "EC2::LaunchTemplate": "CreateLaunchTemplate CreateTags DeleteLaunchTemplate DeleteTags",
    "EC2::NatGateway": "CreateNatGateway CreateTags DeleteNatGateway",
    "EC2::Route": "CreateRoute DeleteRoute",
    "EC2::RouteTable": "CreateRouteTable CreateTags DeleteRouteTable",
    "EC2::SecurityGroup": "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateSecurityGroup CreateTags "
    "DeleteSecurityGroup RevokeSecurityGroupEgress",
    "EC2::SecurityGroupIngress": "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress",
    "EC2::Subnet": "CreateSubnet CreateTags DeleteSubnet ModifySubnetAttribute",
    "EC2::SubnetRouteTableAssociation": "AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation",
    "EC2::VPC": "CreateTags CreateVpc DeleteVpc ModifyVpcAttribute",
    "EC2::VPCGatewayAttachment": "AttachInternetGateway DetachInternetGateway",
    "IAM::InstanceProfile": "AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile "
    "PassRole RemoveRoleFromInstanceProfile",
    "IAM::Role": "AttachRolePolicy CreateRole DeleteRole DeleteRolePolicy DetachRolePolicy GetRole GetRolePolicy "
    "ListAttachedRolePolicies ListRolePolicies PutRolePolicy TagRole UntagRole",
}


def statements() -> list[dict[str, Any]]:
    role: dict[str, Any] = json.loads(TEMPLATE.read_text())["Resources"]["LabStackRole"]["Properties"]
    return [said for policy in role["Policies"] for said in policy["PolicyDocument"]["Statement"]]


def allowed(said: list[dict[str, Any]]) -> Iterator[str]:
    for statement in said:
        actions = statement["Action"]
        yield from [actions] if isinstance(actions, str) else actions


@pytest.mark.parametrize("kind", HANDLERS)
def test_the_role_may_do_what_the_handlers_do(kind: str) -> None:
    service, patterns = kind.partition("::")[0].lower(), list(allowed(statements()))
    wanted = [f"{service}:{name}" for name in HANDLERS[kind].split()]
    wanted += ["ec2:DescribeAnything"] if service == "ec2" else []
    assert [action for action in wanted if not any(fnmatch.fnmatchcase(action, known) for known in patterns)] == []


def test_every_type_that_a_lab_s_stack_has_is_in_the_table() -> None:
    types = {made["Type"].removeprefix("AWS::") for lab in LABS.values() for made in resources(lab).values()}
    assert types == set(HANDLERS)


def test_roles_of_labs_are_handed_to_instances_and_to_nothing_else() -> None:
    """The only role that a stack passes to another resource is the work host's, in its instance profile."""
    passing = [said for said in statements() if "iam:PassRole" in allowed([said])]
    assert [said["Condition"] for said in passing] == [{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}]
    assert [said["Resource"]["Fn::Sub"].rpartition(":")[2] for said in passing] == ["role/ekslab/*"]
    holding = {
        made["Type"]
        for lab in LABS.values()
        for made in resources(lab).values()
        if '"Ref": "WorkHostRole"' in json.dumps(made)
    }
    assert holding == {"AWS::IAM::InstanceProfile"}
