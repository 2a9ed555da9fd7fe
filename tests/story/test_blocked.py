"""Blocked: another owner's instance in the lab's network. The service does not delete it, and reports it."""

from typing import Any

import pytest

from sandbox.stage import Stage
from tests.story.account import clients, left_of
from tests.story.steps import Lab, learner, lines

pytestmark = pytest.mark.story


def test_a_foreign_machine_blocks_the_lab_until_its_owner_takes_it_away(stage: Stage) -> None:
    # Given a ready lab, and another owner's instance with its own group in the lab's network
    lab = learner(stage).asks_for("crossed")
    lab.becomes("ready")
    instance, group = put_by_hand(lab)

    # When the lab is ended
    lab.is_let_go()
    blocked = lab.becomes("blocked")

    # Then it names the blocking resources by ARN, and why they stay
    receipt = lab.receipt()
    assert not receipt["clean"]
    in_the_way = {line["arn"].rpartition("/")[2]: line["reason"] for line in lines(receipt, "blocked")}
    assert {instance, group} <= set(in_the_way)
    assert "not the lab's to delete" in in_the_way[instance]
    assert any(
        f":{kind}/{thing}" in blocked["reason"] for kind, thing in (("instance", instance), ("security-group", group))
    )
    assert f"`ekslab delete cluster {lab.name}` tries again" in " ".join(blocked["next"])

    # And they are unchanged, but everything else that can be deleted is
    ec2 = clients(lab)("ec2")
    assert state_of(ec2, instance) == "running"
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["GroupName"] == "by-hand"
    assert lines(receipt, "deleted", "cluster")
    assert "deleted" not in lab.shown()["phase"]

    # And once its owner has removed them, ending the lab again succeeds
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.delete_security_group(GroupId=group)
    lab.is_let_go()
    lab.becomes("deleted")
    assert lab.receipt()["clean"]
    assert left_of(lab) == []


def put_by_hand(lab: Lab) -> tuple[str, str]:
    """An instance without tags, in the lab's first public subnet, in a new security group."""
    ec2 = clients(lab)("ec2")
    plane = lab.inventory()["controlPlane"]
    group = ec2.create_security_group(GroupName="by-hand", Description="mine", VpcId=plane["vpcId"])["GroupId"]
    asked = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    made = ec2.run_instances(**asked, SubnetId=plane["subnetIds"][0], SecurityGroupIds=[group])
    return made["Instances"][0]["InstanceId"], group


def state_of(ec2: Any, instance: str) -> str:
    seen = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return str(seen["State"]["Name"])
