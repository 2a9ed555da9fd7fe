"""Dependents that prevent the deletion of an EC2 resource: they determine the order of a teardown.

Each function yields the dependents of one resource. The refusal (DependencyViolation or similar) does not list them, as on AWS.
"""

from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import efs

from emulator.ec2.actions import ACTIONS, Action, Params, Record, Refused, param, records, store


def install() -> None:
    """Put the refusals before the actions."""
    for action, refuse in _REFUSALS.items():
        ACTIONS[action] = _refusing(refuse, ACTIONS[action])


def on_subnet(subnet_id: str) -> Iterator[str]:
    """Yield the ids of a subnet's resources."""
    yield from (i["NetworkInterfaceId"] for i in records("network_interfaces") if i["SubnetId"] == subnet_id)
    yield from (t["MountTargetId"] for t in list(efs._mount_targets.values()) if t["SubnetId"] == subnet_id)


def on_group(group_id: str) -> Iterator[str]:
    """Yield the ids of the interfaces in a security group and of the other groups whose rules name it."""
    for interface in records("network_interfaces"):
        if any(group["GroupId"] == group_id for group in interface["Groups"]):
            yield interface["NetworkInterfaceId"]
    for group in records("security_groups"):
        if group["GroupId"] != group_id and group_id in _referenced(group):
            yield group["GroupId"]


def on_vpc(vpc_id: str) -> Iterator[str]:
    """Yield the ids of a VPC's resources without those that AWS creates with it."""
    for kind, id_name in (("subnets", "SubnetId"), ("network_interfaces", "NetworkInterfaceId")):
        yield from (record[id_name] for record in records(kind) if record["VpcId"] == vpc_id)
    for group in records("security_groups"):
        if group["VpcId"] == vpc_id and group["GroupName"] != "default":
            yield group["GroupId"]
    for table in records("route_tables"):
        if table["VpcId"] == vpc_id and not any(a.get("Main") for a in table["Associations"]):
            yield table["RouteTableId"]
    yield from (e["VpcEndpointId"] for e in records("vpc_endpoints") if e["VpcId"] == vpc_id)
    for gateway in records("internet_gateways"):
        if any(attached["VpcId"] == vpc_id for attached in gateway["Attachments"]):
            yield gateway["InternetGatewayId"]


def _referenced(group: Record) -> set[str]:
    permissions = [*group.get("IpPermissions", []), *group.get("IpPermissionsEgress", [])]
    return {pair.get("GroupId", "") for permission in permissions for pair in permission.get("UserIdGroupPairs", [])}


def _subnet(params: Params) -> None:
    subnet_id = param(params, "SubnetId")
    if any(on_subnet(subnet_id)):
        raise _violation(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")


def _group(params: Params) -> None:
    group_id = param(params, "GroupId")
    if any(on_group(group_id)):
        raise _violation(f"resource {group_id} has a dependent object")


def _vpc(params: Params) -> None:
    vpc_id = param(params, "VpcId")
    if any(on_vpc(vpc_id)):
        raise _violation(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")


def _route_table(params: Params) -> None:
    table_id = param(params, "RouteTableId")
    if store("route_tables").get(table_id, {}).get("Associations"):
        raise _violation(f"The routeTable '{table_id}' has dependencies and cannot be deleted.")


def _internet_gateway(params: Params) -> None:
    gateway_id = param(params, "InternetGatewayId")
    if store("internet_gateways").get(gateway_id, {}).get("Attachments"):
        raise _violation(f"The internetGateway '{gateway_id}' has dependencies and cannot be deleted.")


def _public_addresses(params: Params) -> None:
    vpc_id = param(params, "VpcId")
    if any(i["VpcId"] == vpc_id and i.get("PublicIp") for i in records("network_interfaces")):
        raise _violation(
            f"Network {vpc_id} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway."
        )


def _address(params: Params) -> None:
    address = store("addresses").get(param(params, "AllocationId"), {})
    if address.get("AssociationId"):
        raise Refused("InvalidIPAddress.InUse", f"Address {address['PublicIp']} is in use.")


def _violation(message: str) -> Refused:
    return Refused("DependencyViolation", message)


def _refusing(refuse: Callable[[Params], None], function: Action) -> Action:
    def act(params: Params) -> Any:
        refuse(params)
        return function(params)

    return act


_REFUSALS: dict[str, Callable[[Params], None]] = {
    "DeleteSubnet": _subnet,
    "DeleteSecurityGroup": _group,
    "DeleteVpc": _vpc,
    "DeleteRouteTable": _route_table,
    "DeleteInternetGateway": _internet_gateway,
    "DetachInternetGateway": _public_addresses,
    "ReleaseAddress": _address,
}
