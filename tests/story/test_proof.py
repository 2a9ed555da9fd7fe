"""Forgers: who holds only the right to write tags has nothing of anybody's deleted, and every forgery is named on the receipt.

Rows of the table of forgeries, in the sandbox, where IAM enforces; each forger holds the rights named, and no other. The rows that
need no AWS are in tests/workflows/test_rows_of_proof.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.people import make_person
from sandbox.stage import Stage
from tests.story.account import clients, cluster, pods_of
from tests.story.network import Network, a_cluster, a_network
from tests.story.steps import Lab, learner, lines

pytestmark = pytest.mark.story


def a_forger(stage: Stage, name: str, *actions: str) -> Callable[[str], Any]:
    """Clients of a user who may do this and nothing else."""
    person = make_person(stage.sandbox, name)
    iam = stage.sandbox.client("iam")
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
    return lambda service: stage.sandbox.client(service, credentials=person.credentials)


def test_row_1_a_production_cluster_that_somebody_tags_is_nobodys_lab(stage: Stage) -> None:
    # Given a production cluster, and somebody who holds eks:TagResource alone
    network = a_network(stage, "10.61.0.0/16")
    a_cluster(network, "production")
    forger = a_forger(stage, "cluster-tagger", "eks:TagResource")
    before = cluster(network.client, "production")

    # When they tag it as a lab of their own
    tags = {"ekslab:lab-id": "lab-0f0f0f0f0f0f", "ekslab:installation": "ekslab", "ekslab:owner": "cluster-tagger"}
    forger("eks").tag_resource(resourceArn=before["arn"], tags=tags)

    # Then it is no lab, nor can it be made one
    owner = learner(stage)
    assert owner.sends("GET", "/labs/lab-0f0f0f0f0f0f").status == 404
    path = f"/orphans/{stage.sandbox.account}/{stage.sandbox.region}/production/adopt"
    assert owner.sends("POST", path).status == 403


def test_row_2_tags_on_other_peoples_things_delete_nothing_and_are_named(stage: Stage) -> None:
    # Given a lab, other people's things in another network, and somebody who holds ec2:CreateTags and AddTags alone
    network = a_network(stage, "10.62.0.0/16")
    lab = learner(stage).asks_for("forged", nodegroups=[])
    lab.becomes("ready")
    theirs = things_of_theirs(network)
    forger = a_forger(stage, "ec2-tagger", "ec2:CreateTags", "elasticloadbalancing:AddTags")

    # And a volume of the lab's own, by the driver's bare mark, as the Helm chart leaves it (row 9)
    zone = network.client("ec2").describe_subnets(SubnetIds=[network.subnets[0]])["Subnets"][0]["AvailabilityZone"]
    bare = [{"ResourceType": "volume", "Tags": [{"Key": "ebs.csi.aws.com/cluster", "Value": "true"}]}]
    mine = pods_of(lab)("ec2").create_volume(Size=1, AvailabilityZone=zone, TagSpecifications=bare)["VolumeId"]

    # When they tag all of it with the lab's id, and the lab is let go
    mark = [{"Key": "ekslab:lab-id", "Value": lab.id}]
    forger("ec2").create_tags(Resources=[id for id in theirs if not id.startswith("arn:")], Tags=mark)
    forger("elbv2").add_tags(ResourceArns=[id for id in theirs if id.startswith("arn:")], Tags=mark)
    lab.is_let_go()
    lab.becomes("deleted")

    # Then theirs is there still, the lab's volume is gone, and the receipt names every forgery with its maker
    assert still_theirs(network, theirs) == theirs
    assert volumes(lab, [mine]) == []
    receipt = lab.receipt()
    assert not receipt["clean"]
    left = {
        line["arn"].rpartition("/")[2] if "arn:aws:ec2" in line["arn"] else line["arn"]: line
        for line in lines(receipt, "left")
    }
    assert set(theirs) <= set(left)
    assert all(left[id]["reason"].startswith("looks like the lab's; created by ") for id in theirs)
    assert all(left[id]["command"].startswith("aws ") for id in theirs)

    # And its owner settles them, but nothing that is not on the receipt
    nowhere = "arn:aws:ec2:ap-northeast-2:111122223333:volume/vol-0"
    assert lab.learner.sends("POST", f"{lab.path}/leftovers", {"keep": [nowhere]}).status == 422
    settled = lab.learner.sends("POST", f"{lab.path}/leftovers", {"keep": [left[id]["arn"] for id in theirs]})
    assert settled.status == 200
    assert lab.receipt()["clean"]


def bare_id(arn: str) -> str:
    """What EC2 calls it; of a balancer, its ARN."""
    return arn.rpartition("/")[2] if arn.startswith("arn:aws:ec2") else arn


def things_of_theirs(network: Network) -> list[str]:
    """A volume, a snapshot, a security group, a launch template and a balancer of somebody's."""
    ec2, elbv2 = network.client("ec2"), network.client("elbv2")
    zone = ec2.describe_subnets(SubnetIds=[network.subnets[0]])["Subnets"][0]["AvailabilityZone"]
    volume = ec2.create_volume(Size=1, AvailabilityZone=zone)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    data = {"InstanceType": "t3.medium"}
    template = ec2.create_launch_template(LaunchTemplateName="theirs", LaunchTemplateData=data)["LaunchTemplate"]
    made = elbv2.create_load_balancer(Name="theirs", Subnets=list(network.subnets), Type="network")
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    return [volume, snapshot, network.group, template["LaunchTemplateId"], balancer]


def still_theirs(network: Network, ids: list[str]) -> list[str]:
    """Those that are there, in the same order."""
    ec2, elbv2 = network.client("ec2"), network.client("elbv2")
    volume, snapshot, group, template, balancer = ids
    there = [each["VolumeId"] for each in ec2.describe_volumes(VolumeIds=[volume])["Volumes"]]
    there += [each["SnapshotId"] for each in ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]]
    there += [each["GroupId"] for each in ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]]
    there += [
        each["LaunchTemplateId"]
        for each in ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"]
    ]
    balancers = elbv2.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
    return there + [each["LoadBalancerArn"] for each in balancers]


def volumes(lab: Lab, ids: list[str]) -> list[str]:
    """Which of these volumes are there."""
    found = clients(lab)("ec2").describe_volumes(Filters=[{"Name": "volume-id", "Values": ids}])["Volumes"]
    return [each["VolumeId"] for each in found if each["State"] not in ("deleting", "deleted")]
