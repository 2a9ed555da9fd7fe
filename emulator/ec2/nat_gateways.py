"""NAT gateways: each holds an interface in its subnet and, when public, an Elastic IP address, until it is deleted."""

import re
from typing import Any

from emulator.ec2 import interfaces
from emulator.ec2.actions import ACTIONS, Action, Params, Record, Refused, new_id, param, store


def install() -> None:
    """Correct the actions on NAT gateways."""
    ACTIONS["CreateNatGateway"] = _create(ACTIONS["CreateNatGateway"])
    ACTIONS["DeleteNatGateway"] = _delete(ACTIONS["DeleteNatGateway"])
    ACTIONS["DescribeNatGateways"] = _describe(ACTIONS["DescribeNatGateways"])


def _create(create: Action) -> Action:
    def create_with_interface(params: Params) -> Any:
        address = _free_address(param(params, "AllocationId")) if param(params, "AllocationId") else {}
        interface = interfaces.make(
            param(params, "SubnetId"),
            [],
            Status="in-use",
            InterfaceType="nat_gateway",
            RequesterId="amazon-nat",
            Groups=[],
            PublicIp=address.get("PublicIp", ""),
        )
        answer = create(params)
        gateway_id = re.findall(r"nat-[0-9a-f]+", answer[2].decode())[0]
        interface["Description"] = f"Interface for NAT Gateway {gateway_id}"
        interface["Attachment"] = interfaces.attachment(index=1)
        store("nat_gateways")[gateway_id] |= {"Interface": interface, "Address": address}
        if address:
            address["AssociationId"] = new_id("eipassoc")
            address["NetworkInterfaceId"] = interface["NetworkInterfaceId"]
        return answer

    return create_with_interface


def _delete(delete: Action) -> Action:
    def delete_with_interface(params: Params) -> Any:
        gateway = store("nat_gateways").get(param(params, "NatGatewayId"), {})
        if gateway.get("Interface"):
            interfaces.remove(gateway.pop("Interface")["NetworkInterfaceId"])
            gateway.pop("Address", {}).update(AssociationId=None, NetworkInterfaceId=None)
        return delete(params)

    return delete_with_interface


def _describe(describe: Action) -> Action:
    def describe_with_addresses(params: Params) -> Any:
        status, headers, body = describe(params)
        items = re.split(r"(?=<natGatewayId>)", body.decode())
        return status, headers, "".join(map(_with_address, items)).encode()

    return describe_with_addresses


def _with_address(item: str) -> str:
    gateway_id = re.match(r"<natGatewayId>(nat-[0-9a-f]+)", item)
    gateway = store("nat_gateways").get(gateway_id[1], {}) if gateway_id else {}
    if not gateway.get("Interface"):
        return item
    address, interface = gateway["Address"], gateway["Interface"]
    fields = {
        "allocationId": address.get("AllocationId"),
        "publicIp": address.get("PublicIp"),
        "networkInterfaceId": interface["NetworkInterfaceId"],
        "privateIp": interface["PrivateIpAddress"],
    }
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if value)
    return item.replace("<natGatewayAddressSet/>", f"<natGatewayAddressSet><item>{inner}</item></natGatewayAddressSet>")


def _free_address(allocation_id: str) -> Record:
    address = store("addresses").get(allocation_id)
    if address is None:
        raise Refused("InvalidAllocationID.NotFound", f"The allocation ID '{allocation_id}' does not exist")
    if address.get("AssociationId"):
        raise Refused("Resource.AlreadyAssociated", f"resource {allocation_id} is already associated")
    return address
