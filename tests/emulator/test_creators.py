"""Fields that only AWS writes, which show a resource's creator without CloudTrail.

Sources: `LaunchTemplate.CreatedBy` and `NetworkInterface.RequesterId` of botocore's model; an EKS launch template's CreatedBy
`arn:aws:sts::<account>:assumed-role/AWSServiceRoleForAmazonEKSNodegroup/EKS` and a requester `AROA…:session` as recorded in
public repositories; IAM user guide, "Unique identifiers".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox
from tests.emulator.test_autoscaling import IMAGE, until


@pytest.fixture(scope="module")
def subnet(sandbox: Sandbox) -> str:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.11.0.0/16")["Vpc"]["VpcId"]
    zone = "ap-northeast-2a"
    made: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.11.0.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
    return made


@pytest.fixture
def karpenter(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    """A role with all rights in EC2."""
    iam = sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": ["ec2:*", "iam:PassRole"], "Resource": "*"}
    role = iam.create_role(RoleName="karpenter", AssumeRolePolicyDocument=policy(trust))["Role"]
    iam.put_role_policy(RoleName="karpenter", PolicyName="may", PolicyDocument=policy(allowed))
    yield role
    iam.delete_role_policy(RoleName="karpenter", PolicyName="may")
    iam.delete_role(RoleName="karpenter")


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_launch_template_says_who_made_it_and_each_version(sandbox: Sandbox, karpenter: dict[str, Any]) -> None:
    session = sandbox.session(karpenter["RoleName"], "1790000000000000000")
    theirs, ours = sandbox.client("ec2", credentials=session), sandbox.client("ec2")
    data = {"ImageId": IMAGE, "InstanceType": "t3.micro"}
    made = theirs.create_launch_template(LaunchTemplateName="created-by", LaunchTemplateData=data)["LaunchTemplate"]
    creator = f"arn:aws:sts::{sandbox.account}:assumed-role/karpenter/1790000000000000000"
    assert made["CreatedBy"] == creator
    ours.create_launch_template_version(LaunchTemplateId=made["LaunchTemplateId"], LaunchTemplateData=data)
    [seen] = ours.describe_launch_templates(LaunchTemplateNames=["created-by"])["LaunchTemplates"]
    assert seen["CreatedBy"] == creator
    versions = ours.describe_launch_template_versions(LaunchTemplateName="created-by")["LaunchTemplateVersions"]
    root = f"arn:aws:iam::{sandbox.account}:root"
    assert {each["VersionNumber"]: each["CreatedBy"] for each in versions} == {1: creator, 2: root}


def test_an_interface_says_who_asked_for_it(sandbox: Sandbox, karpenter: dict[str, Any], subnet: str) -> None:
    session = sandbox.session(karpenter["RoleName"], "i-0123456789abcdef0")
    theirs = sandbox.client("ec2", credentials=session)
    made = theirs.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    assert made["RequesterId"] == f"{karpenter['RoleId']}:i-0123456789abcdef0"
    assert made["RequesterManaged"] is False
    own = sandbox.client("ec2").create_network_interface(SubnetId=subnet)["NetworkInterface"]
    assert own["RequesterId"] == sandbox.account


def test_an_instance_names_its_profile_by_arn_and_unique_id(sandbox: Sandbox, subnet: str) -> None:
    profile = sandbox.client("iam").create_instance_profile(InstanceProfileName="unique")["InstanceProfile"]
    ec2 = sandbox.client("ec2")
    instance = ec2.run_instances(
        ImageId=IMAGE,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        IamInstanceProfile={"Name": "unique"},
    )["Instances"][0]["InstanceId"]
    seen = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["IamInstanceProfile"]
    assert seen == {"Arn": profile["Arn"], "Id": profile["InstanceProfileId"]}
    assert profile["InstanceProfileId"].startswith("AIPA")


def test_a_protected_stack_is_not_deleted(sandbox: Sandbox) -> None:
    """Source: CloudFormation user guide, "Protect CloudFormation stacks from being deleted"."""
    stacks = sandbox.client("cloudformation")
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    stacks.create_stack(StackName="protected", TemplateBody=template, EnableTerminationProtection=True)
    until(lambda: stacks.describe_stacks(StackName="protected")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    with pytest.raises(ClientError) as refused:
        stacks.delete_stack(StackName="protected")
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert error["Message"] == "Stack [protected] cannot be deleted while TerminationProtection is enabled"
    stacks.update_termination_protection(StackName="protected", EnableTerminationProtection=False)
    stacks.delete_stack(StackName="protected")


def test_an_elastic_ip_is_listed_with_its_tags_and_stays_until_it_is_released(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    tags = [{"Key": "Name", "Value": "by-hand"}]
    specification = [{"ResourceType": "elastic-ip", "Tags": tags}]
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=specification)["AllocationId"]
    [seen] = ec2.describe_addresses(Filters=[{"Name": "tag:Name", "Values": ["by-hand"]}])["Addresses"]
    assert (seen["AllocationId"], seen["Tags"]) == (made, tags)
    assert "AssociationId" not in seen
    ec2.release_address(AllocationId=made)
    assert ec2.describe_addresses(Filters=[{"Name": "tag:Name", "Values": ["by-hand"]}])["Addresses"] == []


def test_an_interface_and_its_elastic_ip_name_each_other(sandbox: Sandbox, subnet: str) -> None:
    ec2 = sandbox.client("ec2")
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address, other = (ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(2))
    association = ec2.associate_address(AllocationId=address, NetworkInterfaceId=interface)["AssociationId"]
    [seen] = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert (seen["Association"]["AllocationId"], seen["Association"]["AssociationId"]) == (address, association)
    [seen] = ec2.describe_addresses(AllocationIds=[address])["Addresses"]
    assert seen["NetworkInterfaceId"] == interface
    with pytest.raises(ClientError, match="AlreadyAssociated"):
        ec2.associate_address(AllocationId=other, NetworkInterfaceId=interface)
    with pytest.raises(ClientError, match="InUse"):
        ec2.release_address(AllocationId=address)
    ec2.disassociate_address(AssociationId=association)
    ec2.release_address(AllocationId=address)
    ec2.release_address(AllocationId=other)
    [seen] = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert "Association" not in seen
    ec2.delete_network_interface(NetworkInterfaceId=interface)
