"""Deletions of the network's resource types that call EC2's own actions, so that its refusals apply.

The emulator's own deletions drop the record despite its dependents. A missing resource counts as deleted.
"""

from collections.abc import Callable, Mapping
from typing import Any

from emulator.ec2.actions import Params, Refused, perform, tags

Properties = Mapping[str, Any]
Delete = Callable[[str, Properties], None]


def deleting(action: str, parameter: str) -> Delete:
    """Return a deletion that performs one EC2 action with the physical id as one parameter."""

    def delete(physical_id: str, _: Properties) -> None:
        delete_resource(action, {parameter: [physical_id]})
        tags().pop(physical_id, None)

    return delete


def delete_resource(action: str, params: Params) -> None:
    """Perform a deleting EC2 action; raise a ValueError, in CloudFormation's words, when EC2 refuses."""
    try:
        perform(action, params)
    except Refused as refused:
        if not refused.code.endswith((".NotFound", "NotFound")):
            message = f"{refused.message} (Service: Ec2, Status Code: {refused.status}, Code: {refused.code})"
            raise ValueError(f'Resource handler returned message: "{message}"') from refused


def _detach_gateway(_: str, properties: Properties) -> None:
    gateway, vpc = properties.get("InternetGatewayId"), properties.get("VpcId")
    if gateway:
        delete_resource("DetachInternetGateway", {"InternetGatewayId": [gateway], "VpcId": [vpc]})


DELETIONS: Mapping[str, Delete] = {
    "AWS::EC2::InternetGateway": deleting("DeleteInternetGateway", "InternetGatewayId"),
    "AWS::EC2::RouteTable": deleting("DeleteRouteTable", "RouteTableId"),
    "AWS::EC2::SecurityGroup": deleting("DeleteSecurityGroup", "GroupId"),
    "AWS::EC2::Subnet": deleting("DeleteSubnet", "SubnetId"),
    "AWS::EC2::VPC": deleting("DeleteVpc", "VpcId"),
    "AWS::EC2::VPCGatewayAttachment": _detach_gateway,
}
