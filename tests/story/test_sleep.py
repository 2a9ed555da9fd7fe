"""A lab sleeps and wakes: its nodes are removed and return, people lose and regain access, the control plane stays."""

import pytest

from sandbox.scenarios.fleet import Machines, launch
from sandbox.stage import Stage
from tests.story.account import left_of
from tests.story.steps import Lab, learner

pytestmark = pytest.mark.story


def nodegroup_of(stage: Stage, lab: Lab) -> dict[str, int]:
    eks = stage.sandbox.client("eks")
    sizes: dict[str, int] = eks.describe_nodegroup(clusterName=lab.name, nodegroupName="workers")["nodegroup"][
        "scalingConfig"
    ]
    return sizes


def machines_of(stage: Stage, lab: Lab) -> int:
    filters = [
        {"Name": "tag:eks:cluster-name", "Values": [lab.name]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    found = stage.sandbox.client("ec2").describe_instances(Filters=filters)["Reservations"]
    return sum(len(one["Instances"]) for one in found)


def test_a_lab_sleeps_wakes_and_goes_without_a_trace(stage: Stage) -> None:
    # Given a ready lab with two nodes
    lab = learner(stage).asks_for("sleeper", nodegroups=[{"name": "workers", "desired": 2, "min": 1, "max": 3}])
    lab.becomes("ready")
    eks, before = stage.sandbox.client("eks"), nodegroup_of(stage, lab)
    assert lab.learner.arn in eks.list_access_entries(clusterName=lab.name)["accessEntries"]

    # When it hibernates, then its nodes and its learner's access are removed, and the control plane stays
    assert lab.learner.sends("POST", f"{lab.path}/hibernate").status == 202
    lab.becomes("hibernated")
    assert nodegroup_of(stage, lab) == {"minSize": 0, "desiredSize": 0, "maxSize": 3}
    assert machines_of(stage, lab) == 0
    assert lab.learner.arn not in eks.list_access_entries(clusterName=lab.name)["accessEntries"]
    assert eks.describe_cluster(name=lab.name)["cluster"]["status"] == "ACTIVE"

    # When it wakes, then all is as before, and nothing is claimed of its nodes that was not seen: Kubernetes answers 401
    assert lab.learner.sends("POST", f"{lab.path}/wake").status == 202
    lab.becomes("ready")
    assert "The lab is awake. 2 of 2 nodes run, and EKS finds no fault (Kubernetes can't be asked: " in lab.events()
    assert "say Ready" not in lab.events()
    assert (nodegroup_of(stage, lab), machines_of(stage, lab)) == (before, 2)
    assert lab.learner.arn in eks.list_access_entries(clusterName=lab.name)["accessEntries"]

    # When it sleeps again while an instance protected from scale-in keeps running, then this is reported
    (kept,) = launch(stage.sandbox, Machines(lab.name, "workers", 1, managed=True))
    assert lab.learner.sends("POST", f"{lab.path}/hibernate").status == 202
    assert "Instances go on running, and cost: 1 instance of workers" in lab.becomes("hibernated")["reason"]
    stage.sandbox.client("ec2").terminate_instances(InstanceIds=[kept])

    # When it is ended asleep, then nothing is left
    lab.is_let_go()
    lab.becomes("deleted")
    assert lab.receipt()["clean"]
    assert left_of(lab) == []
