"""The course's base stack in a sandbox: the resources that its administrator created and offers to labs.

A VPC with two public subnets, a key pair, and a domain in a hosted zone below which every lab gets a subdomain of its own.
"""

from dataclasses import dataclass
from typing import Any

from emulator.process import Sandbox

ZONE = "lab.example.com"
DOMAIN = f"labs.{ZONE}"
KEY_PAIR = "course"
_CIDR = "10.200.0.0/16"


@dataclass(frozen=True, slots=True)
class Course:
    """The ids of the created labs."""

    zone_id: str
    vpc_id: str
    subnet_ids: tuple[str, ...]

    @property
    def offers(self) -> dict[str, Any]:
        """The body of PUT /offers that offers it to labs."""
        return {
            "zones": [{"hostedZoneId": self.zone_id, "domain": DOMAIN}],
            "networks": [{"vpcId": self.vpc_id}],
            "keyPairs": [KEY_PAIR],
        }


def make_course(sandbox: Sandbox) -> Course:
    """Make the base stack's things; call it once per sandbox."""
    zone = sandbox.client("route53").create_hosted_zone(Name=ZONE, CallerReference="stage")
    ec2 = sandbox.client("ec2")
    ec2.create_key_pair(KeyName=KEY_PAIR)
    vpc = ec2.create_vpc(CidrBlock=_CIDR)["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]][:2]
    subnets = tuple(_public_subnet(ec2, vpc, table, f"10.200.{n}.0/24", zones[n]) for n in (0, 1))
    return Course(zone["HostedZone"]["Id"].rpartition("/")[2], vpc, subnets)


def _public_subnet(ec2: Any, vpc: str, table: str, cidr: str, zone: str) -> str:
    subnet = str(ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"])
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return subnet
