"""What EC2 can tag, by the prefix of its id: the type in its ARN, and whether such a thing is still there.

The emulator keeps the tags of what was deleted through its API; nobody must find a thing by them.
"""

from typing import Any

from emulator.ec2.actions import ACTIONS, Action, Params, records, store, tags

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


def install() -> None:
    """Let DescribeTags speak of living resources only."""
    ACTIONS["DescribeTags"] = _of_the_living(ACTIONS["DescribeTags"])


def forget_the_gone() -> None:
    """Drop the tags of resources that are not there any more, of the kinds above."""
    for resource_id in list(tags()):
        if resource_id.partition("-")[0] in KINDS and not _exists(resource_id):
            tags().pop(resource_id, None)


def _exists(resource_id: str) -> bool:
    prefix = resource_id.partition("-")[0]
    if prefix == "key":
        return any(pair["KeyPairId"] == resource_id for pair in records("key_pairs"))
    return resource_id in store(KINDS[prefix][1])


def _of_the_living(describe: Action) -> Action:
    def describe_tags(params: Params) -> Any:
        forget_the_gone()
        return describe(params)

    return describe_tags
