"""A row of ListStackResources as a Resource with the ARN that the rest of the service knows the thing by.

CloudFormation names things in its own way: a role by its name, an address by its IP. Routes, associations and rules have no
ARN, go with what they belong to, and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.stack.roles import ROLE_PATH

_EC2 = {
    "AWS::EC2::VPC": (Kind.VPC, "vpc"),
    "AWS::EC2::Subnet": (Kind.SUBNET, "subnet"),
    "AWS::EC2::InternetGateway": (Kind.INTERNET_GATEWAY, "internet-gateway"),
    "AWS::EC2::RouteTable": (Kind.ROUTE_TABLE, "route-table"),
    "AWS::EC2::SecurityGroup": (Kind.SECURITY_GROUP, "security-group"),
    "AWS::EC2::LaunchTemplate": (Kind.LAUNCH_TEMPLATE, "launch-template"),
    "AWS::EC2::NatGateway": (Kind.NAT_GATEWAY, "natgateway"),
    "AWS::EC2::EIP": (Kind.ELASTIC_IP, "elastic-ip"),
}
_IAM = {
    "AWS::IAM::Role": (Kind.ROLE, "role"),
    "AWS::IAM::InstanceProfile": (Kind.INSTANCE_PROFILE, "instance-profile"),
}


def described(row: Mapping[str, Any], stack_id: str, allocation_id: Callable[[str], str | None]) -> Resource | None:
    """The row's resource; None for kinds that are nobody's own. `allocation_id` finds an address's by its IP, if it is there."""
    _, partition, _, region, account, _ = stack_id.split(":", 5)
    type_, id = row["ResourceType"], row["PhysicalResourceId"]
    attributes = {"logical-id": row["LogicalResourceId"]}
    if type_ in _IAM:
        kind, word = _IAM[type_]
        return Resource(kind, id, f"arn:{partition}:iam::{account}:{word}{ROLE_PATH}{id}", attributes=attributes)
    if type_ not in _EC2:
        return None
    kind, word = _EC2[type_]
    if kind is Kind.ELASTIC_IP and not id.startswith("eipalloc-"):
        found = allocation_id(id.partition("|")[0])
        if found is None:
            return None
        id = found
    return Resource(kind, id, f"arn:{partition}:ec2:{region}:{account}:{word}/{id}", attributes=attributes)
