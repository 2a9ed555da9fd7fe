"""Other people's resources in the account: a network made by hand, and a cluster in it that is not a lab's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.stage import Stage
from tests.story.account import clients_in
from tests.story.steps import until

NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")


@dataclass(frozen=True)
class Network:
    """A VPC with two public subnets and a security group, and the clients that read it."""

    client: Callable[[str], Any]
    vpc: str
    subnets: tuple[str, str]
    group: str


def a_network(stage: Stage, cidr: str) -> Network:
    """Create it as a person would, in the sandbox's region; `cidr` is a /16."""
    client = clients_in(stage, stage.sandbox.region)
    ec2, tags = client("ec2"), [{"Key": "team", "Value": "platform"}]
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    first, second = (_public_subnet(ec2, vpc, table, f"{cidr[:-7]}.{n}.0/24", zones[n]) for n in (0, 1))
    group = ec2.create_security_group(GroupName="theirs", Description="by hand", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": cidr}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    ec2.create_tags(Resources=[vpc, first, second, group, table, gateway], Tags=tags)
    return Network(client, vpc, (first, second), group)


def a_cluster(network: Network, name: str, client: Callable[[str], Any] | None = None) -> None:
    """Create a cluster by hand as `client` (default: root), with a role that root created; it is CREATING."""
    role = _role(network.client, f"{name}-cluster", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"])
    placed = {"subnetIds": list(network.subnets)}
    eks = (client or network.client)("eks")
    access = {"authenticationMode": "API_AND_CONFIG_MAP"}

    def asked() -> bool:
        try:
            eks.create_cluster(name=name, roleArn=role, resourcesVpcConfig=placed, accessConfig=access)
        except eks.exceptions.InvalidParameterException as error:
            if "could not be assumed because it does not exist" not in str(error):
                raise
            return False
        return True

    until(asked, bool, f"EKS knows the role of {name}")


def a_node_group(network: Network, cluster: str) -> None:
    """Create a node group in that cluster by hand once it is ACTIVE, and wait until it is ACTIVE, too."""
    eks, asked = network.client("eks"), {"clusterName": cluster, "nodegroupName": "workers"}
    until(lambda: eks.describe_cluster(name=cluster)["cluster"], _active, f"their cluster {cluster}")
    role = _role(network.client, f"{cluster}-nodes", "ec2.amazonaws.com", NODE_POLICIES)
    eks.create_nodegroup(**asked, subnets=list(network.subnets), nodeRole=role)
    until(lambda: eks.describe_nodegroup(**asked)["nodegroup"], _active, f"their node group in {cluster}")


def _active(seen: Any) -> bool:
    return bool(seen["status"] == "ACTIVE")


def _public_subnet(ec2: Any, vpc: str, table: str, cidr: str, zone: str) -> str:
    subnet = str(ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"])
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return subnet


def _role(client: Callable[[str], Any], name: str, service: str, policies: Any) -> str:
    iam = client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    for policy in policies:
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return str(role["Arn"])
