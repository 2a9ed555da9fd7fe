"""Checks that a stack's service role may create and delete each resource of the stack.

ministack does not check permissions for stacks, so a role that lacks one would work here and fail on AWS. Each resource type has
the API operations that it needs. A stack without a role is not checked.
"""

import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from ministack import app
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import iam
from ministack.services.cloudformation import handlers, provisioners

from emulator.cloudformation.deletions import Properties
from emulator.core.scope import scope
from emulator.ec2.actions import Action, Params, param, store
from emulator.iam import context
from emulator.services.step_functions import role_may

Right = tuple[str, str, Mapping[str, str]]
"""An action, the ARN of its resource, and condition keys."""

OPERATIONS: Mapping[str, tuple[str, str]] = {
    "AWS::EC2::EIP": ("ec2:AllocateAddress", "ec2:ReleaseAddress"),
    "AWS::EC2::Instance": ("ec2:RunInstances", "ec2:TerminateInstances"),
    "AWS::EC2::InternetGateway": ("ec2:CreateInternetGateway", "ec2:DeleteInternetGateway"),
    "AWS::EC2::LaunchTemplate": ("ec2:CreateLaunchTemplate", "ec2:DeleteLaunchTemplate"),
    "AWS::EC2::NatGateway": ("ec2:CreateNatGateway", "ec2:DeleteNatGateway"),
    "AWS::EC2::Route": ("ec2:CreateRoute", "ec2:DeleteRoute"),
    "AWS::EC2::RouteTable": ("ec2:CreateRouteTable", "ec2:DeleteRouteTable"),
    "AWS::EC2::SecurityGroup": ("ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup"),
    "AWS::EC2::SecurityGroupEgress": ("ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress"),
    "AWS::EC2::SecurityGroupIngress": ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
    "AWS::EC2::Subnet": ("ec2:CreateSubnet", "ec2:DeleteSubnet"),
    "AWS::EC2::SubnetRouteTableAssociation": ("ec2:AssociateRouteTable", "ec2:DisassociateRouteTable"),
    "AWS::EC2::VPC": ("ec2:CreateVpc", "ec2:DeleteVpc"),
    "AWS::EC2::VPCGatewayAttachment": ("ec2:AttachInternetGateway", "ec2:DetachInternetGateway"),
    "AWS::IAM::InstanceProfile": ("iam:CreateInstanceProfile", "iam:DeleteInstanceProfile"),
    "AWS::IAM::Role": ("iam:CreateRole", "iam:DeleteRole"),
}
"""By resource type: the operation that makes one, and the one that deletes it."""

_EC2_KINDS: Mapping[str, str] = {
    "EIP": "elastic-ip",
    "Instance": "instance",
    "InternetGateway": "internet-gateway",
    "LaunchTemplate": "launch-template",
    "NatGateway": "natgateway",
    "Route": "route-table",
    "RouteTable": "route-table",
    "SecurityGroup": "security-group",
    "SecurityGroupEgress": "security-group",
    "SecurityGroupIngress": "security-group",
    "Subnet": "subnet",
    "SubnetRouteTableAssociation": "route-table",
    "VPC": "vpc",
    "VPCGatewayAttachment": "internet-gateway",
}
"""By EC2 resource type: the type in the ARN of the checked resource."""

_CHANGED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Route": (("route-table", "RouteTableId"),),
    "SecurityGroupEgress": (("security-group", "GroupId"),),
    "SecurityGroupIngress": (("security-group", "GroupId"),),
    "SubnetRouteTableAssociation": (("route-table", "RouteTableId"), ("subnet", "SubnetId")),
    "VPCGatewayAttachment": (("internet-gateway", "InternetGatewayId"), ("vpc", "VpcId")),
}
"""Types that only change other resources: these resources, and the properties that name them."""

_MADE_IN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "NatGateway": (("subnet", "SubnetId"), ("elastic-ip", "AllocationId")),
    "RouteTable": (("vpc", "VpcId"),),
    "SecurityGroup": (("vpc", "VpcId"),),
    "Subnet": (("vpc", "VpcId"),),
}
"""Types that are created from or in an existing resource: EC2 checks that resource, too."""

_WHEN_MADE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "SecurityGroup": (
        ("SecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress"),
        ("SecurityGroupEgress", "ec2:AuthorizeSecurityGroupEgress"),
    ),
    "Subnet": (("MapPublicIpOnLaunch", "ec2:ModifySubnetAttribute"),),
    "VPC": (("EnableDnsSupport", "ec2:ModifyVpcAttribute"), ("EnableDnsHostnames", "ec2:ModifyVpcAttribute")),
}
"""Operations on a new resource before it has its tags, by the property that requests them."""

_role: ContextVar[str] = ContextVar("service role of the stack being worked on", default="")
_roles: Any = AccountRegionScopedDict()
_STACK = re.compile("<StackName>([^<]+)</StackName><StackId>[^<]*</StackId>")


def install() -> None:
    """Check every resource type above in this process's emulator; call it after all types are installed."""
    for action in ("CreateStack", "UpdateStack", "DeleteStack"):
        handlers._ACTION_HANDLERS[action] = _with_role(handlers._ACTION_HANDLERS[action])
    handlers._ACTION_HANDLERS["DescribeStacks"] = _with_roles(handlers._ACTION_HANDLERS["DescribeStacks"])
    for resource_type in OPERATIONS:
        functions = provisioners._RESOURCE_HANDLERS[resource_type]
        functions["create"] = _checked_create(resource_type, functions["create"])
        functions["delete"] = _checked_delete(resource_type, functions["delete"])


def _with_role(handle: Action) -> Action:
    def handle_with_role(params: Params) -> Any:
        name = param(params, "StackName").split("/")[1:2] or [param(params, "StackName")]
        role = param(params, "RoleARN") or _roles.get(name[0], "")
        _roles[name[0]] = role
        before = _role.set(role)
        try:
            return handle(params)
        finally:
            _role.reset(before)

    return handle_with_role


def _with_roles(describe: Action) -> Action:
    """DescribeStacks names a stack's service role (API reference, `Stack`); ministack omits it."""

    def describe_with_roles(params: Params) -> Any:
        status, headers, body = describe(params)
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, _STACK.sub(_role_beside, text).encode()

    return describe_with_roles


def _role_beside(found: re.Match[str]) -> str:
    role = _roles.get(found[1], "")
    return f"{found[0]}<RoleARN>{role}</RoleARN>" if role else found[0]


def _checked_create(resource_type: str, create: Any) -> Any:
    def create_if_allowed(logical_id: str, properties: Properties, stack_name: str, *more: Any, **named: Any) -> Any:
        name = str(properties.get("RoleName") or f"{stack_name}-{logical_id}")
        _require(_rights(resource_type, 0, name, properties))
        made = create(logical_id, properties, stack_name, *more, **named)
        if resource_type == "AWS::IAM::Role":
            iam._roles[made[0]]["PermissionsBoundary"] = properties.get("PermissionsBoundary")
        return made

    return create_if_allowed


def _checked_delete(resource_type: str, delete: Any) -> Any:
    def delete_if_allowed(physical_id: str, properties: Properties, *more: Any) -> Any:
        _require(_rights(resource_type, 1, physical_id, properties))
        return delete(physical_id, properties, *more)

    return delete_if_allowed


def _rights(resource_type: str, which: int, name: str, properties: Properties) -> Iterator[Right]:
    service, _, kind = resource_type.removeprefix("AWS::").partition("::")
    if service != "IAM":
        yield from _of_ec2(kind, OPERATIONS[resource_type][which], which == 0, name, properties)
        return
    arn_kind = {"Role": "role", "InstanceProfile": "instance-profile"}[kind]
    arn = f"arn:aws:iam::{scope()[0]}:{arn_kind}{properties.get('Path', '/')}{name}"
    bounded = {"iam:PermissionsBoundary": given} if (given := properties.get("PermissionsBoundary")) else {}
    yield OPERATIONS[resource_type][which], arn, bounded
    if properties.get("Policies"):
        yield ("iam:PutRolePolicy", "iam:DeleteRolePolicy")[which], arn, bounded
    for policy in properties.get("ManagedPolicyArns", []):
        yield ("iam:AttachRolePolicy", "iam:DetachRolePolicy")[which], arn, {"iam:PolicyARN": policy, **bounded}
    if kind == "InstanceProfile":
        yield ("iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile")[which], arn, {}
        if which == 0:
            for role in (iam._roles.get(each) or {} for each in properties.get("Roles", [])):
                yield "iam:PassRole", role.get("Arn", "*"), {"iam:PassedToService": "ec2.amazonaws.com"}


def _of_ec2(kind: str, action: str, making: bool, physical_id: str, properties: Properties) -> Iterator[Right]:
    for each, named in _CHANGED.get(kind, ()):
        yield _about(action, each, str(properties.get(named)))
    if kind in _CHANGED:
        return
    if not making:
        yield _about(action, _EC2_KINDS[kind], _allocation(physical_id) if kind == "EIP" else physical_id)
        return
    yield _about(action, _EC2_KINDS[kind], "*")
    for each, named in _MADE_IN.get(kind, ()):
        yield _about(action, each, str(properties.get(named)))
    if born := {tag["Key"]: tag["Value"] for tag in _tags(properties) if not tag["Key"].startswith("aws:")}:
        asked = {f"aws:RequestTag/{key}": str(value) for key, value in born.items()}
        yield "ec2:CreateTags", _about(action, _EC2_KINDS[kind], "*")[1], asked
    for named, also in _WHEN_MADE.get(kind, ()):
        if properties.get(named):
            yield _about(also, _EC2_KINDS[kind], "*")


def _about(action: str, kind: str, thing: str) -> Right:
    """With the tags of the resource, if it exists."""
    account, region = scope()
    arn = f"arn:aws:ec2:{region}:{account}:{kind}/{thing}"
    tags = context.resource_tags(arn) or {}
    return action, arn, {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def _allocation(address: str) -> str:
    """CloudFormation identifies an address by its IP."""
    return next((key for key, known in store("addresses").items() if known["PublicIp"] == address), address)


def _tags(properties: Properties) -> list[dict[str, str]]:
    of_template = (
        each for each in properties.get("TagSpecifications", []) if each["ResourceType"] == "launch-template"
    )
    return [*properties.get("Tags", []), *(tag for each in of_template for tag in each["Tags"])]


def _require(rights: Iterator[Right]) -> None:
    role = _role.get()
    if not (role and app.AUTH):
        return
    for action, arn, conditions in rights:
        if not role_may(role, action, arn, dict(conditions)):
            raise ValueError(f"User: {role} is not authorized to perform: {action} on resource: {arn}")
