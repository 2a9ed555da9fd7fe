"""The creators of a cluster's resources, as CloudTrail, EC2 and Auto Scaling name them.

Sources: EKS user guide, "Using service-linked roles" and the recorded sessions in emulator/core/actors.py; VPC CNI's interfaces
are made by the node's role, whose session is the instance's id (IAM user guide, "Instance profiles").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.process import Sandbox
from tests.emulator.test_autoscaling import until
from tests.emulator.test_cloudtrail import event, events


@pytest.fixture(scope="module", autouse=True)
def _in_no_hurry(sandbox: Sandbox) -> None:
    sandbox.admin("POST", "trail", {"windowSeconds": 0})


@pytest.fixture(scope="module")
def cluster(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    """A cluster with logging, with a node group of one node."""
    ec2, eks = sandbox.client("ec2"), sandbox.client("eks")
    vpc = ec2.create_vpc(CidrBlock="10.12.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.12.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"]
        for n, zone in enumerate("ac")
    ]
    ids = [subnet["SubnetId"] for subnet in subnets]
    logs = {"clusterLogging": [{"types": ["audit"], "enabled": True}]}
    role = make_role(sandbox, "makers-cluster", "eks.amazonaws.com")["Arn"]
    eks.create_cluster(name="makers", roleArn=role, resourcesVpcConfig={"subnetIds": ids}, logging=logs)
    until(lambda: eks.describe_cluster(name="makers")["cluster"]["status"] == "ACTIVE", 30)
    node_role = make_role(sandbox, "makers-nodes", "ec2.amazonaws.com")
    for policy in ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"):
        sandbox.client("iam").attach_role_policy(RoleName="makers-nodes", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    sizes = {"minSize": 1, "maxSize": 2, "desiredSize": 1}
    named = {"clusterName": "makers", "nodegroupName": "workers"}
    eks.create_nodegroup(**named, scalingConfig=sizes, subnets=ids, nodeRole=node_role["Arn"])
    until(lambda: eks.describe_nodegroup(**named)["nodegroup"]["status"] == "ACTIVE", 30)
    group = eks.describe_nodegroup(**named)["nodegroup"]["resources"]["autoScalingGroups"][0]["name"]
    described = eks.describe_cluster(name="makers")["cluster"]
    yield {"described": described, "group": group, "vpc": vpc, "node_role": node_role}
    eks.delete_nodegroup(**named)
    until(lambda: not eks.list_nodegroups(clusterName="makers")["nodegroups"], 30)
    eks.delete_cluster(name="makers")


def make_role(sandbox: Sandbox, name: str, service: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role: dict[str, Any] = sandbox.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    return role


def maker(found: dict[str, Any]) -> str:
    return str(found["record"]["userIdentity"]["arn"]).partition(":assumed-role/")[2]


def nodes(sandbox: Sandbox, group: str) -> list[str]:
    scaling = sandbox.client("autoscaling")
    [found] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    return [member["InstanceId"] for member in found["Instances"]]


def interfaces(sandbox: Sandbox, vpc: str, description: str) -> list[dict[str, Any]]:
    found = sandbox.client("ec2").describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return [each for each in found["NetworkInterfaces"] if each["Description"].startswith(description)]


def test_eks_makes_the_cluster_s_group_its_interfaces_and_its_log_group(
    sandbox: Sandbox, cluster: dict[str, Any]
) -> None:
    group = cluster["described"]["resourcesVpcConfig"]["clusterSecurityGroupId"]
    assert maker(event(sandbox, "CreateSecurityGroup", group)) == "AWSServiceRoleForAmazonEKS/AmazonEKS"
    for interface in interfaces(sandbox, cluster["vpc"], "Amazon EKS makers"):
        made = event(sandbox, "CreateNetworkInterface", interface["NetworkInterfaceId"])
        assert maker(made) == "AWSServiceRoleForAmazonEKS/AmazonEKS"
        assert interface["RequesterId"] == made["record"]["userIdentity"]["principalId"]
    logs = {
        each["record"]["requestParameters"]["logGroupName"]: maker(each)
        for each in events(sandbox, "EventName", "CreateLogGroup")
    }
    assert logs["/aws/eks/makers/cluster"] == "AWSServiceRoleForAmazonEKS/AmazonEKS"


def test_managed_node_groups_make_the_group_the_template_and_the_profile(
    sandbox: Sandbox, cluster: dict[str, Any]
) -> None:
    name, role = cluster["group"], "AWSServiceRoleForAmazonEKSNodegroup/EKS"
    assert maker(event(sandbox, "CreateAutoScalingGroup", name)) == role
    assert maker(event(sandbox, "CreateLaunchTemplate", name)) == role
    assert maker(event(sandbox, "CreateInstanceProfile", name, "us-east-1")) == role
    [template] = sandbox.client("ec2").describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
    assert template["CreatedBy"] == f"arn:aws:sts::{sandbox.account}:assumed-role/{role}"


def test_auto_scaling_makes_the_nodes_and_each_node_its_second_interface(
    sandbox: Sandbox, cluster: dict[str, Any]
) -> None:
    [node] = nodes(sandbox, cluster["group"])
    assert maker(event(sandbox, "RunInstances", node)) == "AWSServiceRoleForAutoScaling/AutoScaling"
    [second] = interfaces(sandbox, cluster["vpc"], f"aws-K8S-{node}")
    assert second["RequesterId"] == f"{cluster['node_role']['RoleId']}:{node}"
    assert maker(event(sandbox, "CreateNetworkInterface", second["NetworkInterfaceId"])) == f"makers-nodes/{node}"


def test_a_call_about_a_cluster_names_it(sandbox: Sandbox, cluster: dict[str, Any]) -> None:
    del cluster
    [made] = events(sandbox, "EventName", "CreateNodegroup")
    asked = made["record"]["requestParameters"]
    assert (asked["name"], asked["nodegroupName"]) == ("makers", "workers")
    assert made["record"]["responseElements"]["nodegroup"]["clusterName"] == "makers"


def test_a_node_that_somebody_terminates_is_replaced(sandbox: Sandbox, cluster: dict[str, Any]) -> None:
    [node] = nodes(sandbox, cluster["group"])
    sandbox.client("ec2").terminate_instances(InstanceIds=[node])
    until(lambda: nodes(sandbox, cluster["group"]) not in ([node], []))
    [replacement] = nodes(sandbox, cluster["group"])
    seen = sandbox.client("autoscaling").describe_auto_scaling_instances(InstanceIds=[replacement])
    assert seen["AutoScalingInstances"][0]["AutoScalingGroupName"] == cluster["group"]
    assert interfaces(sandbox, cluster["vpc"], f"aws-K8S-{node}") == []
    assert interfaces(sandbox, cluster["vpc"], f"aws-K8S-{replacement}")
