"""The VPC CNI's policy: it may give addresses to the pods of its own lab, and can't change others' interfaces.

It grants the permissions of AmazonEKS_CNI_Policy for IPv4, limited: interfaces and instances by the lab's tag, subnets and security
groups by the VPC. Interfaces are created with the tag (`ADDITIONAL_ENI_TAGS`); a node's first one has it from its launch template.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import ExistingNetwork
from chalicelib.domain.stack.intrinsics import Json, filled

_LAB_ID = "ekslab:lab-id"
_CREATE = "ec2:CreateNetworkInterface"
_MODIFY = "ec2:ModifyNetworkInterfaceAttribute"
_ATTACHING = ("ec2:AttachNetworkInterface", "ec2:DetachNetworkInterface", _MODIFY)
_OWN = ("ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", "ec2:DeleteNetworkInterface", *_ATTACHING)
_LOOKING = ("Instances", "InstanceTypes", "NetworkInterfaces", "SecurityGroups", "Subnets", "Tags")


def cni_policy(lab: Lab) -> Json:
    """The inline policy of the lab's `CniRole`.

    An interface with the lab's tag may be tagged again: at its start the CNI puts its own tags on a node's first interface,
    and stops if it can't. Subnets shared by another account have that account in their ARN, and so has their VPC.
    """
    interface, own = _ec2("network-interface/*"), {f"aws:ResourceTag/{_LAB_ID}": lab.id}
    asked = {f"aws:RequestTag/{_LAB_ID}": lab.id}
    vpc = "${VpcId}" if isinstance(lab.spec.network, ExistingNetwork) else "${Vpc}"
    within = {"ArnLike": {"ec2:Vpc": _ec2(f"vpc/{vpc}", account="*")}}
    statements = [
        _allow([f"ec2:Describe{what}" for what in _LOOKING], "*"),
        _allow([_CREATE], interface, {"StringEquals": asked}),
        _allow([_CREATE, _MODIFY], [_ec2(f"{kind}/*", account="*") for kind in ("subnet", "security-group")], within),
        _allow(["ec2:CreateTags"], interface, {"StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"}}),
        _allow(["ec2:CreateTags"], interface, {"StringEquals": own, "StringEqualsIfExists": asked}),
        _allow(_OWN, interface, {"StringEquals": own}),
        _allow(_ATTACHING, _ec2("instance/*"), {"StringEquals": own}),
    ]
    return {"PolicyName": "interfaces-of-the-lab", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}


def _allow(actions: Any, resource: Any, condition: Json | None = None) -> Json:
    said = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return said | ({"Condition": condition} if condition else {})


def _ec2(thing: str, account: str = "${AWS::AccountId}") -> Json:
    return filled(f"arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:{account}:{thing}")
