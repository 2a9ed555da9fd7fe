"""The resources that an event mentions: those it made, and those it only names; LookupEvents finds it by each of them.

Kinds are CloudTrail's (user guide, "Resource types"); which of them an event mentions, with ids, names and ARNs, was taken from
recorded events. Calls to CloudWatch Logs and Route 53 mention nothing here: no public recording shows that AWS indexes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Mention = tuple[str, str]

_IDS = {
    "ami": "AWS::EC2::Ami",
    "eipalloc": "AWS::EC2::EIP",
    "eni": "AWS::EC2::NetworkInterface",
    "i": "AWS::EC2::Instance",
    "igw": "AWS::EC2::InternetGateway",
    "lt": "AWS::EC2::LaunchTemplate",
    "nat": "AWS::EC2::NatGateway",
    "rtb": "AWS::EC2::RouteTable",
    "sg": "AWS::EC2::SecurityGroup",
    "snap": "AWS::EC2::Snapshot",
    "subnet": "AWS::EC2::Subnet",
    "vol": "AWS::EC2::Volume",
    "vpc": "AWS::EC2::VPC",
    "vpce": "AWS::EC2::VPCEndpoint",
    "fs": "AWS::EFS::FileSystem",
    "fsmt": "AWS::EFS::MountTarget",
}
_ID = re.compile(rf"({'|'.join(_IDS)})-[0-9a-f]{{8,17}}")
_BALANCING = {
    "loadbalancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "targetgroup": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "listener": "AWS::ElasticLoadBalancingV2::Listener",
    "listener-rule": "AWS::ElasticLoadBalancingV2::ListenerRule",
}
_ARN = re.compile(rf"arn:aws[\w-]*:elasticloadbalancing:[^:]+:\d+:({'|'.join(_BALANCING)})/.+")
#: Names, by service and the key they stand under.
_NAMES = {
    ("ec2", "groupName"): "AWS::EC2::SecurityGroup",
    ("ec2", "keyName"): "AWS::EC2::KeyPair",
    ("ec2", "launchTemplateName"): "AWS::EC2::LaunchTemplate",
    ("classic balancing", "loadBalancerName"): "AWS::ElasticLoadBalancing::LoadBalancer",
    ("autoscaling", "autoScalingGroupName"): "AWS::AutoScaling::AutoScalingGroup",
    ("autoscaling", "launchConfigurationName"): "AWS::AutoScaling::LaunchConfiguration",
    ("iam", "roleName"): "AWS::IAM::Role",
    ("iam", "userName"): "AWS::IAM::User",
    ("iam", "instanceProfileName"): "AWS::IAM::InstanceProfile",
}
_SILENT = ("logs", "route53", "eks")
_TAGS = ("tags", "tagSet", "tagSpecificationSet", "TagSpecification")


def mentioned(service: str, *elements: Mapping[str, Any]) -> tuple[Mention, ...]:
    """Every resource that the request or the answer names, each once; tags don't count."""
    if service in _SILENT:
        return ()
    return tuple(dict.fromkeys(each for given in elements for each in _walk(service, "", given)))


def _walk(service: str, key: str, value: Any) -> Iterator[Mention]:
    if key in _TAGS:
        return
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _walk(service, name, each)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(service, key, each)
    elif isinstance(value, str) and value:
        yield from _named(service, key, value)


def _named(service: str, key: str, value: str) -> Iterator[Mention]:
    small = key[:1].lower() + key[1:]
    if found := _ID.fullmatch(value):
        yield _IDS[found[1]], value
    elif found := _ARN.fullmatch(value):
        yield _BALANCING[found[1]], value
    elif (service, small) in _NAMES:
        yield _NAMES[service, small], value
