"""Another person already has a cluster of that name: the lab fails, and leaves theirs unchanged."""

from typing import Any

import pytest

from sandbox.stage import Stage
from tests.story.account import left_of
from tests.story.network import Network, a_cluster, a_network, a_node_group
from tests.story.steps import learner, lines

pytestmark = pytest.mark.story

NAME = "taken"


def test_the_name_of_somebodys_cluster_is_refused(stage: Stage) -> None:
    # Given a cluster that somebody created by hand
    network = a_network(stage, "10.43.0.0/16")
    a_cluster(network, "occupied")

    # When a lab of the same name is requested, then it is rejected for its name
    answer = learner(stage).sends("POST", "/labs", {"name": "occupied"})
    assert answer.status == 400
    assert [finding["path"] for finding in answer.json["findings"] if finding["severity"] == "error"] == ["name"]


def test_a_cluster_that_took_the_name_meanwhile_stays_as_it_is(stage: Stage) -> None:
    # Given an accepted lab
    network = a_network(stage, "10.44.0.0/16")
    lab = learner(stage).asks_for(NAME)

    # When somebody creates a cluster of the same name before the lab does
    a_cluster(network, NAME)
    a_node_group(network, NAME)
    before = looked_at(network)

    # Then the lab fails, and gives the name as the reason
    failed = lab.becomes("failed")
    assert "name" in failed["reason"]
    assert failed["responsible"] == "yours to fix"

    # And theirs is unchanged, while all of the lab's own resources are deleted
    assert looked_at(network) == before
    receipt = lab.receipt()
    assert receipt["clean"], receipt["verdict"]
    assert [line["outcome"] for line in receipt["looks"][-1]["lines"] if line["kind"] == "cluster"] == ["kept"]
    assert lines(receipt, "deleted", "stack")
    assert left_of(lab) == []


def looked_at(network: Network) -> dict[str, Any]:
    eks, ec2 = network.client("eks"), network.client("ec2")
    inside = [{"Name": "vpc-id", "Values": [network.vpc]}]
    nodes = ec2.describe_instances(Filters=inside)["Reservations"]
    return {
        "cluster": eks.describe_cluster(name=NAME)["cluster"],
        "node group": eks.describe_nodegroup(clusterName=NAME, nodegroupName="workers")["nodegroup"],
        "add-ons": eks.list_addons(clusterName=NAME)["addons"],
        "access": eks.list_access_entries(clusterName=NAME)["accessEntries"],
        "nodes": sorted((i["InstanceId"], i["State"]["Name"]) for r in nodes for i in r["Instances"]),
        "groups": ec2.describe_security_groups(Filters=inside)["SecurityGroups"],
    }
