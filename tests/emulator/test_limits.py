"""Requests that AWS refuses by themselves. moto, an independent emulator, runs the same cases wherever it knows the refusal.

Sources: EC2's "Error codes"; API references of CreateSubnet, AuthorizeSecurityGroupIngress, RunInstances, CreateTags,
StartExecution and Publish; botocore's models for lengths and patterns; the words as quoted in the issues that
emulator/ec2/limits.py names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from emulator.process import Credentials, Sandbox

Client = Callable[[str], Any]
IMAGE = "ami-0e5a1b2c3d4e5f607"
SSH = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.1/32"}]}]


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield lambda service: boto3.client(service, region_name="ap-northeast-2")


@pytest.fixture(params=["ours", "moto"])
def client(request: pytest.FixtureRequest, sandbox: Sandbox) -> Client:
    found: Client = sandbox.client if request.param == "ours" else request.getfixturevalue("moto")
    return found


@pytest.fixture
def vpc(client: Client) -> str:
    made: str = client("ec2").create_vpc(CidrBlock="10.21.0.0/16")["Vpc"]["VpcId"]
    return made


def refusal(call: Callable[[], Any]) -> dict[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    return dict(refused.value.response["Error"])


def trust(service: str) -> str:
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def test_subnets_do_not_overlap(client: Client, vpc: str) -> None:
    client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.21.1.0/24")
    error = refusal(lambda: client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.21.1.128/25"))
    assert error == {
        "Code": "InvalidSubnet.Conflict",
        "Message": "The CIDR '10.21.1.128/25' conflicts with another subnet",
    }


def test_a_subnet_is_inside_its_vpc(client: Client, vpc: str) -> None:
    error = refusal(lambda: client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.99.0.0/24"))
    assert error == {"Code": "InvalidSubnet.Range", "Message": "The CIDR '10.99.0.0/24' is invalid."}


@pytest.mark.parametrize("block", ["10.0.0.0/8", "10.1.0.0/29"])
def test_a_vpc_has_a_range_of_a_size(client: Client, block: str) -> None:
    error = refusal(lambda: client("ec2").create_vpc(CidrBlock=block))
    assert error == {"Code": "InvalidVpc.Range", "Message": f"The CIDR '{block}' is invalid."}


def test_what_is_not_there_gets_no_tags(sandbox: Sandbox) -> None:
    ec2, tags = sandbox.client("ec2"), [{"Key": "k", "Value": "v"}]
    error = refusal(lambda: ec2.create_tags(Resources=["i-0fb7af9af917db726"], Tags=tags))
    message = "The instance ID 'i-0fb7af9af917db726' does not exist"
    assert error == {"Code": "InvalidInstanceID.NotFound", "Message": message}
    vpc = ec2.create_vpc(CidrBlock="10.25.0.0/16")["Vpc"]["VpcId"]
    ec2.delete_vpc(VpcId=vpc)
    assert refusal(lambda: ec2.create_tags(Resources=[vpc], Tags=tags))["Code"] == "InvalidVpcID.NotFound"


def test_a_rule_is_added_once_and_taken_away_once(client: Client, vpc: str) -> None:
    ec2 = client("ec2")
    group = {"GroupId": ec2.create_security_group(GroupName="rules", Description="x", VpcId=vpc)["GroupId"]}
    ec2.authorize_security_group_ingress(**group, IpPermissions=SSH)
    error = refusal(lambda: ec2.authorize_security_group_ingress(**group, IpPermissions=SSH))
    message = 'the specified rule "peer: 192.0.2.1/32, TCP, from port: 22, to port: 22, ALLOW" already exists'
    assert error["Code"] == "InvalidPermission.Duplicate"
    assert error["Message"] in (message, "The specified rule already exists"), "moto's own words"
    ec2.revoke_security_group_ingress(**group, IpPermissions=SSH)
    error = refusal(lambda: ec2.revoke_security_group_ingress(**group, IpPermissions=SSH))
    assert error["Code"] == "InvalidPermission.NotFound"


def test_a_rule_that_names_a_group_is_a_rule_of_its_own(client: Client, vpc: str) -> None:
    ec2 = client("ec2")
    first, second = [
        ec2.create_security_group(GroupName=name, Description="x", VpcId=vpc)["GroupId"] for name in ("one", "two")
    ]
    for peer in (first, second):
        all_of_it = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": peer}]}]
        ec2.authorize_security_group_ingress(GroupId=first, IpPermissions=all_of_it)
        error = refusal(lambda: ec2.authorize_security_group_ingress(GroupId=first, IpPermissions=all_of_it))  # noqa: B023
        assert error["Code"] == "InvalidPermission.Duplicate"


def test_a_group_s_description_is_ascii(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.22.0.0/16")["Vpc"]["VpcId"]
    error = refusal(lambda: ec2.create_security_group(GroupName="x", Description="실습", VpcId=vpc))
    assert error["Code"] == "InvalidParameterValue"


def test_a_missing_profile_or_key_keeps_an_instance_from_starting(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    one = {"ImageId": IMAGE, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    error = refusal(lambda: ec2.run_instances(**one, IamInstanceProfile={"Name": "absent"}))
    assert error["Code"] == "InvalidParameterValue"
    assert error["Message"].endswith(
        "for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
    )
    error = refusal(lambda: ec2.run_instances(**one, KeyName="absent"))
    assert error == {"Code": "InvalidKeyPair.NotFound", "Message": "The key pair 'absent' does not exist"}


def test_an_image_fits_its_instance_type(sandbox: Sandbox) -> None:
    path = "/aws/service/eks/optimized-ami/1.36/amazon-linux-2023/{}/standard/recommended/image_id"
    arm, intel = [
        sandbox.client("ssm").get_parameter(Name=path.format(each))["Parameter"]["Value"]
        for each in ("arm64", "x86_64")
    ]
    ec2, one = sandbox.client("ec2"), {"MinCount": 1, "MaxCount": 1}
    error = refusal(lambda: ec2.run_instances(ImageId=arm, InstanceType="t3.micro", **one))
    assert error["Code"] == "InvalidParameterValue"
    start = "The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64'"
    assert error["Message"].startswith(start)
    assert refusal(lambda: ec2.run_instances(ImageId=intel, InstanceType="m7g.large", **one))["Code"] == error["Code"]


def test_aws_s_own_tags_are_not_for_users(sandbox: Sandbox) -> None:
    iam, ec2 = sandbox.client("iam"), sandbox.client("ec2")
    iam.create_user(UserName="tagger")
    document = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [document]})
    iam.put_user_policy(UserName="tagger", PolicyName="may", PolicyDocument=policy)
    keys: Credentials = sandbox.credentials_for("tagger")
    volume = ec2.create_volume(AvailabilityZone="ap-northeast-2a", Size=1)["VolumeId"]
    theirs = sandbox.client("ec2", credentials=keys)
    stolen = [{"Key": "aws:cloudformation:stack-id", "Value": "ours"}]
    error = refusal(lambda: theirs.create_tags(Resources=[volume], Tags=stolen))
    assert error["Code"] == "InvalidParameterValue"
    assert error["Message"].endswith("Tag keys starting with 'aws:' are reserved for internal use")
    given = [{"ResourceType": "vpc", "Tags": stolen}]
    error = refusal(lambda: theirs.create_vpc(CidrBlock="10.26.0.0/16", TagSpecifications=given))
    assert error["Code"] == "InvalidParameterValue"


def test_a_resource_has_fifty_tags(client: Client, vpc: str) -> None:
    fifty = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    client("ec2").create_tags(Resources=[vpc], Tags=fifty)
    client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "k1", "Value": "other"}])
    error = refusal(lambda: client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "more", "Value": "v"}]))
    assert error["Code"] == "TagLimitExceeded"


def test_a_role_keeps_its_path(client: Client) -> None:
    iam, document = client("iam"), trust("ec2.amazonaws.com")
    role = iam.create_role(RoleName="in-a-path", Path="/labs/", AssumeRolePolicyDocument=document)["Role"]
    assert (role["Path"], role["Arn"].partition(":role/")[2]) == ("/labs/", "labs/in-a-path")


def test_a_role_s_name_and_tags_have_limits(sandbox: Sandbox) -> None:
    iam, document = sandbox.client("iam"), trust("ec2.amazonaws.com")
    tags = [{"Key": "owner", "Value": "a;b"}]
    error = refusal(lambda: iam.create_role(RoleName="tagged", AssumeRolePolicyDocument=document, Tags=tags))
    assert error["Code"] == "ValidationError"
    error = refusal(lambda: iam.create_role(RoleName="r" * 65, AssumeRolePolicyDocument=document))
    assert error["Code"] == "ValidationError"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": "owner", "Value": "v" * 257}], "ValidationError"),
        ([{"Key": "k" * 129, "Value": "v"}], "ValidationError"),
        ([{"Key": "a;b", "Value": "v"}], "ValidationError"),
        ([{"Key": f"k{number}", "Value": "v"} for number in range(51)], "ValidationError"),
        ([{"Key": "Owner", "Value": "v"}, {"Key": "owner", "Value": "v"}], "InvalidInput"),
    ],
    ids=["long value", "long key", "character", "51", "twice"],
)
def test_what_a_role_s_tags_may_be(client: Client, tags: list[dict[str, str]], code: str) -> None:
    iam, document = client("iam"), trust("ec2.amazonaws.com")
    error = refusal(lambda: iam.create_role(RoleName="with-tags", AssumeRolePolicyDocument=document, Tags=tags))
    assert error["Code"] == code


@pytest.mark.parametrize("name", ["x" * 81, "with a space", "semi;colon"])
def test_an_execution_s_name_is_short_and_plain(sandbox: Sandbox, role: str, name: str) -> None:
    states = sandbox.client("stepfunctions")
    definition = json.dumps({"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}})
    machine = states.create_state_machine(name="named", definition=definition, roleArn=role)["stateMachineArn"]
    try:
        error = refusal(lambda: states.start_execution(stateMachineArn=machine, name=name))
        assert error["Code"] == "InvalidName"
        states.start_execution(stateMachineArn=machine, name="x" * 80)
    finally:
        states.delete_state_machine(stateMachineArn=machine)


@pytest.mark.parametrize("subject", ["x" * 100, "two\nlines", "two\u2028lines", "a\x85b"])
def test_a_message_s_subject_is_short_and_one_line(sandbox: Sandbox, subject: str) -> None:
    sns = sandbox.client("sns")
    topic = sns.create_topic(Name="subjects")["TopicArn"]
    error = refusal(lambda: sns.publish(TopicArn=topic, Message="m", Subject=subject))
    assert error == {"Type": "Sender", "Code": "InvalidParameter", "Message": "Invalid parameter: Subject"}
    sns.publish(TopicArn=topic, Message="m", Subject="가" * 99)


@pytest.mark.parametrize("kind", ["missing", "other trust"])
def test_eks_says_of_a_wrong_role_what_it_says_on_aws(sandbox: Sandbox, kind: str) -> None:
    iam, ec2 = sandbox.client("iam"), sandbox.client("ec2")
    arn = f"arn:aws:iam::{sandbox.account}:role/absent"
    if kind == "other trust":
        document = trust("ec2.amazonaws.com")
        arn = iam.create_role(RoleName="not-eks", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    vpc = ec2.create_vpc(CidrBlock="10.23.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.23.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"]
        for n, zone in enumerate("ac")
    ]
    network = {"subnetIds": [subnet["SubnetId"] for subnet in subnets]}
    error = refusal(
        lambda: sandbox.client("eks").create_cluster(name="refused", roleArn=arn, resourcesVpcConfig=network)
    )
    message = (
        f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
    )
    assert (error["Code"], error["Message"]) == ("InvalidParameterException", message)


def test_a_public_endpoint_is_for_public_addresses(sandbox: Sandbox) -> None:
    role = sandbox.client("iam").create_role(RoleName="of-eks", AssumeRolePolicyDocument=trust("eks.amazonaws.com"))
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.24.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.24.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"]
        for n, zone in enumerate("ac")
    ]
    cidrs = ["8.8.8.0/24", "10.1.0.128/27", "203.0.113.0/24"]
    network = {"subnetIds": [subnet["SubnetId"] for subnet in subnets], "publicAccessCidrs": cidrs}
    error = refusal(
        lambda: sandbox.client("eks").create_cluster(
            name="refused", roleArn=role["Role"]["Arn"], resourcesVpcConfig=network
        )
    )
    assert error["Code"] == "InvalidParameterException"
    message = "The following CIDRs are not allowed in publicAccessCidrs: [10.1.0.128/27, 203.0.113.0/24]"
    assert error["Message"] == message


OPERATIONS: list[tuple[str, Callable[[Any], Any], str, str]] = [
    ("eks", lambda eks: eks.list_clusters(), "UnrecognizedClientException", "InvalidSignatureException"),
    ("dynamodb", lambda tables: tables.list_tables(), "UnrecognizedClientException", "InvalidSignatureException"),
    ("sts", lambda sts: sts.get_caller_identity(), "InvalidClientTokenId", "SignatureDoesNotMatch"),
    ("cloudformation", lambda stacks: stacks.list_stacks(), "InvalidClientTokenId", "SignatureDoesNotMatch"),
    ("ec2", lambda ec2: ec2.describe_vpcs(), "AuthFailure", "AuthFailure"),
]


@pytest.mark.parametrize(("service", "call", "not_chosen", "none"), OPERATIONS, ids=[each[0] for each in OPERATIONS])
def test_a_region_is_chosen_before_it_is_used_and_one_that_is_none_is_refused(
    sandbox: Sandbox, service: str, call: Callable[[Any], Any], not_chosen: str, none: str
) -> None:
    assert refusal(lambda: call(sandbox.client(service, region="ap-east-1")))["Code"] == not_chosen
    assert refusal(lambda: call(sandbox.client(service, region="ap-middle-7")))["Code"] == none
    sandbox.admin("POST", "regions", ["ap-east-1"])
    call(sandbox.client(service, region="ap-east-1"))
    sandbox.admin("POST", "regions", [])
    call(sandbox.client(service, region="eu-west-3"))


def test_regions_are_listed_with_whether_they_were_chosen(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    every = {each["RegionName"]: each["OptInStatus"] for each in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert (every["ap-northeast-2"], every["ap-east-1"]) == ("opt-in-not-required", "not-opted-in")
    assert {each["OptInStatus"] for each in ec2.describe_regions()["Regions"]} == {"opt-in-not-required"}
