"""Refusals that programs of EKS labs meet, tested on the emulator and on moto, an independent implementation of AWS's
documentation.

Each case ends with the refused request; the code must be the case's in both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from emulator.process import Sandbox

Client = Callable[[str], Any]
Case = Callable[[Client, str], Any]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
WORKER = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"


def _vpc(client: Client) -> str:
    return str(client("ec2").create_vpc(CidrBlock="10.31.0.0/16")["Vpc"]["VpcId"])


def _subnet(client: Client, vpc: str = "") -> str:
    made = client("ec2").create_subnet(VpcId=vpc or _vpc(client), CidrBlock="10.31.1.0/24")
    return str(made["Subnet"]["SubnetId"])


def _group(client: Client, name: str, vpc: str = "") -> str:
    vpc = vpc or _vpc(client)
    return str(client("ec2").create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"])


def _role(client: Client, name: str) -> str:
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    return name


def vpc_with_a_subnet(client: Client, _name: str) -> None:
    vpc = _vpc(client)
    _subnet(client, vpc)
    client("ec2").delete_vpc(VpcId=vpc)


def group_twice(client: Client, name: str) -> None:
    vpc = _vpc(client)
    _group(client, name, vpc)
    _group(client, name, vpc)


def key_pair_twice(client: Client, name: str) -> None:
    client("ec2").create_key_pair(KeyName=name)
    client("ec2").create_key_pair(KeyName=name)


def launch_template_twice(client: Client, name: str) -> None:
    for _ in range(2):
        client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"InstanceType": "t3.micro"})


def role_twice(client: Client, name: str) -> None:
    _role(client, name)
    _role(client, name)


def role_with_a_policy(client: Client, name: str) -> None:
    client("iam").attach_role_policy(RoleName=_role(client, name), PolicyArn=_own_policy(client, name))
    client("iam").delete_role(RoleName=name)


def role_with_an_inline_policy(client: Client, name: str) -> None:
    client("iam").put_role_policy(RoleName=_role(client, name), PolicyName="inline", PolicyDocument=POLICY)
    client("iam").delete_role(RoleName=name)


def role_in_a_profile(client: Client, name: str) -> None:
    client("iam").create_instance_profile(InstanceProfileName=name)
    client("iam").add_role_to_instance_profile(InstanceProfileName=name, RoleName=_role(client, name))
    client("iam").delete_role(RoleName=name)


def profile_with_a_role(client: Client, name: str) -> None:
    client("iam").create_instance_profile(InstanceProfileName=name)
    client("iam").add_role_to_instance_profile(InstanceProfileName=name, RoleName=_role(client, name))
    client("iam").delete_instance_profile(InstanceProfileName=name)


def profile_with_two_roles(client: Client, name: str) -> None:
    client("iam").create_instance_profile(InstanceProfileName=name)
    for each in (name, f"{name}-2"):
        client("iam").add_role_to_instance_profile(InstanceProfileName=name, RoleName=_role(client, each))


def log_group_twice(client: Client, name: str) -> None:
    client("logs").create_log_group(logGroupName=name)
    client("logs").create_log_group(logGroupName=name)


def condition_fails(client: Client, name: str) -> None:
    tables = client("dynamodb")
    keys = {"KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}]}
    keys["AttributeDefinitions"] = [{"AttributeName": "k", "AttributeType": "S"}]
    tables.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **keys)
    for _ in range(2):
        tables.put_item(TableName=name, Item={"k": {"S": "1"}}, ConditionExpression="attribute_not_exists(k)")


def _own_policy(client: Client, name: str) -> str:
    return str(client("iam").create_policy(PolicyName=name, PolicyDocument=POLICY)["Policy"]["Arn"])


def absent(service: str, operation: str, **given: Any) -> Case:
    """Request a missing resource."""

    def ask(client: Client, _name: str) -> None:
        getattr(client(service), operation)(**given)

    ask.__name__ = f"{operation} of {next(iter(given))}"
    return ask


ARN = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:{}/absent/50dc6c495c0c9188"
CASES: list[tuple[Case, str]] = [
    (vpc_with_a_subnet, "DependencyViolation"),
    (group_twice, "InvalidGroup.Duplicate"),
    (key_pair_twice, "InvalidKeyPair.Duplicate"),
    (launch_template_twice, "InvalidLaunchTemplateName.AlreadyExistsException"),
    (absent("ec2", "describe_vpcs", VpcIds=["vpc-0123456789abcdef0"]), "InvalidVpcID.NotFound"),
    (absent("ec2", "describe_subnets", SubnetIds=["subnet-0123456789abcdef0"]), "InvalidSubnetID.NotFound"),
    (absent("ec2", "describe_security_groups", GroupIds=["sg-0a5e1b2c3d4e5f607"]), "InvalidGroup.NotFound"),
    (absent("ec2", "describe_instances", InstanceIds=["i-0123456789abcdef0"]), "InvalidInstanceID.NotFound"),
    (absent("ec2", "describe_volumes", VolumeIds=["vol-0123456789abcdef0"]), "InvalidVolume.NotFound"),
    (absent("ec2", "describe_key_pairs", KeyNames=["absent"]), "InvalidKeyPair.NotFound"),
    (absent("ec2", "terminate_instances", InstanceIds=["i-0123456789abcdef0"]), "InvalidInstanceID.NotFound"),
    (absent("ec2", "delete_volume", VolumeId="vol-0123456789abcdef0"), "InvalidVolume.NotFound"),
    (absent("ec2", "delete_security_group", GroupId="sg-0a5e1b2c3d4e5f607"), "InvalidGroup.NotFound"),
    (absent("ec2", "delete_subnet", SubnetId="subnet-0123456789abcdef0"), "InvalidSubnetID.NotFound"),
    (absent("ec2", "delete_vpc", VpcId="vpc-0123456789abcdef0"), "InvalidVpcID.NotFound"),
    (role_twice, "EntityAlreadyExists"),
    (role_with_a_policy, "DeleteConflict"),
    (role_with_an_inline_policy, "DeleteConflict"),
    (role_in_a_profile, "DeleteConflict"),
    (profile_with_a_role, "DeleteConflict"),
    (profile_with_two_roles, "LimitExceeded"),
    (absent("iam", "get_role", RoleName="absent"), "NoSuchEntity"),
    (absent("iam", "delete_role", RoleName="absent"), "NoSuchEntity"),
    (absent("iam", "get_instance_profile", InstanceProfileName="absent"), "NoSuchEntity"),
    (
        absent("elbv2", "describe_load_balancers", LoadBalancerArns=[ARN.format("loadbalancer/app")]),
        "LoadBalancerNotFound",
    ),
    (absent("elbv2", "describe_target_groups", TargetGroupArns=[ARN.format("targetgroup")]), "TargetGroupNotFound"),
    (absent("elb", "describe_load_balancers", LoadBalancerNames=["absent"]), "LoadBalancerNotFound"),
    (log_group_twice, "ResourceAlreadyExistsException"),
    (absent("logs", "delete_log_group", logGroupName="absent"), "ResourceNotFoundException"),
    (condition_fails, "ConditionalCheckFailedException"),
    (absent("dynamodb", "get_item", TableName="absent", Key={"k": {"S": "1"}}), "ResourceNotFoundException"),
    (absent("sns", "publish", TopicArn="arn:aws:sns:ap-northeast-2:123456789012:absent", Message="m"), "NotFound"),
    (absent("route53", "get_hosted_zone", Id="Z0123456789ABCDEFGHIJ"), "NoSuchHostedZone"),
    (absent("ssm", "get_parameter", Name="/absent"), "ParameterNotFound"),
    (absent("secretsmanager", "get_secret_value", SecretId="absent"), "ResourceNotFoundException"),
]


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield lambda service: boto3.client(service, region_name="ap-northeast-2")


@pytest.mark.parametrize(("case", "code"), CASES, ids=[case.__name__ for case, _ in CASES])
def test_the_emulator_and_moto_refuse_by_the_same_code(sandbox: Sandbox, moto: Client, case: Case, code: str) -> None:
    assert code_of(case, moto) == code
    assert code_of(case, sandbox.client) == code


def code_of(case: Case, client: Client) -> str:
    with pytest.raises(ClientError) as refused:
        case(client, case.__name__.replace("_", "-").replace(" ", "-"))
    return str(refused.value.response["Error"]["Code"])
