"""A private lab from the start: its API server is unreachable from outside the network, also for this service."""

import pytest

from sandbox.stage import Stage
from tests.story.account import clients, cluster, left_of
from tests.story.steps import learner

pytestmark = pytest.mark.story


def test_a_lab_that_was_never_public_becomes_ready_and_goes(stage: Stage) -> None:
    # When a private lab with a work host is requested
    owner = learner(stage)
    view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    access = [
        {"principalArn": owner.arn, "policies": [{"policyArn": view.replace("View", "ClusterAdmin")}]},
        {"principalArn": stage.people.learner.arn, "policies": [{"policyArn": view}]},
    ]
    addons = [{"name": "coredns", "configuration": "replicaCount: 1"}]
    lab = owner.asks_for("sealed", endpoint={"access": "private"}, workHost=True, access=access, addons=addons)
    lab.becomes("ready")

    # Then it is private, and its verification states that it could not reach the server
    seen = cluster(clients(lab), "sealed")["resourcesVpcConfig"]
    assert (seen["endpointPublicAccess"], seen["endpointPrivateAccess"]) == (False, True)
    assert "does not let this service ask" in lab.step("verify")["detail"]

    # And its add-on has the settings of the YAML file
    coredns = clients(lab)("eks").describe_addon(clusterName="sealed", addonName="coredns")["addon"]
    assert coredns["configurationValues"] == '{"replicaCount": 1}'

    # And the work host is allowed into the cluster's group
    inventory = lab.inventory()
    groups = {group["role"]: group for group in inventory["securityGroups"]}
    assert inventory["workHost"]["status"] == "running"
    assert groups["work-host"]["id"] in {rule["source"] for rule in groups["cluster"]["ingress"]}

    # And it is deleted, without its API server
    lab.is_let_go()
    lab.becomes("deleted")
    assert "private" in lab.step("sweep_kubernetes")["detail"]
    assert lab.receipt()["clean"]
    assert left_of(lab) == []
