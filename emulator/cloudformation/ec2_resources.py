"""The EC2 resource types that the emulator's CloudFormation lacks, made through EC2's own actions."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from emulator.cloudformation.deletions import Properties, delete_resource, deleting
from emulator.ec2.actions import Params, Refused, perform, store, tags

Created = tuple[str, dict[str, Any]]
Create = Callable[[str, Properties, str], Created]


def _eip(_: str, properties: Properties, __: str) -> Created:
    body = _perform("AllocateAddress", {"Domain": ["vpc"]} | _tags("elastic-ip", properties))
    allocation = _first(r"eipalloc-[0-9a-z]+", body)
    _marked(allocation, properties)
    public_ip = store("addresses")[allocation]["PublicIp"]
    return public_ip, {"AllocationId": allocation, "PublicIp": public_ip}


def _delete_eip(physical_id: str, _: Properties) -> None:
    for allocation, address in list(store("addresses").items()):
        if address["PublicIp"] == physical_id:
            delete_resource("ReleaseAddress", {"AllocationId": [allocation]})


def _nat_gateway(_: str, properties: Properties, __: str) -> Created:
    params = _named(properties, "SubnetId", "AllocationId", "ConnectivityType") | _tags("natgateway", properties)
    gateway = _first(r"nat-[0-9a-f]+", _perform("CreateNatGateway", params))
    _marked(gateway, properties)
    return gateway, {"NatGatewayId": gateway}


def _rule(direction: str, peer: str) -> Create:
    def create(_: str, properties: Properties, __: str) -> Created:
        body = _perform(f"AuthorizeSecurityGroup{direction}", _permission(properties, peer))
        return _first(r"sgr-[0-9a-f]+", body), {}

    return create


def _delete_rule(direction: str, peer: str) -> Callable[[str, Properties], None]:
    def delete(_: str, properties: Properties) -> None:
        delete_resource(f"RevokeSecurityGroup{direction}", _permission(properties, peer))

    return delete


def _instance(_: str, properties: Properties, __: str) -> Created:
    params = _named(properties, "ImageId", "InstanceType", "SubnetId", "KeyName", "UserData", "PrivateIpAddress")
    params |= {"MinCount": ["1"], "MaxCount": ["1"]} | _tags("instance", properties)
    params |= {f"SecurityGroupId.{n}": [group] for n, group in enumerate(properties.get("SecurityGroupIds", []), 1)}
    if profile := properties.get("IamInstanceProfile"):
        params["IamInstanceProfile.Name"] = [profile]
    for number, device in enumerate(properties.get("BlockDeviceMappings", []), 1):
        params[f"BlockDeviceMapping.{number}.DeviceName"] = [device["DeviceName"]]
        params[f"BlockDeviceMapping.{number}.Ebs.VolumeSize"] = [str(device.get("Ebs", {}).get("VolumeSize", 8))]
    instance_id = _first(r"i-[0-9a-f]{17}", _perform("RunInstances", params))
    _marked(instance_id, properties)
    made = store("instances")[instance_id]
    names = {"PrivateIp": "PrivateIpAddress", "PublicIp": "PublicIpAddress", "PrivateDnsName": "PrivateDnsName"}
    attributes = {attribute: made[field] for attribute, field in names.items()}
    zone = made["Placement"]["AvailabilityZone"]
    return instance_id, attributes | {"InstanceId": instance_id, "AvailabilityZone": zone}


def _permission(properties: Properties, peer: str) -> Params:
    prefix = "IpPermissions.1."
    params: Params = {"GroupId": [properties["GroupId"]], f"{prefix}IpProtocol": [str(properties["IpProtocol"])]}
    for name in ("FromPort", "ToPort"):
        if name in properties:
            params[f"{prefix}{name}"] = [str(properties[name])]
    for name, target in (
        ("CidrIp", "IpRanges.1.CidrIp"),
        ("CidrIpv6", "Ipv6Ranges.1.CidrIpv6"),
        (f"{peer}SecurityGroupId", "Groups.1.GroupId"),
        (f"{peer}PrefixListId", "PrefixListIds.1.PrefixListId"),
    ):
        if name in properties:
            params[prefix + target] = [properties[name]]
    return params


def _named(properties: Properties, *names: str) -> Params:
    return {name: [str(properties[name])] for name in names if properties.get(name)}


def _tags(kind: str, properties: Properties) -> Params:
    """The tags that a resource is created with: the caller's. CloudFormation writes its own afterwards (`_marked`)."""
    asked = [tag for tag in properties.get("Tags", []) if not tag["Key"].startswith("aws:")]
    params: Params = {"TagSpecification.1.ResourceType": [kind]} if asked else {}
    for number, tag in enumerate(asked, 1):
        params[f"TagSpecification.1.Tag.{number}.Key"] = [tag["Key"]]
        params[f"TagSpecification.1.Tag.{number}.Value"] = [str(tag["Value"])]
    return params


def _marked(resource_id: str, properties: Properties) -> None:
    """Write the tags that CloudFormation alone may write."""
    own = [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in properties.get("Tags", [])]
    kept = tags().get(resource_id, [])
    tags()[resource_id] = [*kept, *(tag for tag in own if tag["Key"].startswith("aws:") and tag not in kept)]


def _perform(action: str, params: Params) -> str:
    try:
        return perform(action, params).decode()
    except Refused as refused:
        message = f"{refused.message} (Service: Ec2, Status Code: {refused.status}, Code: {refused.code})"
        raise ValueError(f'Resource handler returned message: "{message}"') from refused


def _first(pattern: str, body: str) -> str:
    found = re.search(pattern, body)
    if found is None:
        raise ValueError(f"EC2 answered without {pattern}: {body[:300]}")
    return found[0]


RESOURCES: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "AWS::EC2::EIP": {"create": _eip, "delete": _delete_eip},
    "AWS::EC2::Instance": {"create": _instance, "delete": deleting("TerminateInstances", "InstanceId.1")},
    "AWS::EC2::NatGateway": {"create": _nat_gateway, "delete": deleting("DeleteNatGateway", "NatGatewayId")},
    "AWS::EC2::SecurityGroupIngress": {
        "create": _rule("Ingress", "Source"),
        "delete": _delete_rule("Ingress", "Source"),
    },
    "AWS::EC2::SecurityGroupEgress": {
        "create": _rule("Egress", "Destination"),
        "delete": _delete_rule("Egress", "Destination"),
    },
}
TAGGED = ("AWS::EC2::EIP", "AWS::EC2::Instance", "AWS::EC2::NatGateway")
