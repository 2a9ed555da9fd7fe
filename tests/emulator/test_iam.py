"""The sandbox's IAM checks what AWS checks: tags of existing and new resources, parts of an instance, passed roles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Credentials, Sandbox

Json = dict[str, Any]
Allow = Callable[[list[Json]], Credentials]


@pytest.fixture
def user_with(sandbox: Sandbox) -> Iterator[Allow]:
    """A user with these statements."""
    iam = sandbox.client("iam")
    iam.create_user(UserName="asker")

    def make(statements: list[Json]) -> Credentials:
        said = [{"Effect": "Allow", "Resource": "*", **each} for each in statements]
        document = json.dumps({"Version": "2012-10-17", "Statement": said})
        iam.put_user_policy(UserName="asker", PolicyName="only", PolicyDocument=document)
        return sandbox.credentials_for("asker")

    yield make
    for key in iam.list_access_keys(UserName="asker")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="asker", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="asker", PolicyName="only")
    iam.delete_user(UserName="asker")


def refusal(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value)


def test_what_is_born_with_tags_needs_the_right_to_tag_it(sandbox: Sandbox, user_with: Allow) -> None:
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "ekslab:lab-id", "Value": "lab-1"}]}]
    volume = sandbox.client("ec2").create_volume(AvailabilityZone="ap-northeast-2a", Size=1)["VolumeId"]

    unable = sandbox.client("ec2", credentials=user_with([{"Action": "ec2:CreateSnapshot"}]))
    assert "ec2:CreateTags" in refusal(unable.create_snapshot, VolumeId=volume, TagSpecifications=tags)

    born = {"Action": "ec2:CreateTags", "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}}}
    able = sandbox.client("ec2", credentials=user_with([{"Action": "ec2:CreateSnapshot"}, born]))
    able.create_snapshot(VolumeId=volume, TagSpecifications=tags)
    assert "CreateTags" in refusal(able.create_tags, Resources=[volume], Tags=tags[0]["Tags"])


def test_a_key_pair_must_carry_the_tag_that_a_condition_wants(sandbox: Sandbox, user_with: Allow) -> None:
    born = {"Action": "ec2:ImportKeyPair", "Condition": {"Null": {"aws:RequestTag/ekslab:lab-id": "false"}}}
    ours = {"Action": "ec2:DeleteKeyPair", "Condition": {"Null": {"aws:ResourceTag/ekslab:lab-id": "false"}}}
    ec2 = sandbox.client("ec2", credentials=user_with([born, ours, {"Action": "ec2:CreateTags"}]))
    key = {"KeyName": "tagged", "PublicKeyMaterial": b"ssh-ed25519 AAAA somebody"}
    tags = [{"ResourceType": "key-pair", "Tags": [{"Key": "ekslab:lab-id", "Value": "lab-1"}]}]
    theirs = sandbox.client("ec2").create_key_pair(KeyName="theirs")["KeyPairId"]

    assert "ec2:ImportKeyPair" in refusal(ec2.import_key_pair, **key)
    made = ec2.import_key_pair(**key, TagSpecifications=tags)["KeyPairId"]
    assert "ec2:DeleteKeyPair" in refusal(ec2.delete_key_pair, KeyPairId=theirs)
    ec2.delete_key_pair(KeyPairId=made)
    ec2.import_key_pair(**key, TagSpecifications=tags)
    ec2.delete_key_pair(KeyName="tagged")


def test_a_stack_needs_the_role_that_a_condition_names(sandbox: Sandbox, user_with: Allow) -> None:
    named = {"ArnEquals": {"cloudformation:RoleArn": "arn:aws:iam::111122223333:role/stacks"}}
    may = [{"Action": "cloudformation:CreateStack", "Condition": named}, {"Action": "iam:PassRole"}]
    cloudformation = sandbox.client("cloudformation", credentials=user_with(may))
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    assert "cloudformation:CreateStack" in refusal(cloudformation.create_stack, StackName="mine", TemplateBody=template)


def test_a_change_of_the_support_type_says_so_and_no_other_change_does(sandbox: Sandbox, user_with: Allow) -> None:
    only = {"Action": "eks:UpdateClusterConfig", "Condition": {"Null": {"eks:supportType": "false"}}}
    eks = sandbox.client("eks", credentials=user_with([only]))
    opened = {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}
    assert "eks:UpdateClusterConfig" in refusal(eks.update_cluster_config, name="none", resourcesVpcConfig=opened)
    assert "AccessDenied" in refusal(eks.update_cluster_config, name="none", deletionProtection=False)
    asked = refusal(eks.update_cluster_config, name="none", upgradePolicy={"supportType": "EXTENDED"})
    assert "ResourceNotFoundException" in asked


def test_roles_that_are_made_on_the_way_want_their_right(sandbox: Sandbox, user_with: Allow) -> None:
    asked = {"name": "mine", "roleArn": "arn:aws:iam::111122223333:role/mine", "resourcesVpcConfig": {"subnetIds": []}}
    may = [{"Action": ["eks:CreateCluster", "iam:PassRole", "ec2:Describe*"]}]
    known = [asked["roleArn"], "arn:aws:iam::*:role/aws-service-role/*"]
    eks = sandbox.client("eks", credentials=user_with([*may, {"Action": "iam:GetRole", "Resource": known}]))
    assert "iam:GetRole" in refusal(eks.create_cluster, **asked), "a role that is not there is known by its name alone"
    known.append("arn:aws:iam::*:role/AWSServiceRoleForAmazonEKS*")
    eks = sandbox.client("eks", credentials=user_with([*may, {"Action": "iam:GetRole", "Resource": known}]))
    assert "iam:CreateServiceLinkedRole" in refusal(eks.create_cluster, **asked)


def test_eks_looks_at_the_network_with_the_callers_rights(sandbox: Sandbox, user_with: Allow) -> None:
    asked = {"name": "mine", "roleArn": "arn:aws:iam::111122223333:role/mine", "resourcesVpcConfig": {"subnetIds": []}}
    may = [{"Action": ["eks:CreateCluster", "iam:PassRole", "iam:GetRole", "ec2:DescribeSubnets"]}]
    eks = sandbox.client("eks", credentials=user_with(may))
    assert "ec2:DescribeVpcs" in refusal(eks.create_cluster, **asked)


def test_an_image_named_by_a_parameter_wants_the_right_to_read_it(sandbox: Sandbox, user_with: Allow) -> None:
    ec2 = sandbox.client("ec2", credentials=user_with([{"Action": "ec2:*"}]))
    image = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    assert "ssm:GetParameters" in refusal(ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1)


def test_the_price_list_is_not_for_everyone(sandbox: Sandbox, user_with: Allow) -> None:
    unable = sandbox.client("pricing", credentials=user_with([{"Action": "ec2:*"}]))
    assert "pricing:GetProducts" in refusal(unable.get_products, ServiceCode="AmazonEKS")
    able = sandbox.client("pricing", credentials=user_with([{"Action": "pricing:GetProducts"}]))
    assert able.get_products(ServiceCode="AmazonEKS")["PriceList"], "there is a price list since labs have a cost"
