"""A guest in a network that somebody made: the lab lives in it, goes, and nobody can tell that it was there."""

from typing import Any

import pytest

from sandbox.stage import Stage
from tests.story.account import clients, left_of
from tests.story.network import Network, a_network
from tests.story.steps import learner, lines

pytestmark = pytest.mark.story


def test_a_guest_leaves_the_network_as_it_found_it(stage: Stage) -> None:
    # Given somebody's network, with a group and rules of their own in it
    network = a_network(stage, "10.42.0.0/16")
    before = looked_at(network)

    # When a lab is asked for in its subnets, it is refused, for nobody offered them
    refused = learner(stage).sends(
        "POST", "/labs", {"name": "guest", "network": {"publicSubnetIds": list(network.subnets)}}
    )
    assert refused.status == 400
    assert {finding["code"] for finding in refused.json["findings"]} == {"not-offered"}

    # And when an administrator offers them, it is made
    stage.offer({"networks": [*stage.course.offers["networks"], {"vpcId": network.vpc}]})
    lab = learner(stage).asks_for("guest", network={"publicSubnetIds": list(network.subnets)})
    lab.becomes("ready")

    # Then it lives there, and made no network of its own
    plane = lab.inventory()["controlPlane"]
    assert plane["vpcId"] == network.vpc
    assert set(plane["subnetIds"]) == set(network.subnets)
    mine = [{"Name": "tag:ekslab:lab-id", "Values": [lab.id]}]
    assert clients(lab)("ec2").describe_vpcs(Filters=mine)["Vpcs"] == []
    assert looked_at(network) != before

    # And when it is let go, the network is exactly as it was
    lab.is_let_go()
    lab.becomes("deleted")
    assert looked_at(network) == before
    assert left_of(lab) == []

    # And the receipt says why the network is still there
    receipt = lab.receipt()
    assert receipt["clean"], receipt["verdict"]
    kept = {line["arn"].rpartition("/")[2]: line["reason"] for line in lines(receipt, "kept")}
    assert {network.vpc, *network.subnets} <= set(kept)
    assert "guest" in kept[network.vpc]


def looked_at(network: Network) -> dict[str, Any]:
    """All that EC2 shows of the network and of what is in it."""
    ec2 = network.client("ec2")
    inside = [{"Name": "vpc-id", "Values": [network.vpc]}]
    attached = [{"Name": "attachment.vpc-id", "Values": [network.vpc]}]
    return {
        "vpcs": ec2.describe_vpcs(VpcIds=[network.vpc])["Vpcs"],
        "subnets": ec2.describe_subnets(Filters=inside)["Subnets"],
        "routes": ec2.describe_route_tables(Filters=inside)["RouteTables"],
        "groups": ec2.describe_security_groups(Filters=inside)["SecurityGroups"],
        "acls": ec2.describe_network_acls(Filters=inside)["NetworkAcls"],
        "interfaces": ec2.describe_network_interfaces(Filters=inside)["NetworkInterfaces"],
        "gateways": ec2.describe_internet_gateways(Filters=attached)["InternetGateways"],
    }
