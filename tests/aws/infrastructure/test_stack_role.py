"""A lab's stack with its real service role: it is created and deleted, and another owner's network is out of reach."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws.infrastructure.stacks import CloudFormationStacks
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AddonSpec, NatMode, NewNetwork, SshSpec, WorkHostSpec
from chalicelib.domain.stack.template import lab_template
from emulator.process import Sandbox
from tests.aws.given import a_lab
from tests.aws.infrastructure.test_stacks import create, settled
from tests.deployment import rights

#: The values in the statements (tests/deployment/rights.py).
INSTALLATION = "ekslab"
BOUNDARY = f"arn:aws:iam::111122223333:policy/ekslab/{INSTALLATION}-labs"


@pytest.fixture
def stacks(sandbox: Sandbox) -> CloudFormationStacks:
    """CloudFormation, with the statements of LabStackRole."""
    iam, name = sandbox.client("iam"), f"stacks-{uuid4().hex[:8]}"
    (policy,) = statements()
    document = json.dumps(policy).replace('{"Ref": "LabBoundary"}', json.dumps(BOUNDARY))
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=name, PolicyName="LabStacks", PolicyDocument=json.dumps(rights.filled(json.loads(document)))
    )
    return CloudFormationStacks(sandbox.client("cloudformation"), sandbox.client("ec2"), lambda: str(role))


@pytest.fixture
def lab() -> Lab:
    """A lab with every resource that a stack can have."""
    asked = a_lab(
        network=NewNetwork(nat=NatMode.SINGLE),
        ssh=SshSpec("my-key", None, ("203.0.113.7/32", "2001:db8::/64")),
        work_host=WorkHostSpec(),
        addons=(AddonSpec("aws-ebs-csi-driver"),),
    )
    return replace(asked, id=f"lab-{uuid4().hex[:8]}", installation=INSTALLATION)


def test_a_whole_lab_s_stack_comes_and_goes_with_it(stacks: CloudFormationStacks, lab: Lab) -> None:
    create(stacks, lab)
    state = settled(stacks, lab.stack_name)
    assert (state.status, state.failure) == ("CREATE_COMPLETE", None)
    stacks.delete(lab.stack_name, lab.token("end"))
    with pytest.raises(ResourceGone):
        settled(stacks, lab.stack_name)


@pytest.mark.parametrize(
    ("kind", "properties", "action"),
    [
        (
            "SecurityGroupIngress",
            {"GroupId": "<group>", "IpProtocol": "-1", "CidrIp": "0.0.0.0/0"},
            "AuthorizeSecurityGroupIngress",
        ),
        ("Subnet", {"VpcId": "<vpc>", "CidrBlock": "10.7.9.0/24"}, "CreateSubnet"),
        (
            "Route",
            {"RouteTableId": "<table>", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"},
            "CreateRoute",
        ),
    ],
)
def test_what_is_not_a_lab_s_is_not_changed_with_it(
    stacks: CloudFormationStacks, lab: Lab, sandbox: Sandbox, kind: str, properties: dict[str, str], action: str
) -> None:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="shop", Description="by hand", VpcId=vpc)["GroupId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    text = json.dumps({"Resources": {"Reach": {"Type": f"AWS::EC2::{kind}", "Properties": properties}}})
    for name, there in (("<vpc>", vpc), ("<group>", group), ("<table>", table)):
        text = text.replace(name, there)
    create(stacks, lab, text)
    state = settled(stacks, lab.stack_name)
    assert f"not authorized to perform: ec2:{action}" in str(state.failure)


def test_a_network_that_was_there_can_have_a_guest_s_groups(
    stacks: CloudFormationStacks, lab: Lab, sandbox: Sandbox
) -> None:
    vpc = sandbox.client("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    whole = json.loads(lab_template(lab))["Resources"]
    groups = {name: made for name, made in whole.items() if "Group" in made["Type"]}
    text = json.dumps({"Resources": groups}).replace('{"Ref": "Vpc"}', json.dumps(vpc))
    create(stacks, lab, text)
    assert settled(stacks, lab.stack_name).status == "CREATE_COMPLETE"


def statements() -> list[dict[str, Any]]:
    """The policies of the role in the template."""
    role = json.loads((rights.CHALICE / "template.json").read_text())["Resources"]["LabStackRole"]
    return [policy["PolicyDocument"] for policy in role["Properties"]["Policies"]]
