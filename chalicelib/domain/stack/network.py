"""The lab's own network in its stack: a VPC cut into two public and two private quarters, in two zones. Nothing for a guest.

The subnets' tags mark them for internet-facing and internal balancers of load balancer controllers.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import ExistingNetwork, NatMode, NewNetwork
from chalicelib.domain.stack.intrinsics import Json, attribute, ref, resource, tag_list

_PUBLIC = ("PublicSubnet1", "PublicSubnet2")
_PRIVATE = ("PrivateSubnet1", "PrivateSubnet2")


def new_network(lab: Lab) -> Json:
    """The network's resources; none if the lab uses an existing one as a guest."""
    network = lab.spec.network
    if isinstance(network, ExistingNetwork):
        return {}
    return {
        "Vpc": resource(
            "EC2::VPC",
            {
                "CidrBlock": network.cidr,
                "EnableDnsSupport": True,
                "EnableDnsHostnames": True,
                "Tags": _named(lab, "vpc"),
            },
        ),
        "InternetGateway": resource("EC2::InternetGateway", {"Tags": _named(lab, "igw")}),
        "GatewayAttachment": resource(
            "EC2::VPCGatewayAttachment", {"VpcId": ref("Vpc"), "InternetGatewayId": ref("InternetGateway")}
        ),
        **_subnets(lab, network),
        **_routing(lab),
        **(_nat(lab) if network.nat is NatMode.SINGLE else {}),
    }


def network_outputs() -> dict[str, Any]:
    """The subnets of a new network."""
    return {"PublicSubnetIds": _joined(_PUBLIC), "PrivateSubnetIds": _joined(_PRIVATE)}


def existing_network_outputs(lab: Lab) -> dict[str, Any]:
    """The subnets of the existing network, in the same outputs, so that later steps need not tell them apart."""
    network = lab.spec.network
    assert isinstance(network, ExistingNetwork)
    return {
        "PublicSubnetIds": ",".join(network.public_subnet_ids),
        "PrivateSubnetIds": ",".join(network.private_subnet_ids),
    }


def _joined(names: tuple[str, ...]) -> Json:
    return {"Fn::Join": [",", [ref(name) for name in names]]}


def _subnets(lab: Lab, network: NewNetwork) -> Json:
    quarters = [str(block) for block in ip_network(network.cidr).subnets(prefixlen_diff=2)]
    made: Json = {}
    for name, cidr, zone in zip((*_PUBLIC, *_PRIVATE), quarters, ("ZoneA", "ZoneB") * 2, strict=True):
        public = name in _PUBLIC
        tags = {
            "Name": f"{lab.stack_name}-{name}",
            f"kubernetes.io/cluster/{lab.name}": "owned",
            "kubernetes.io/role/elb" if public else "kubernetes.io/role/internal-elb": "1",
        }
        made[name] = resource(
            "EC2::Subnet",
            {
                "VpcId": ref("Vpc"),
                "CidrBlock": cidr,
                "AvailabilityZone": ref(zone),
                "MapPublicIpOnLaunch": public,
                "Tags": tag_list(tags),
            },
        )
    return made


def _routing(lab: Lab) -> Json:
    """One table for the public subnets, one for the private ones, which has no route outside without NAT."""
    made: Json = {
        "PublicRoute": resource(
            "EC2::Route",
            {
                "RouteTableId": ref("PublicRouteTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": ref("InternetGateway"),
            },
            depends_on="GatewayAttachment",
        )
    }
    for table, subnets in (("PublicRouteTable", _PUBLIC), ("PrivateRouteTable", _PRIVATE)):
        made[table] = resource("EC2::RouteTable", {"VpcId": ref("Vpc"), "Tags": _named(lab, table)})
        for subnet in subnets:
            made[f"{subnet}Routes"] = resource(
                "EC2::SubnetRouteTableAssociation", {"RouteTableId": ref(table), "SubnetId": ref(subnet)}
            )
    return made


def _nat(lab: Lab) -> Json:
    return {
        "NatAddress": resource("EC2::EIP", {"Domain": "vpc", "Tags": _named(lab, "nat")}, "GatewayAttachment"),
        "NatGateway": resource(
            "EC2::NatGateway",
            {
                "AllocationId": attribute("NatAddress", "AllocationId"),
                "SubnetId": ref("PublicSubnet1"),
                "Tags": _named(lab, "nat"),
            },
            depends_on="PublicRoute",
        ),
        "PrivateRoute": resource(
            "EC2::Route",
            {
                "RouteTableId": ref("PrivateRouteTable"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": ref("NatGateway"),
            },
        ),
    }


def _named(lab: Lab, what: str) -> list[Json]:
    return tag_list({"Name": f"{lab.stack_name}-{what}"})
