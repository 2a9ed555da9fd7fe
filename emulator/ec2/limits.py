"""Requests that EC2 refuses and ministack accepts: overlapping subnets, duplicate rules, wrong tags, missing parts.

Sources of the words: InvalidPermission.Duplicate (galaxyproject/cloudlaunch#56), aws: tags (cluster-api-provider-aws#5461),
architectures (skypilot-org/skypilot#6315); codes from EC2's API reference, "Error codes for the Amazon EC2 API".
The account's root may write `aws:` tags here, so that tests can prepare an account; on AWS nobody may.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import iam

from emulator.core.identities import current
from emulator.core.scope import scope
from emulator.ec2 import taggable
from emulator.ec2.actions import ACTIONS, Action, Params, Refused, members, param, records, store, tags
from emulator.ec2.instance_types import architecture_of_image

MOST_TAGS = 50
_MAKING = ("Create", "Run", "Allocate", "Import", "Copy", "Register")
_LARGEST_VPC, _SMALLEST_VPC = 16, 28
"""Lengths of the prefix."""


def install() -> None:
    """Put these refusals before the actions."""
    for action, refuse in (
        ("CreateVpc", _vpc),
        ("CreateSubnet", _subnet),
        ("CreateSecurityGroup", _group),
        ("AuthorizeSecurityGroupIngress", _rules("IpPermissions", True)),
        ("AuthorizeSecurityGroupEgress", _rules("IpPermissionsEgress", True)),
        ("RevokeSecurityGroupIngress", _rules("IpPermissions", False)),
        ("RevokeSecurityGroupEgress", _rules("IpPermissionsEgress", False)),
        ("RunInstances", _instance),
        ("CreateTags", _tags),
    ):
        ACTIONS[action] = _refusing(refuse, ACTIONS[action])
    for action in [each for each in ACTIONS if each.startswith(_MAKING) and each != "CreateTags"]:
        ACTIONS[action] = _refusing(_specified_tags, ACTIONS[action])


def _refusing(refuse: Callable[[Params], None], act: Action) -> Action:
    def act_unless_refused(params: Params) -> Any:
        refuse(params)
        return act(params)

    return act_unless_refused


def _vpc(params: Params) -> None:
    block = param(params, "CidrBlock")
    if block and not _LARGEST_VPC <= ipaddress.ip_network(block, strict=False).prefixlen <= _SMALLEST_VPC:
        raise Refused("InvalidVpc.Range", f"The CIDR '{block}' is invalid.")


def _subnet(params: Params) -> None:
    vpc = store("vpcs").get(param(params, "VpcId"))
    zone, region = param(params, "AvailabilityZone"), scope()[1]
    if zone and not zone.startswith(region):
        message = f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in"
        raise Refused("InvalidParameterValue", f"{message} the following availability zones: {region}a, {region}c.")
    if vpc is None or not param(params, "CidrBlock"):
        return
    wanted = ipaddress.ip_network(param(params, "CidrBlock"))
    whole = [ipaddress.ip_network(vpc["CidrBlock"])]
    whole += [ipaddress.ip_network(each["CidrBlock"]) for each in vpc.get("CidrBlockAssociationSet", ())]
    if not any(wanted.subnet_of(each) for each in whole if each.version == wanted.version):  # type: ignore[arg-type]
        raise Refused("InvalidSubnet.Range", f"The CIDR '{wanted}' is invalid.")
    for other in records("subnets"):
        if other["VpcId"] == vpc["VpcId"] and wanted.overlaps(ipaddress.ip_network(other["CidrBlock"])):
            raise Refused("InvalidSubnet.Conflict", f"The CIDR '{wanted}' conflicts with another subnet")


def _group(params: Params) -> None:
    description = param(params, "GroupDescription")
    if not description.isascii():
        message = f"Value ({description}) for parameter GroupDescription is invalid."
        raise Refused("InvalidParameterValue", f"{message} Character sets beyond ASCII are not supported.")


def _rules(field: str, are_new: bool) -> Callable[[Params], None]:
    def refuse(params: Params) -> None:
        group = store("security_groups").get(param(params, "GroupId"))
        if group is None:
            return
        known = {rule for permission in group.get(field, []) for rule in _known_rules(permission)}
        for rule in _asked_rules(params):
            if are_new and rule in known:
                raise Refused("InvalidPermission.Duplicate", f'the specified rule "{_said(rule)}" already exists')
            if not are_new and rule not in known:
                message = "The specified rule does not exist in this security group."
                raise Refused("InvalidPermission.NotFound", message)

    return refuse


Rule = tuple[str, str, str, str]
"""Protocol, first and last port ("" for all), and the other side."""


def _known_rules(permission: dict[str, Any]) -> Iterator[Rule]:
    peers = [each["CidrIp"] for each in permission.get("IpRanges", [])]
    peers += [each["CidrIpv6"] for each in permission.get("Ipv6Ranges", [])]
    peers += [each["GroupId"] for each in permission.get("UserIdGroupPairs", []) if each.get("GroupId")]
    for peer in peers:
        yield _rule(permission.get("IpProtocol"), permission.get("FromPort"), permission.get("ToPort"), peer)


def _asked_rules(params: Params) -> Iterator[Rule]:
    number = 1
    while protocol := param(params, f"IpPermissions.{number}.IpProtocol"):
        prefix = f"IpPermissions.{number}"
        ports = (param(params, f"{prefix}.FromPort"), param(params, f"{prefix}.ToPort"))
        for list_name, name in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("Groups", "GroupId")):
            entry = 1
            while peer := param(params, f"{prefix}.{list_name}.{entry}.{name}"):
                yield _rule(protocol, *ports, peer)
                entry += 1
        number += 1
    if (protocol := param(params, "IpProtocol")) and (peer := param(params, "CidrIp")):
        yield _rule(protocol, param(params, "FromPort"), param(params, "ToPort"), peer)


def _rule(protocol: Any, first: Any, last: Any, peer: str) -> Rule:
    numbers = {"6": "tcp", "17": "udp", "1": "icmp"}
    name = numbers.get(str(protocol), str(protocol))
    ports = (
        ("", "") if name == "-1" else (str(first if first is not None else ""), str(last if last is not None else ""))
    )
    return name, *ports, str(peer)


def _said(rule: Rule) -> str:
    protocol, first, last, peer = rule
    if protocol == "-1":
        return f"peer: {peer}, ALL, ALLOW"
    return f"peer: {peer}, {protocol.upper()}, from port: {first}, to port: {last}, ALLOW"


def _instance(params: Params) -> None:
    name = param(params, "IamInstanceProfile.Name")
    if name and iam._instance_profiles.get(name) is None:
        message = f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
        raise Refused("InvalidParameterValue", message)
    key = param(params, "KeyName")
    if key and not any(each["KeyName"] == key for each in records("key_pairs")):
        raise Refused("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    image = architecture_of_image(param(params, "ImageId"))
    wanted = _architecture_of_type(param(params, "InstanceType"))
    if image and wanted and image != wanted:
        raise Refused(
            "InvalidParameterValue",
            f"The architecture '{wanted}' of the specified instance type does not match the architecture '{image}' of the "
            "specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use "
            "'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.",
        )


def _specified_tags(params: Params) -> None:
    """Every creating call may carry tags."""
    for number in range(1, 20):
        keys = [
            param(params, f"TagSpecification.{number}.Tag.{tag}.Key")
            for tag in range(1, 60)
            if f"TagSpecification.{number}.Tag.{tag}.Key" in params
        ]
        _check_keys(keys)
        _check_number(len(set(keys)))


def _architecture_of_type(name: str) -> str:
    """arm64 for Graviton's families: their names have a `g` after the generation."""
    family = name.partition(".")[0]
    if not family:
        return ""
    generation = family.lstrip("abcdefghijklmnopqrstuvwxyz")
    return "arm64" if "g" in generation or family == "a1" else "x86_64"


def _tags(params: Params) -> None:
    keys = [param(params, f"Tag.{number}.Key") for number in range(1, 100) if f"Tag.{number}.Key" in params]
    _check_keys(keys)
    for resource in members(params, "ResourceId"):
        taggable.require(resource)
        before = {tag["Key"] for tag in tags().get(resource, []) if not tag["Key"].startswith("aws:")}
        _check_number(len(before | {key for key in keys if not key.startswith("aws:")}))


def _check_keys(keys: list[str]) -> None:
    who = current()
    may = bool(who.service) or who.arn.endswith(":root")
    for key in keys:
        if key.lower().startswith("aws:") and not may:
            message = f"Value ( {key} ) for parameter key is invalid."
            raise Refused(
                "InvalidParameterValue", f"{message} Tag keys starting with 'aws:' are reserved for internal use"
            )
        if len(key) > 127 + 1:
            raise Refused("InvalidParameterValue", f"Tag key exceeds the maximum length of 128 characters: '{key}'")


def _check_number(number: int) -> None:
    if number > MOST_TAGS:
        raise Refused("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
