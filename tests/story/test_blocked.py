"""Blocked: somebody put a machine of their own into the lab's network. It is not ours to delete, and says so."""

from typing import Any

import pytest

from sandbox.stage import Stage
from tests.story.account import clients, left_of
from tests.story.steps import Lab, learner, lines

pytestmark = pytest.mark.story


def test_a_foreign_machine_blocks_the_lab_until_its_owner_takes_it_away(stage: Stage) -> None:
    # Given a ready lab, into whose network somebody put an instance with a group of their own
    lab = learner(stage).asks_for("crossed")
    lab.becomes("ready")
    instance, group = put_by_hand(lab)

    # When the lab is let go
    lab.is_let_go()
    blocked = lab.becomes("blocked")

    # Then it tells what is in the way, by ARN, and why that stays
    receipt = lab.receipt()
    assert not receipt["clean"]
    in_the_way = {line["arn"].rpartition("/")[2]: line["reason"] for line in lines(receipt, "blocked")}
    assert {instance, group} <= set(in_the_way)
    assert "not the lab's to delete" in in_the_way[instance]
    assert any(
        f":{kind}/{thing}" in blocked["reason"] for kind, thing in (("instance", instance), ("security-group", group))
    )
    assert f"`ekslab delete cluster {lab.name}` tries again" in " ".join(blocked["next"])

    # And it did not touch it, but all that could go is gone
    ec2 = clients(lab)("ec2")
    assert state_of(ec2, instance) == "running"
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["GroupName"] == "by-hand"
    assert lines(receipt, "deleted", "cluster")
    assert "deleted" not in lab.shown()["phase"]

    # And when its owner has taken it away, letting go again ends it
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.delete_security_group(GroupId=group)
    lab.is_let_go()
    lab.becomes("deleted")
    assert lab.receipt()["clean"]
    assert left_of(lab) == []


def put_by_hand(lab: Lab) -> tuple[str, str]:
    """An instance without any tag, in the lab's first public subnet, in a security group made for it."""
    ec2 = clients(lab)("ec2")
    plane = lab.inventory()["controlPlane"]
    group = ec2.create_security_group(GroupName="by-hand", Description="mine", VpcId=plane["vpcId"])["GroupId"]
    asked = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    made = ec2.run_instances(**asked, SubnetId=plane["subnetIds"][0], SecurityGroupIds=[group])
    return made["Instances"][0]["InstanceId"], group


def state_of(ec2: Any, instance: str) -> str:
    seen = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return str(seen["State"]["Name"])
