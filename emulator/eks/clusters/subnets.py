"""EKS's checks of subnets: that they exist, are in one VPC and in enough zones, and reach the internet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from emulator.eks.http.call import Caller
from emulator.eks.http.errors import EksError, invalid_parameter
from emulator.eks.state.world import World

Subnet = dict[str, Any]


def existing_subnets(world: World, caller: Caller, ids: Sequence[str]) -> list[Subnet]:
    """Return EC2's description of each subnet, or raise InvalidParameterException for a missing one."""
    if not ids:
        raise invalid_parameter("subnets can not be empty.")
    malformed = [subnet_id for subnet_id in ids if not re.fullmatch(r"subnet-[0-9a-z]+", subnet_id)]
    if malformed:
        raise invalid_parameter(f"The subnet ID '{malformed[0]}' is malformed")
    ec2 = world.aws.client("ec2", caller.account, caller.region)
    try:
        found = ec2.describe_subnets(SubnetIds=list(ids))["Subnets"]
    except ClientError as refused:
        raise invalid_parameter(refused.response["Error"]["Message"]) from refused
    by_id = {subnet["SubnetId"]: subnet for subnet in found}
    missing = [subnet_id for subnet_id in ids if subnet_id not in by_id]
    if missing:
        raise invalid_parameter(f"The subnet ID '{missing[0]}' does not exist")
    return [by_id[subnet_id] for subnet_id in ids]


def require_one_vpc(subnets: Sequence[Subnet]) -> str:
    """Return the VPC's id, or raise where the subnets are of several."""
    vpcs = {subnet["VpcId"] for subnet in subnets}
    if len(vpcs) > 1:
        raise invalid_parameter(f"Subnets must be in one VPC, these are in {', '.join(sorted(vpcs))}")
    return str(vpcs.pop())


def require_two_zones(subnets: Sequence[Subnet]) -> None:
    """Raise unless the subnets lie in two availability zones or more."""
    if len({subnet["AvailabilityZone"] for subnet in subnets}) < 2:
        raise invalid_parameter("Subnets specified must be in at least two different AZs")


def require_supported_zones(world: World, caller: Caller, cluster: str, subnets: Sequence[Subnet]) -> None:
    """Raise UnsupportedAvailabilityZoneException, with validZones, for a zone that a fault rule closes."""
    closed = world.faults.unsupported_zones(cluster)
    hit = sorted({subnet["AvailabilityZone"] for subnet in subnets} & closed)
    if not hit:
        return
    ec2 = world.aws.client("ec2", caller.account, caller.region)
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    valid = sorted(set(zones) - closed)
    message = (
        f"Cannot create cluster '{cluster}' because {hit[0]}, the targeted availability zone, does not currently "
        f"have sufficient capacity to support the cluster. Choose from these availability zones: {', '.join(valid)}"
    )
    raise EksError("UnsupportedAvailabilityZoneException", message, clusterName=cluster, validZones=valid)


def is_public(ec2: Any, subnet: Subnet) -> bool:
    """Tell whether the subnet's route table (its own, else the VPC's main one) leads to an internet gateway."""
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["RouteTables"]
    ours = [table for table in tables if table.get("VpcId") == subnet["VpcId"]]
    own = [table for table in ours if _associated(table, "SubnetId", subnet["SubnetId"])]
    main = [table for table in ours if _associated(table, "Main", True)]
    routes = [route for table in own or main for route in table.get("Routes", [])]
    return any(str(route.get("GatewayId", "")).startswith("igw-") for route in routes)


def _associated(table: dict[str, Any], key: str, value: Any) -> bool:
    return any(association.get(key) == value for association in table.get("Associations", []))
