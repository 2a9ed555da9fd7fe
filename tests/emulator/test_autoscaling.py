"""Auto Scaling groups launch, replace and report; they are deleted empty or by force.

Sources: EC2 Auto Scaling user guide, "Health checks for instances" (a terminated instance is replaced) and "Tag Auto Scaling
groups and instances" (PropagateAtLaunch, `aws:autoscaling:groupName`); API reference of DeleteAutoScalingGroup. The refusal's
message is the one that users quote (hashicorp/terraform-provider-aws, aws-cdk).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox

IMAGE = "ami-0e5a1b2c3d4e5f607"


@pytest.fixture(scope="module")
def subnet(sandbox: Sandbox) -> str:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    zone = "ap-northeast-2a"
    made: str = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.0.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
    return made


@pytest.fixture
def make_group(sandbox: Sandbox, subnet: str) -> Iterator[Callable[..., str]]:
    scaling, ec2 = sandbox.client("autoscaling"), sandbox.client("ec2")
    made: list[str] = []

    def make(name: str, desired: int, data: dict[str, Any] | None = None) -> str:
        data = {"ImageId": IMAGE, "InstanceType": "t3.micro"} if data is None else data
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
            MinSize=0,
            MaxSize=3,
            DesiredCapacity=desired,
            VPCZoneIdentifier=subnet,
            Tags=[{"Key": "kubernetes.io/cluster/x", "Value": "owned", "PropagateAtLaunch": True}],
        )
        made.append(name)
        return name

    yield make
    for name in made:
        if scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]:
            scaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        ec2.delete_launch_template(LaunchTemplateName=name)


def group_of(sandbox: Sandbox, name: str) -> dict[str, Any]:
    scaling = sandbox.client("autoscaling")
    [group] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return dict(group)


def members(sandbox: Sandbox, name: str) -> list[str]:
    return [member["InstanceId"] for member in group_of(sandbox, name)["Instances"]]


def until(look: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return seen


def settled(sandbox: Sandbox, name: str, count: int) -> list[str]:
    found: list[str] = until(lambda: len(members(sandbox, name)) == count and members(sandbox, name))
    return found


def state(sandbox: Sandbox, instance: str) -> str:
    seen = sandbox.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return str(seen["State"]["Name"])


def test_members_are_instances_with_the_group_s_tags_made_by_the_service_linked_role(
    sandbox: Sandbox, make_group: Callable[..., str], subnet: str
) -> None:
    [instance] = settled(sandbox, make_group("launching", 1), 1)
    seen = sandbox.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    tags = {tag["Key"]: tag["Value"] for tag in seen["Tags"]}
    assert (seen["SubnetId"], seen["InstanceType"]) == (subnet, "t3.micro")
    assert tags == {"kubernetes.io/cluster/x": "owned", "aws:autoscaling:groupName": "launching"}
    by_name = [{"AttributeKey": "ResourceName", "AttributeValue": instance}]
    events = sandbox.client("cloudtrail").lookup_events(LookupAttributes=by_name)["Events"]
    [record] = [json.loads(each["CloudTrailEvent"]) for each in events if each["EventName"] == "RunInstances"]
    assert record["userIdentity"]["arn"].endswith(":assumed-role/AWSServiceRoleForAutoScaling/AutoScaling")
    assert record["userIdentity"]["invokedBy"] == "autoscaling.amazonaws.com"


def test_a_terminated_member_is_replaced_and_a_stranger_is_not(
    sandbox: Sandbox, make_group: Callable[..., str], subnet: str
) -> None:
    first, second = settled(sandbox, make_group("replacing", 2), 2)
    stranger = sandbox.client("ec2").run_instances(
        ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet
    )["Instances"][0]["InstanceId"]
    sandbox.client("ec2").terminate_instances(InstanceIds=[first, stranger])
    until(lambda: first not in members(sandbox, "replacing") and len(members(sandbox, "replacing")) == 2)
    assert second in members(sandbox, "replacing")
    activities = sandbox.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="replacing")[
        "Activities"
    ]
    assert f"Terminating EC2 instance: {first}" in [each["Description"] for each in activities]
    assert "EC2 health check" in activities[1]["Cause"]


def test_membership_is_asked_by_instance(sandbox: Sandbox, make_group: Callable[..., str]) -> None:
    [instance] = settled(sandbox, make_group("membership", 1), 1)
    found = sandbox.client("autoscaling").describe_auto_scaling_instances(InstanceIds=[instance, "i-00000000000000000"])
    [member] = found["AutoScalingInstances"]
    assert (member["AutoScalingGroupName"], member["LifecycleState"]) == ("membership", "InService")
    assert member["LaunchTemplate"]["LaunchTemplateName"] == "membership"
    assert member["LaunchTemplate"]["LaunchTemplateId"].startswith("lt-")


def test_a_smaller_group_terminates_and_an_empty_one_can_be_deleted(
    sandbox: Sandbox, make_group: Callable[..., str]
) -> None:
    scaling = sandbox.client("autoscaling")
    instances = settled(sandbox, make_group("shrinking", 2), 2)
    with pytest.raises(ClientError) as refused:
        scaling.delete_auto_scaling_group(AutoScalingGroupName="shrinking")
    error = refused.value.response["Error"]
    assert (error["Code"], "while there are instances" in error["Message"]) == ("ResourceInUse", True)
    scaling.update_auto_scaling_group(AutoScalingGroupName="shrinking", MinSize=0, DesiredCapacity=0)
    until(lambda: not members(sandbox, "shrinking"))
    assert {state(sandbox, each) for each in instances} == {"terminated"}
    scaling.delete_auto_scaling_group(AutoScalingGroupName="shrinking")


def test_a_group_deleted_by_force_takes_its_instances_along(sandbox: Sandbox, make_group: Callable[..., str]) -> None:
    [instance] = settled(sandbox, make_group("forced", 1), 1)
    sandbox.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="forced", ForceDelete=True)
    until(lambda: state(sandbox, instance) == "terminated")


def test_a_launch_that_ec2_refuses_is_a_failed_activity(sandbox: Sandbox, make_group: Callable[..., str]) -> None:
    make_group("failing", 1, {"InstanceType": "t3.micro"})
    scaling = sandbox.client("autoscaling")
    found = until(lambda: scaling.describe_scaling_activities(AutoScalingGroupName="failing")["Activities"])
    assert found[0]["StatusCode"] == "Failed"
    assert found[0]["StatusMessage"].endswith("Launching EC2 failed.")
    assert members(sandbox, "failing") == []


def test_a_right_to_delete_groups_can_be_bound_to_their_tags(sandbox: Sandbox, make_group: Callable[..., str]) -> None:
    name, iam = make_group("bound-by-tag", 0), sandbox.client("iam")
    iam.create_user(UserName="bound-by-tag")
    scaling = sandbox.client("autoscaling", credentials=sandbox.credentials_for("bound-by-tag"))
    for key, allowed in (("eks:cluster-name", False), ("kubernetes.io/cluster/x", True)):
        condition = {"Null": {f"aws:ResourceTag/{key}": "false"}}
        action = "autoscaling:DeleteAutoScalingGroup"
        said = {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}
        document = json.dumps({"Version": "2012-10-17", "Statement": [said]})
        iam.put_user_policy(UserName="bound-by-tag", PolicyName="only", PolicyDocument=document)
        if allowed:
            scaling.delete_auto_scaling_group(AutoScalingGroupName=name)
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                scaling.delete_auto_scaling_group(AutoScalingGroupName=name)
