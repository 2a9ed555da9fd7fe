"""VPC endpoints of type Interface hold an interface in each of their subnets, in their groups, until they are deleted."""

import re
from typing import Any

from emulator.ec2 import interfaces
from emulator.ec2.actions import ACTIONS, Action, Params, members, param, records


def install() -> None:
    """Correct the actions on VPC endpoints."""
    ACTIONS["CreateVpcEndpoint"] = _create(ACTIONS["CreateVpcEndpoint"])
    ACTIONS["DeleteVpcEndpoints"] = _delete(ACTIONS["DeleteVpcEndpoints"])


def _create(create: Action) -> Action:
    def create_with_interfaces(params: Params) -> Any:
        wanted = members(params, "SubnetId") if param(params, "VpcEndpointType") == "Interface" else []
        made = [
            interfaces.make(
                subnet,
                members(params, "SecurityGroupId"),
                Status="in-use",
                InterfaceType="vpc_endpoint",
                RequesterId="amazon-vpce",
                Attachment=interfaces.attachment(index=1),
            )
            for subnet in wanted
        ]
        answer = create(params)
        for interface in made:
            interface["Description"] = f"VPC Endpoint Interface {_endpoint_ids(answer[2].decode())[0]}"
        return answer

    return create_with_interfaces


def _delete(delete: Action) -> Action:
    def delete_with_interfaces(params: Params) -> Any:
        gone = set(members(params, "VpcEndpointId"))
        for interface in records("network_interfaces"):
            if gone & set(_endpoint_ids(interface["Description"])):
                interfaces.remove(interface["NetworkInterfaceId"])
        return delete(params)

    return delete_with_interfaces


def _endpoint_ids(text: str) -> list[str]:
    return re.findall(r"vpce-[0-9a-f]+", text)
