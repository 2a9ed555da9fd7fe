"""AWS throttles, rejects calls that it accepts later, and performs actions that it answers with 500."""

from typing import Any

import pytest

from sandbox.stage import Stage
from tests.story.account import clients, cluster, left_of
from tests.story.steps import Lab, learner

pytestmark = pytest.mark.story

NAME = "deaf"
CREATIONS = ("CreateCluster", "CreateNodegroup", "CreateAddon", "CreateAccessEntry", "CreatePodIdentityAssociation")
DELETIONS = ("DeleteNodegroup", "DeleteCluster")
LOOKS = ("DescribeCluster", "DescribeNodegroup", "DescribeAddon")
NOT_YET = "ResourcePropagationDelayException"


def test_throttling_and_lost_answers_neither_stop_a_lab_nor_make_anything_twice(stage: Stage) -> None:
    # Given an AWS that throttles every read, is not ready for any change at first, and loses the answer to the next
    rules = [fault(name, 2, error={"code": "ThrottlingException", "message": "Rate exceeded"}) for name in LOOKS]
    acts = (*CREATIONS, *DELETIONS)
    rules += [fault(name, 2, error={"code": NOT_YET, "message": "Not yet.", "status": 428}) for name in acts]
    rules += [fault(name, 1, lostAnswer=True) for name in acts]
    stage.sandbox.admin("PATCH", "faults", rules)

    # When a lab with most options is requested
    lab = learner(stage).asks_for(NAME, externalDns={"hostedZoneId": stage.zone_id}, workHost=True)
    lab.becomes("ready")

    # Then there is exactly one of each
    assert made(lab) == {
        "stacks": 1,
        "VPCs": 1,
        "cluster security groups": 1,
        "node groups": [f"{NAME}-nodegroup"],
        "Auto Scaling groups": 1,
        "nodes": 2,
        "work hosts": 1,
        "access entries": 4,
        "pod identity associations": 2,  # Those of external-dns and the CNI
    }

    # And all of it is deleted
    lab.is_let_go()
    lab.becomes("deleted")
    assert lab.receipt()["clean"]
    assert cluster(clients(lab), NAME) is None
    assert left_of(lab) == []


def fault(operation: str, times: int, **effect: object) -> dict[str, object]:
    return {"operation": operation, "cluster": NAME, "times": times, **effect}


def made(lab: Lab) -> dict[str, object]:
    """The number of the lab's resources that root sees, by service."""
    client = clients(lab)
    ec2, eks = client("ec2"), client("eks")
    mine = [{"Name": "tag:ekslab:lab-id", "Values": [lab.id]}]
    of_cluster = [{"Name": "tag:aws:eks:cluster-name", "Values": [lab.name]}]
    running = {"Name": "instance-state-name", "Values": ["pending", "running"]}
    nodes = [{"Name": "tag:eks:cluster-name", "Values": [lab.name]}, running]
    in_vpc = [{"Name": "vpc-id", "Values": [lab.inventory()["controlPlane"]["vpcId"]]}, running]
    groups = client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    node_count, all_count = (count_instances(ec2, filters) for filters in (nodes, in_vpc))
    return {
        "stacks": sum(lab.id in stack["StackName"] for stack in stacks),
        "VPCs": len(ec2.describe_vpcs(Filters=mine)["Vpcs"]),
        "cluster security groups": len(ec2.describe_security_groups(Filters=of_cluster)["SecurityGroups"]),
        "node groups": eks.list_nodegroups(clusterName=lab.name)["nodegroups"],
        "Auto Scaling groups": sum(lab.name in group["AutoScalingGroupName"] for group in groups),
        "nodes": node_count,
        "work hosts": all_count - node_count,
        "access entries": len(eks.list_access_entries(clusterName=lab.name)["accessEntries"]),
        "pod identity associations": len(eks.list_pod_identity_associations(clusterName=lab.name)["associations"]),
    }


def count_instances(ec2: Any, filters: Any) -> int:
    reservations = ec2.describe_instances(Filters=filters)["Reservations"]
    return sum(len(reservation["Instances"]) for reservation in reservations)
