"""Labs' stacks on the sandbox's CloudFormation."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.aws.infrastructure.stacks import CloudFormationStacks
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import AlreadyExists, ResourceGone
from chalicelib.domain.labs.aws_states import StackState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import NatMode, NewNetwork, SshSpec, WorkHostSpec
from chalicelib.domain.stack.template import lab_parameters, lab_template
from emulator.process import Sandbox
from tests.aws.given import a_lab

ZONES = ("ap-northeast-2a", "ap-northeast-2c")
NOBODY = {"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
REFUSED = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        "Broken": {"Type": "AWS::IAM::Role", "DependsOn": "Vpc", "Properties": {"AssumeRolePolicyDocument": NOBODY}},
    },
}


@pytest.fixture
def stacks(sandbox: Sandbox) -> CloudFormationStacks:
    return CloudFormationStacks(sandbox.client("cloudformation"), sandbox.client("ec2"))


@pytest.fixture
def lab(stacks: CloudFormationStacks) -> Iterator[Lab]:
    """A lab with an id of its own, whose stack is deleted at the end."""
    asked = a_lab(
        network=NewNetwork(nat=NatMode.SINGLE),
        ssh=SshSpec("my-key", None, ("203.0.113.7/32",)),
        work_host=WorkHostSpec(),
    )
    lab = replace(asked, id=f"lab-{uuid4().hex[:8]}")
    yield lab
    stacks.delete(lab.stack_name, lab.token("end"))


def create(stacks: CloudFormationStacks, lab: Lab, template: str | None = None) -> str:
    parameters = {} if template else lab_parameters(lab, ZONES)
    return stacks.create(lab.stack_name, template or lab_template(lab), parameters, lab.tags, lab.token("stack"))


def settled(stacks: CloudFormationStacks, name: str) -> StackState:
    for _ in range(200):
        state = stacks.describe(name)
        if not state.status.endswith("IN_PROGRESS"):
            return state
        time.sleep(0.02)
    raise AssertionError(f"{name} never settled")


def test_a_lab_s_stack_is_made_with_all_its_outputs(stacks: CloudFormationStacks, lab: Lab, sandbox: Sandbox) -> None:
    create(stacks, lab)
    state = settled(stacks, lab.stack_name)
    assert (state.status, state.failure) == ("CREATE_COMPLETE", None)
    assert set(state.outputs) == set(json.loads(lab_template(lab))["Outputs"])
    subnets = sandbox.client("ec2").describe_subnets(SubnetIds=state.outputs["PublicSubnetIds"].split(","))["Subnets"]
    assert sorted(subnet["AvailabilityZone"] for subnet in subnets) == list(ZONES)
    assert state.outputs["ClusterRoleArn"].startswith("arn:aws:iam::111122223333:role/ekslab/")


def test_asking_again_gives_the_same_stack(stacks: CloudFormationStacks, lab: Lab) -> None:
    assert create(stacks, lab) == create(stacks, lab)


def test_a_stack_of_this_name_that_is_another_lab_s_is_refused(stacks: CloudFormationStacks, lab: Lab) -> None:
    create(stacks, lab)
    with pytest.raises(AlreadyExists):
        stacks.create(
            lab.stack_name, lab_template(lab), lab_parameters(lab, ZONES), {"ekslab:lab-id": "other"}, "token"
        )


def test_a_failed_stack_says_which_resource_and_why(stacks: CloudFormationStacks, lab: Lab) -> None:
    create(stacks, lab, json.dumps(REFUSED))
    state = settled(stacks, lab.stack_name)
    assert "FAILED" in state.status or "ROLLBACK" in state.status
    assert state.failed_resources == ("Broken",)
    assert state.failure
    assert "NotPrincipal" in state.failure


def test_resources_have_the_arns_that_aws_knows_them_by(
    stacks: CloudFormationStacks, lab: Lab, sandbox: Sandbox
) -> None:
    create(stacks, lab)
    outputs = settled(stacks, lab.stack_name).outputs
    made = stacks.resources(lab.stack_name)
    arns = {resource.arn for resource in made}
    address = sandbox.client("ec2").describe_addresses()["Addresses"][0]["AllocationId"]
    assert {
        outputs["ClusterRoleArn"],
        outputs["NodeRoleArn"],
        f"arn:aws:ec2:ap-northeast-2:111122223333:vpc/{outputs['VpcId']}",
        f"arn:aws:ec2:ap-northeast-2:111122223333:security-group/{outputs['NodeSecurityGroupId']}",
        f"arn:aws:ec2:ap-northeast-2:111122223333:launch-template/{outputs['LaunchTemplate0Id']}",
        f"arn:aws:ec2:ap-northeast-2:111122223333:elastic-ip/{address}",
        f"arn:aws:iam::111122223333:instance-profile/ekslab/{outputs['WorkHostProfileName']}",
    } <= arns
    counted = [resource.kind for resource in made]
    assert counted.count(Kind.SUBNET) == 4
    assert counted.count(Kind.SECURITY_GROUP) == 4
    assert counted.count(Kind.ROLE) == 4
    assert counted.count(Kind.NAT_GATEWAY) == 1


def test_a_deleted_stack_is_gone_and_so_is_what_it_made(
    stacks: CloudFormationStacks, lab: Lab, sandbox: Sandbox
) -> None:
    create(stacks, lab)
    vpc_id = settled(stacks, lab.stack_name).outputs["VpcId"]
    stacks.delete(lab.stack_name, lab.token("end"))
    with pytest.raises(ResourceGone):
        settled(stacks, lab.stack_name)
    assert stacks.resources(lab.stack_name) == ()
    vpcs = sandbox.client("ec2").describe_vpcs()["Vpcs"]
    assert vpc_id not in [vpc["VpcId"] for vpc in vpcs]
    stacks.delete(lab.stack_name, lab.token("end"))


def test_cloudformation_acts_as_the_role_it_is_given() -> None:
    role = "arn:aws:iam::111122223333:role/ekslab-stacks"
    client = boto3.client("cloudformation", "ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x")
    asked = {
        "StackName": "ekslab-1", "TemplateBody": "{}", "Parameters": [], "Tags": [], "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "OnFailure": "DO_NOTHING", "ClientRequestToken": "token", "RoleARN": role,
    }  # fmt: skip
    with Stubber(client) as stubber:
        stubber.add_response("create_stack", {"StackId": "id"}, asked)
        stubber.add_response(
            "delete_stack", {}, {"StackName": "ekslab-1", "ClientRequestToken": "token", "RoleARN": role}
        )
        stacks = CloudFormationStacks(client, None, lambda: role)
        stacks.create("ekslab-1", "{}", {}, {}, "token")
        stacks.delete("ekslab-1", "token")
        stubber.assert_no_pending_responses()


def test_a_stack_that_never_was_is_gone(stacks: CloudFormationStacks) -> None:
    with pytest.raises(ResourceGone):
        stacks.describe("ekslab-never")
    assert stacks.resources("ekslab-never") == ()
    stacks.delete("ekslab-never", "token")
