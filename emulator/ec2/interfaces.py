"""Network interfaces: each has a subnet, an address in it, and an owner.

Instances, NAT gateways and load balancers make theirs here; those of users are checked and tagged as requested.
"""

import ipaddress
from typing import Any

from ministack.services import ec2

from emulator.core.identities import current
from emulator.ec2.actions import (
    ACTIONS,
    Action,
    Params,
    Record,
    Refused,
    members,
    new_id,
    param,
    records,
    store,
    success,
    tag_specification,
    tags,
)
from emulator.ec2.addresses import address_of

RESERVED_IN_A_SUBNET = 5
"""AWS keeps the first four addresses of a subnet and the last one."""


def install() -> None:
    """Correct the actions on network interfaces, and the count of free addresses of subnets."""
    print_fields, describe_subnets = ec2._eni_fields_xml, ACTIONS["DescribeSubnets"]

    def interface_xml(record: Record, tag: str = "item") -> str:
        return str(print_fields(record, tag)).replace("<ownerId>", f"{_more_fields(record)}<ownerId>", 1)

    ec2._eni_fields_xml = interface_xml
    ACTIONS["CreateNetworkInterface"] = _create(interface_xml)
    ACTIONS["DeleteNetworkInterface"] = _delete(ACTIONS["DeleteNetworkInterface"])
    ACTIONS["DescribeNetworkInterfaces"] = _describe(ACTIONS["DescribeNetworkInterfaces"])
    ACTIONS["DescribeSubnets"] = _counted(describe_subnets)


def make(subnet_id: str, groups: list[str], description: str = "", address: str = "", **more: Any) -> Record:
    """Make a network interface in a subnet and return its record; `more` are further fields of the record.

    Raises Refused when the subnet or a group does not exist or the subnet has no address left.
    """
    subnet = _subnet(subnet_id)
    record = {
        "NetworkInterfaceId": new_id("eni"),
        "SubnetId": subnet_id,
        "VpcId": subnet["VpcId"],
        "AvailabilityZone": subnet["AvailabilityZone"],
        "Description": description,
        "OwnerId": subnet["OwnerId"],
        "Status": "available",
        "PrivateIpAddress": address or _free_address(subnet),
        "InterfaceType": "interface",
        "SourceDestCheck": True,
        "MacAddress": "02:00:00:" + ":".join(new_id("")[n : n + 2] for n in (1, 3, 5)),
        "Groups": [_group(group, subnet["VpcId"]) for group in groups or [_default_group(subnet["VpcId"])]],
        "Attachment": None,
        **more,
    }
    store("network_interfaces")[record["NetworkInterfaceId"]] = record
    return record


def attachment(instance_id: str = "", *, index: int = 0) -> Record:
    """Return the reason that an interface is in use: an instance, or an AWS service."""
    return {
        "AttachmentId": new_id("eni-attach" if instance_id else "ela-attach"),
        "InstanceId": instance_id,
        "DeviceIndex": index,
        "Status": "attached",
        "AttachTime": ec2._now_ts(),
        "DeleteOnTermination": index == 0,
    }


def remove(interface_id: str) -> None:
    """Remove an interface in any state, as its owner does; a missing one is fine."""
    store("network_interfaces").pop(interface_id, None)
    tags().pop(interface_id, None)


def _create(interface_xml: Any) -> Action:
    def create(params: Params) -> Any:
        record = make(
            param(params, "SubnetId"),
            members(params, "SecurityGroupId"),
            param(params, "Description"),
            param(params, "PrivateIpAddress"),
            RequesterId=current().id,
        )
        tags()[record["NetworkInterfaceId"]] = tag_specification(params, "network-interface")
        return success("CreateNetworkInterface", interface_xml(record, "networkInterface"))

    return create


def _delete(delete: Action) -> Action:
    def delete_unused(params: Params) -> Any:
        interface_id = param(params, "NetworkInterfaceId")
        if store("network_interfaces").get(interface_id, {}).get("Status") == "in-use":
            raise Refused("InvalidParameterValue", f"Network interface '{interface_id}' is currently in use.")
        answer = delete(params)
        tags().pop(interface_id, None)
        return answer

    return delete_unused


def _describe(describe: Action) -> Action:
    def describe_known(params: Params) -> Any:
        for interface_id in members(params, "NetworkInterfaceId"):
            if interface_id not in store("network_interfaces"):
                message = f"The networkInterface ID '{interface_id}' does not exist"
                raise Refused("InvalidNetworkInterfaceID.NotFound", message)
        return describe(params)

    return describe_known


def _counted(describe: Action) -> Action:
    def describe_subnets(params: Params) -> Any:
        for subnet in records("subnets"):
            taken = sum(interface["SubnetId"] == subnet["SubnetId"] for interface in records("network_interfaces"))
            size = ipaddress.ip_network(subnet["CidrBlock"]).num_addresses
            subnet["AvailableIpAddressCount"] = max(0, size - RESERVED_IN_A_SUBNET - taken)
        return describe(params)

    return describe_subnets


def _subnet(subnet_id: str) -> Record:
    found = store("subnets").get(subnet_id)
    if found is None:
        raise Refused("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
    return found


def _group(group_id: str, vpc_id: str) -> Record:
    found = store("security_groups").get(group_id)
    if found is None:
        raise Refused("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    if found["VpcId"] != vpc_id:
        message = f"You have specified two resources that belong to different networks: {group_id}, {vpc_id}"
        raise Refused("InvalidParameter", message)
    return {"GroupId": group_id, "GroupName": found["GroupName"]}


def _default_group(vpc_id: str) -> str:
    return next(
        str(group["GroupId"])
        for group in records("security_groups")
        if group["VpcId"] == vpc_id and group["GroupName"] == "default"
    )


def _free_address(subnet: Record) -> str:
    taken = {
        interface["PrivateIpAddress"]
        for interface in records("network_interfaces")
        if interface["SubnetId"] == subnet["SubnetId"]
    }
    network = ipaddress.ip_network(subnet["CidrBlock"])
    for number in range(RESERVED_IN_A_SUBNET - 1, network.num_addresses - 1):
        if (address := str(network[number])) not in taken:
            return address
    message = f"The specified subnet does not have enough free addresses: {subnet['SubnetId']}"
    raise Refused("InsufficientFreeAddressesInSubnet", message)


def _more_fields(record: Record) -> str:
    requester = record.get("RequesterId", "")
    fields = f"<requesterManaged>{str(requester.startswith('amazon-')).lower()}</requesterManaged>"
    if requester:
        fields += f"<requesterId>{requester}</requesterId>"
    if public := record.get("PublicIp"):
        address = address_of(record["NetworkInterfaceId"]) or {}
        named = {"allocationId": address.get("AllocationId"), "associationId": address.get("AssociationId")}
        ids = "".join(f"<{name}>{value}</{name}>" for name, value in named.items() if value)
        fields += f"<association>{ids}<publicIp>{public}</publicIp></association>"
    return fields
