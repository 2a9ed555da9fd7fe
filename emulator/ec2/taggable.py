"""Resources that EC2 can tag, by the prefix of the id: the type in the ARN, and whether the resource still exists.

ministack keeps the tags of deleted resources; queries must not find them.
"""

from typing import Any

from emulator.ec2.actions import ACTIONS, Action, Params, Refused, records, store, tags

KINDS = {
    "eipalloc": ("elastic-ip", "addresses"),
    "eni": ("network-interface", "network_interfaces"),
    "i": ("instance", "instances"),
    "igw": ("internet-gateway", "internet_gateways"),
    "key": ("key-pair", "key_pairs"),
    "lt": ("launch-template", "launch_templates"),
    "nat": ("natgateway", "nat_gateways"),
    "rtb": ("route-table", "route_tables"),
    "sg": ("security-group", "security_groups"),
    "snap": ("snapshot", "snapshots"),
    "subnet": ("subnet", "subnets"),
    "vol": ("volume", "volumes"),
    "vpc": ("vpc", "vpcs"),
    "vpce": ("vpc-endpoint", "vpc_endpoints"),
}
"""By the prefix of an id: the resource type in its ARN, and the emulator's store of such resources."""

_NOT_FOUND = {
    "eipalloc": ("InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
    "eni": ("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{}' does not exist"),
    "i": ("InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"),
    "igw": ("InvalidInternetGatewayID.NotFound", "The internetGateway ID '{}' does not exist"),
    "key": ("InvalidKeyPair.NotFound", "The key pair '{}' does not exist"),
    "lt": ("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID {}, does not exist."),
    "nat": ("NatGatewayNotFound", "The Nat Gateway {} was not found"),
    "rtb": ("InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"),
    "sg": ("InvalidGroup.NotFound", "The security group '{}' does not exist"),
    "snap": ("InvalidSnapshot.NotFound", "The snapshot '{}' does not exist."),
    "subnet": ("InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    "vol": ("InvalidVolume.NotFound", "The volume '{}' does not exist."),
    "vpc": ("InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    "vpce": ("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{}' does not exist"),
}
"""Codes of EC2's "Error codes"; the answer of CreateTags is recorded for instances and assumed for the others."""


def install() -> None:
    """Make DescribeTags list existing resources only."""
    ACTIONS["DescribeTags"] = _of_the_living(ACTIONS["DescribeTags"])


def require(resource_id: str) -> None:
    """Raise Refused for a resource of the kinds above that does not exist."""
    prefix = resource_id.partition("-")[0]
    if prefix in KINDS and not exists(resource_id):
        code, message = _NOT_FOUND[prefix]
        raise Refused(code, message.format(resource_id))


def forget_the_gone() -> None:
    """Drop the tags of deleted resources of the kinds above."""
    for resource_id in list(tags()):
        if resource_id.partition("-")[0] in KINDS and not exists(resource_id):
            tags().pop(resource_id, None)


def exists(resource_id: str) -> bool:
    """Whether a resource of the kinds above is there; False for other ids."""
    prefix = resource_id.partition("-")[0]
    if prefix not in KINDS:
        return False
    if prefix == "key":
        return any(pair["KeyPairId"] == resource_id for pair in records("key_pairs"))
    return resource_id in store(KINDS[prefix][1])


def _of_the_living(describe: Action) -> Action:
    def describe_tags(params: Params) -> Any:
        forget_the_gone()
        return describe(params)

    return describe_tags
