"""Stacks: a lab's template is created, with tags; a resource with dependencies fails to be deleted, with the reason."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.cloudformation.durations import SECONDS, ready_after
from emulator.process import Sandbox

NETWORK: dict[str, Any] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "Gateway": {"Type": "AWS::EC2::InternetGateway"},
    "Attachment": {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
    },
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24", "MapPublicIpOnLaunch": True},
    },
    "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
    "Association": {
        "Type": "AWS::EC2::SubnetRouteTableAssociation",
        "Properties": {"SubnetId": {"Ref": "Subnet"}, "RouteTableId": {"Ref": "Table"}},
    },
    "Address": {"Type": "AWS::EC2::EIP", "DependsOn": "Attachment", "Properties": {"Domain": "vpc"}},
    "Nat": {
        "Type": "AWS::EC2::NatGateway",
        "Properties": {"SubnetId": {"Ref": "Subnet"}, "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}},
    },
    "ControlPlaneGroup": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "control plane"},
    },
    "NodeGroup": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "nodes"},
    },
    "NodesFromControlPlane": {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": {"Ref": "NodeGroup"},
            "IpProtocol": "tcp",
            "FromPort": 10250,
            "ToPort": 10250,
            "SourceSecurityGroupId": {"Ref": "ControlPlaneGroup"},
        },
    },
    "ControlPlaneToNodes": {
        "Type": "AWS::EC2::SecurityGroupEgress",
        "Properties": {
            "GroupId": {"Ref": "ControlPlaneGroup"},
            "IpProtocol": "-1",
            "DestinationSecurityGroupId": {"Ref": "NodeGroup"},
        },
    },
    "WorkHost": {
        "Type": "AWS::EC2::Instance",
        "Properties": {
            "ImageId": "ami-0123456789abcdef0",
            "InstanceType": "t3.small",
            "SubnetId": {"Ref": "Subnet"},
            "SecurityGroupIds": [{"Ref": "NodeGroup"}],
        },
    },
}


def outputs_of(template: dict[str, Any]) -> dict[str, Any]:
    return {name: {"Value": {"Ref": name}} for name in template}


@pytest.fixture
def cloudformation(sandbox: Sandbox) -> Any:
    return sandbox.client("cloudformation")


def test_a_labs_network_comes_up_and_goes_without_a_trace(sandbox: Sandbox, cloudformation: Any) -> None:
    ec2 = sandbox.client("ec2")
    made = create(cloudformation, "whole", NETWORK)
    nat = ec2.describe_nat_gateways(NatGatewayIds=[made["Nat"]])["NatGateways"][0]
    assert nat["NatGatewayAddresses"][0]["PublicIp"] == made["Address"]
    group = ec2.describe_security_groups(GroupIds=[made["NodeGroup"]])["SecurityGroups"][0]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == made["ControlPlaneGroup"]
    host = ec2.describe_instances(InstanceIds=[made["WorkHost"]])["Reservations"][0]["Instances"][0]
    assert host["PublicIpAddress"]
    assert delete(cloudformation, "whole")["StackStatus"] == "DELETE_COMPLETE"
    assert not [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if vpc["VpcId"] == made["Vpc"]]
    assert not ec2.describe_addresses()["Addresses"]


def test_a_stacks_tags_and_name_reach_its_resources(sandbox: Sandbox, cloudformation: Any) -> None:
    made = create(cloudformation, "tagged", NETWORK, Tags=[{"Key": "ekslab:lab", "Value": "lab-1"}])
    ec2 = sandbox.client("ec2")
    for name in ("Vpc", "Subnet", "NodeGroup", "Gateway", "Nat", "WorkHost"):
        described = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [made[name]]}])["Tags"]
        tags = {tag["Key"]: tag["Value"] for tag in described}
        assert tags.get("ekslab:lab") == "lab-1", name
        assert tags.get("aws:cloudformation:stack-name") == "tagged", name
        assert tags.get("aws:cloudformation:logical-id") == name
    delete(cloudformation, "tagged")


def test_an_instance_profile_is_known_by_its_name_and_goes_with_the_stack(
    sandbox: Sandbox, cloudformation: Any
) -> None:
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    ]}  # fmt: skip
    template = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Path": "/lab/", "Roles": [{"Ref": "Role"}]}},
    }
    made = create(cloudformation, "profiled", template, Capabilities=["CAPABILITY_IAM"])
    iam = sandbox.client("iam")
    profile = iam.get_instance_profile(InstanceProfileName=made["Profile"])["InstanceProfile"]
    assert profile["Arn"].endswith(f":instance-profile/lab/{made['Profile']}")
    assert [role["RoleName"] for role in profile["Roles"]] == [made["Role"]]
    assert delete(cloudformation, "profiled")["StackStatus"] == "DELETE_COMPLETE"
    assert made["Profile"] not in [
        each["InstanceProfileName"] for each in iam.list_instance_profiles()["InstanceProfiles"]
    ]


def test_a_stack_whose_subnet_is_in_use_stays_and_names_it(sandbox: Sandbox, cloudformation: Any) -> None:
    ec2 = sandbox.client("ec2")
    made = create(cloudformation, "blocked", NETWORK)
    leak = ec2.create_network_interface(SubnetId=made["Subnet"], Groups=[made["NodeGroup"]])["NetworkInterface"]
    stack = delete(cloudformation, "blocked")
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "Subnet" in stack["StackStatusReason"]
    failed = {
        event["LogicalResourceId"]: event["ResourceStatusReason"]
        for event in cloudformation.describe_stack_events(StackName="blocked")["StackEvents"]
        if event["ResourceStatus"] == "DELETE_FAILED" and event["ResourceType"] != "AWS::CloudFormation::Stack"
    }
    assert "has dependencies and cannot be deleted" in failed["Subnet"]
    assert "DependencyViolation" in failed["NodeGroup"]
    ec2.delete_network_interface(NetworkInterfaceId=leak["NetworkInterfaceId"])
    assert delete(cloudformation, "blocked")["StackStatus"] == "DELETE_COMPLETE"


def test_a_blocked_resource_can_be_retained(sandbox: Sandbox, cloudformation: Any) -> None:
    ec2 = sandbox.client("ec2")
    made = create(cloudformation, "retained", NETWORK)
    ec2.create_network_interface(SubnetId=made["Subnet"])
    assert delete(cloudformation, "retained")["StackStatus"] == "DELETE_FAILED"
    stack = delete(cloudformation, "retained", RetainResources=["Subnet", "Vpc"])
    assert stack["StackStatus"] == "DELETE_COMPLETE"
    assert ec2.describe_subnets(SubnetIds=[made["Subnet"]])["Subnets"]


def test_a_resource_with_deletion_policy_retain_outlives_its_stack(sandbox: Sandbox, cloudformation: Any) -> None:
    kept = {"Vpc": {**NETWORK["Vpc"], "DeletionPolicy": "Retain"}}
    vpc = create(cloudformation, "kept", kept)["Vpc"]
    assert delete(cloudformation, "kept")["StackStatus"] == "DELETE_COMPLETE"
    assert sandbox.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]


def test_a_failed_resource_fails_the_stack_with_its_reason_and_rolls_back(
    sandbox: Sandbox, cloudformation: Any
) -> None:
    nowhere = {**NETWORK, "Nat": {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": "subnet-0"}}}
    with pytest.raises(AssertionError, match="subnet-0"):
        create(cloudformation, "failing", nowhere)
    assert wait(cloudformation, "failing")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert not sandbox.client("ec2").describe_addresses()["Addresses"]


def test_the_same_creation_twice_is_one_stack_when_it_has_a_token(cloudformation: Any) -> None:
    template = json.dumps({"Resources": {"Vpc": NETWORK["Vpc"]}})
    first = cloudformation.create_stack(StackName="once", TemplateBody=template, ClientRequestToken="token")
    wait(cloudformation, "once")
    again = cloudformation.create_stack(StackName="once", TemplateBody=template, ClientRequestToken="token")
    assert again["StackId"] == first["StackId"]
    with pytest.raises(ClientError, match="AlreadyExists"):
        cloudformation.create_stack(StackName="once", TemplateBody=template, ClientRequestToken="other")
    delete(cloudformation, "once")


def test_a_stacks_role_needs_the_rights_for_each_of_its_resources(sandbox: Sandbox, cloudformation: Any) -> None:
    allowed = ["ec2:CreateVpc", "ec2:DeleteVpc", "ec2:CreateSecurityGroup"]
    role = make_role(sandbox, "network-builder", allowed)
    vpc = {"Vpc": NETWORK["Vpc"]}
    subnet = {"Subnet": {"Type": "AWS::EC2::Subnet", "Properties": NETWORK["Subnet"]["Properties"]}}
    with pytest.raises(AssertionError, match="not authorized to perform: ec2:CreateSubnet"):
        create(cloudformation, "lacking", vpc | subnet, RoleARN=role)
    group = {"NodeGroup": NETWORK["NodeGroup"]}
    create(cloudformation, "stuck", vpc | group, RoleARN=role)
    assert cloudformation.describe_stacks(StackName="stuck")["Stacks"][0]["RoleARN"] == role
    assert delete(cloudformation, "stuck")["StackStatus"] == "DELETE_FAILED"
    sandbox.client("iam").put_role_policy(
        RoleName="network-builder", PolicyName="more", PolicyDocument=policy([*allowed, "ec2:DeleteSecurityGroup"])
    )
    assert delete(cloudformation, "stuck")["StackStatus"] == "DELETE_COMPLETE"


def make_role(sandbox: Sandbox, name: str, actions: list[str]) -> str:
    iam = sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=policy(actions))
    return str(arn)


def policy(actions: list[str]) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create(cloudformation: Any, name: str, resources: dict[str, Any], **more: Any) -> dict[str, str]:
    template = {"Resources": resources, "Outputs": outputs_of(resources)}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template), **more)
    stack = wait(cloudformation, name)
    reasons = [
        event.get("ResourceStatusReason")
        for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        if event["ResourceStatus"].endswith("FAILED")
    ]
    assert stack["StackStatus"] == "CREATE_COMPLETE", reasons
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def delete(cloudformation: Any, name: str, **more: Any) -> Any:
    stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=name, **more)
    return wait(cloudformation, stack_id)


def wait(cloudformation: Any, name: str) -> Any:
    deadline = time.monotonic() + 10
    while (stack := cloudformation.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith("PROGRESS"):
        assert time.monotonic() < deadline, stack["StackStatus"]
        time.sleep(0.02)
    return stack


def test_a_stack_is_there_after_the_longest_path_through_its_resources() -> None:
    ready = ready_after(NETWORK)
    assert ready["Nat"] == SECONDS["AWS::EC2::VPC"] + SECONDS["AWS::EC2::Subnet"] + SECONDS["AWS::EC2::NatGateway"]
    assert max(ready.values()) == ready["Nat"]
    assert ready["Vpc"] == ready["ControlPlaneGroup"] == ready["Table"] == SECONDS["AWS::EC2::VPC"]


def test_a_stack_that_is_deleted_while_it_is_made_leaves_nothing(sandbox: Sandbox) -> None:
    cloudformation, ec2 = sandbox.client("cloudformation"), sandbox.client("ec2")
    vpcs = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    cloudformation.create_stack(StackName="brief", TemplateBody=json.dumps({"Resources": NETWORK}))
    assert _status(sandbox, "brief") == "CREATE_IN_PROGRESS"
    cloudformation.delete_stack(StackName="brief")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="brief", WaiterConfig={"Delay": 1})
    assert {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]} == vpcs


def _status(sandbox: Sandbox, name: str) -> str:
    return str(sandbox.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
