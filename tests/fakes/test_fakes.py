"""The fakes keep the guarantees that tests rely on."""

from __future__ import annotations

import pytest

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import AwsUnavailable, ResourceGone, StillInUse, Throttled
from tests.fakes import FakeWorld, a_lab, a_nodegroup, make_deps

TEMPLATE = """{"Resources": {
  "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "192.168.0.0/16"}},
  "PublicSubnet1": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "MapPublicIpOnLaunch": true}},
  "PublicSubnet2": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "MapPublicIpOnLaunch": true}},
  "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
  "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {}}},
 "Outputs": {"Subnets": {"Value": {"Fn::Join": [",", [{"Ref": "PublicSubnet1"}, {"Ref": "PublicSubnet2"}]]}},
  "RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}, "Template": {"Value": {"Ref": "Template"}}}}"""


def _with_active_cluster() -> FakeWorld:
    world, lab = make_deps(), a_lab()
    world.stacks.create(lab.stack_name, TEMPLATE, {}, lab.tags, "t")
    world.stacks.describe(lab.stack_name)
    outputs = world.stacks.describe(lab.stack_name).outputs
    world.clusters.create(lab, outputs["RoleArn"], outputs["Subnets"].split(","), ())
    while world.clusters.describe(lab.name).status != "ACTIVE":
        pass
    subnets, template = outputs["Subnets"].split(","), (outputs["Template"], "1")
    world.clusters.create_nodegroup(lab, a_nodegroup(), outputs["RoleArn"], subnets, template)
    while world.clusters.nodegroup(lab.name, "myeks-nodegroup").status != "ACTIVE":
        pass
    return world


def test_a_cluster_with_node_groups_refuses_to_be_deleted() -> None:
    world = _with_active_cluster()
    with pytest.raises(StillInUse):
        world.clusters.delete("myeks")


def test_a_node_group_brings_instances_and_leaves_interfaces_that_block_the_stack() -> None:
    world = _with_active_cluster()
    assert len(world.account.of(Kind.INSTANCE)) == 2
    world.clusters.delete_nodegroup("myeks", "myeks-nodegroup")
    assert world.clusters.nodegroup("myeks", "myeks-nodegroup").status == "DELETING"
    with pytest.raises(ResourceGone):
        world.clusters.nodegroup("myeks", "myeks-nodegroup")
    assert not world.account.of(Kind.INSTANCE)
    assert {r.attributes["status"] for r in world.account.of(Kind.NETWORK_INTERFACE)} == {"available"}
    world.stacks.delete(a_lab().stack_name, "t")
    world.stacks.describe(a_lab().stack_name)
    assert world.stacks.describe(a_lab().stack_name).status == "DELETE_FAILED"


def test_planned_trouble_happens_once_before_or_after_the_act() -> None:
    world = make_deps()
    world.fail("start", Throttled("slow down"))
    world.lose_answer("start")
    with pytest.raises(Throttled):
        world.workflows.start("provision", "x", {})
    assert world.workflows.started == []
    with pytest.raises(AwsUnavailable):
        world.workflows.start("provision", "x", {})
    assert world.workflows.names("provision") == ["x"]
    world.workflows.start("provision", "x", {})
    assert len(world.workflows.started) == 1
