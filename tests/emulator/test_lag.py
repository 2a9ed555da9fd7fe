"""EC2, CloudFormation and IAM in the eventual mode, over HTTP: a role does not find its new resources, root does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Credentials, Sandbox

TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
MAY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def hasty(sandbox: Sandbox) -> Iterator[Any]:
    """Clients of a session of a role with all rights, in the eventual mode."""
    iam, account = sandbox.client("iam"), sandbox.account
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    arn = iam.create_role(RoleName="hasty", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName="hasty", PolicyName="all", PolicyDocument=json.dumps(MAY))
    key = sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="hasty")["Credentials"]
    sandbox.admin("POST", "lag", {"seed": 3, "seconds": 1_000_000})
    who = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    yield lambda service: sandbox.client(service, credentials=who)
    sandbox.admin("POST", "lag", {"seed": None})
    iam.delete_role_policy(RoleName="hasty", PolicyName="all")
    iam.delete_role(RoleName="hasty")


def test_a_role_does_not_find_what_it_has_just_made_and_root_does(sandbox: Sandbox, hasty: Any) -> None:
    vpc = sandbox.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = hasty("ec2").create_security_group(GroupName="young", Description="young", VpcId=vpc)["GroupId"]
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound.*does not exist"):
        hasty("ec2").describe_security_groups(GroupIds=[group])
    hasty("cloudformation").create_stack(StackName="young", TemplateBody=TEMPLATE)
    with pytest.raises(ClientError, match=r"ValidationError.*Stack with id young does not exist"):
        hasty("cloudformation").describe_stacks(StackName="young")
    assert sandbox.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert sandbox.client("cloudformation").describe_stacks(StackName="young")["Stacks"]
    assert sandbox.admin("POST", "lag", {"seed": None})["refused"] == 2
    assert hasty("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"], "after a while it is known"


def test_a_filter_leaves_out_what_is_not_known_yet_and_finds_the_rest(sandbox: Sandbox, hasty: Any) -> None:
    root = sandbox.client("ec2")
    vpc = root.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    old = root.create_security_group(GroupName="old", Description="old", VpcId=vpc)["GroupId"]
    new = hasty("ec2").create_security_group(GroupName="new", Description="new", VpcId=vpc)["GroupId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]

    def seen(ec2: Any) -> set[str]:
        return {group["GroupId"] for group in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]}

    assert seen(hasty("ec2")) == seen(root) - {new}
    assert old in seen(hasty("ec2"))
    sandbox.admin("POST", "lag", {"seed": None})
    assert seen(hasty("ec2")) == seen(root)


def test_iam_does_not_know_the_roles_that_a_stack_has_just_made(sandbox: Sandbox, hasty: Any) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "fresh", "AssumeRolePolicyDocument": trust}}
    hasty("cloudformation").create_stack(
        StackName="roles",
        TemplateBody=json.dumps({"Resources": {"Role": role}}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    made = sandbox.client("cloudformation").get_waiter("stack_create_complete")
    made.wait(StackName="roles", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    sandbox.admin("POST", "lag", {"seed": 3, "seconds": 1_000_000})
    assert hasty("iam").get_role(RoleName="fresh"), "old enough"
    hasty("cloudformation").list_stack_resources(StackName="roles")
    for ask in ("get_role", "list_attached_role_policies", "list_instance_profiles_for_role"):
        with pytest.raises(ClientError, match=r"NoSuchEntity.*role with name fresh cannot be found"):
            getattr(hasty("iam"), ask)(RoleName="fresh")
    assert sandbox.client("iam").get_role(RoleName="fresh")
    sandbox.client("cloudformation").delete_stack(StackName="roles")
