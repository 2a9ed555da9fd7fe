"""Elastic IPs on network interfaces: an interface says which address it has, an address which interface has it.

Sources: botocore's model (`NetworkInterfaceAssociation`, `Address`); AssociateAddress refuses an interface that has another one
(`Resource.AlreadyAssociated`) unless it may be reassociated.
"""

import re
from typing import Any

from emulator.ec2.actions import ACTIONS, Action, Params, Record, Refused, param, records, store


def install() -> None:
    """Correct the actions on addresses; ministack knows instances only."""
    ACTIONS["AssociateAddress"] = _associating(ACTIONS["AssociateAddress"])
    ACTIONS["DisassociateAddress"] = _disassociating(ACTIONS["DisassociateAddress"])
    ACTIONS["DescribeAddresses"] = _with_interfaces(ACTIONS["DescribeAddresses"])


def address_of(interface_id: str) -> Record | None:
    """The elastic IP that an interface has."""
    return next((each for each in records("addresses") if each.get("NetworkInterfaceId") == interface_id), None)


def _associating(associate: Action) -> Action:
    def associate_with_interface(params: Params) -> Any:
        interface_id = param(params, "NetworkInterfaceId")
        interface = store("network_interfaces").get(interface_id) if interface_id else None
        if interface_id and interface is None:
            message = f"The networkInterface ID '{interface_id}' does not exist"
            raise Refused("InvalidNetworkInterfaceID.NotFound", message)
        if interface_id and address_of(interface_id) and param(params, "AllowReassociation") != "true":
            raise Refused("Resource.AlreadyAssociated", f"resource {interface_id} is already associated")
        answer = associate(params)
        address = store("addresses").get(param(params, "AllocationId"))
        if answer[0] == 200 and address and interface:
            address["NetworkInterfaceId"] = interface_id
            interface["PublicIp"] = address["PublicIp"]
        return answer

    return associate_with_interface


def _disassociating(disassociate: Action) -> Action:
    def disassociate_from_interface(params: Params) -> Any:
        wanted = param(params, "AssociationId")
        address = next((each for each in records("addresses") if each.get("AssociationId") == wanted), None)
        if address and (interface := store("network_interfaces").get(address.get("NetworkInterfaceId") or "")):
            interface["PublicIp"] = ""
        if address:
            address["NetworkInterfaceId"] = None
        return disassociate(params)

    return disassociate_from_interface


def _with_interfaces(describe: Action) -> Action:
    def describe_with_interfaces(params: Params) -> Any:
        status, headers, body = describe(params)
        text = re.sub(r"<allocationId>(eipalloc-[0-9a-z]+)</allocationId>", _beside_its_id, body.decode())
        return status, headers, text.encode()

    return describe_with_interfaces


def _beside_its_id(found: "re.Match[str]") -> str:
    interface_id = store("addresses").get(found[1], {}).get("NetworkInterfaceId")
    return f"{found[0]}<networkInterfaceId>{interface_id}</networkInterfaceId>" if interface_id else found[0]
