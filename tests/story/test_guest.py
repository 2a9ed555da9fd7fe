"""A lab in an existing network: it is created and deleted without a trace in the network."""

from typing import Any

import pytest

from sandbox.stage import Stage
from tests.story.account import clients, left_of
from tests.story.network import Network, a_network
from tests.story.steps import learner, lines

pytestmark = pytest.mark.story


def test_a_guest_leaves_the_network_as_it_found_it(stage: Stage) -> None:
    # Given an existing network, with a group and rules of its owner in it
    network = a_network(stage, "10.42.0.0/16")
    before = looked_at(network)

    # When a lab is requested in its subnets, it is rejected, since they are not offered
    refused = learner(stage).sends(
        "POST", "/labs", {"name": "guest", "network": {"publicSubnetIds": list(network.subnets)}}
    )
    assert refused.status == 400
    assert {finding["code"] for finding in refused.json["findings"]} == {"not-offered"}

    # And when an administrator offers them, it is created
    stage.offer({"networks": [*stage.course.offers["networks"], {"vpcId": network.vpc}]})
    lab = learner(stage).asks_for("guest", network={"publicSubnetIds": list(network.subnets)})
    lab.becomes("ready")

    # Then it uses them, and created no network of its own
    plane = lab.inventory()["controlPlane"]
    assert plane["vpcId"] == network.vpc
    assert set(plane["subnetIds"]) == set(network.subnets)
    mine = [{"Name": "tag:ekslab:lab-id", "Values": [lab.id]}]
    assert clients(lab)("ec2").describe_vpcs(Filters=mine)["Vpcs"] == []
    assert looked_at(network) != before

    # And when it is ended, the network is exactly as before
    lab.is_let_go()
    lab.becomes("deleted")
    assert looked_at(network) == before
    assert left_of(lab) == []

    # And the receipt states why the network still exists
    receipt = lab.receipt()
    assert receipt["clean"], receipt["verdict"]
    kept = {line["arn"].rpartition("/")[2]: line["reason"] for line in lines(receipt, "kept")}
    assert {network.vpc, *network.subnets} <= set(kept)
    assert "guest" in kept[network.vpc]


def looked_at(network: Network) -> dict[str, Any]:
    """All that EC2 shows of the network and its resources."""
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
