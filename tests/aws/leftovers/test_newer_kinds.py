"""Auto Scaling groups, elastic IPs, Container Insights' log groups, untagged target groups, and blockers made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.domain.core.resources import BY_STACK, EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.errors.tree import ResourceGone, StillInUse
from chalicelib.domain.labs.arns import ec2_thing
from chalicelib.domain.teardown.ownership import Action, judge
from tests.aws.leftovers.accounts import client
from tests.aws.leftovers.given import LabOnMoto, a_lab_on_moto
from tests.aws.leftovers.test_finders import OWNED
from tests.fakes import NOW


@pytest.fixture
def lab() -> Iterator[LabOnMoto]:
    with mock_aws():
        yield a_lab_on_moto()


def a_group(lab: LabOnMoto, name: str, subnet: str, **tags: str) -> str:
    """An Auto Scaling group with one instance; return its ARN."""
    autoscaling = client("autoscaling")
    image = lab.account.ec2.register_image(Name=name, Architecture="x86_64")["ImageId"]
    autoscaling.create_launch_configuration(
        LaunchConfigurationName=name, ImageId=image, InstanceType="t3.micro"
    )  # fmt: skip
    marks = [{"ResourceId": name, "Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()]
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchConfigurationName=name,
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=subnet,
        Tags=marks,
    )
    rows = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return str(rows[0]["AutoScalingGroupARN"])


def found(lab: LabOnMoto, kind: Kind) -> dict[str, Resource]:
    return {thing.id: thing for thing in lab.account.leftovers().find(kind, lab.target())}


def counted(lab: LabOnMoto, kind: Kind) -> dict[str, Resource]:
    things, _, unreadable = lab.account.inventory().take(lab.target(), ())
    assert unreadable == ()
    return {thing.id: thing for thing in things if thing.kind is kind}


def test_groups_of_nodes_are_found_by_tag_wherever_they_stand_and_by_subnet_in_the_labs_network(lab: LabOnMoto) -> None:
    own, other = lab.account.places
    for name, subnet, tags in (
        ("tagged-elsewhere", other.subnets[0], OWNED),
        ("by-lab-tag", other.subnets[0], {"ekslab:lab-id": lab.lab.id}),
        ("somebodys", other.subnets[0], {"team": "x"}),
    ):
        a_group(lab, name, subnet, **tags)
    assert set(found(lab, Kind.AUTO_SCALING_GROUP)) == {"tagged-elsewhere", "by-lab-tag"}
    assert set(counted(lab, Kind.AUTO_SCALING_GROUP)) == {"tagged-elsewhere", "by-lab-tag"}
    assert own.subnets


def test_a_group_goes_with_its_instances_and_is_asked_to_go_once(lab: LabOnMoto) -> None:
    a_group(lab, "nodes", lab.account.places[0].subnets[0], **OWNED)
    group = found(lab, Kind.AUTO_SCALING_GROUP)["nodes"]
    lab.account.leftovers().delete(group)
    assert found(lab, Kind.AUTO_SCALING_GROUP) == {}
    going = Resource(group.kind, group.id, group.arn, {}, {"status": "Delete in progress"})
    with pytest.raises(StillInUse):
        lab.account.leftovers().delete(going)


def test_a_tagged_group_that_somebody_made_is_left(lab: LabOnMoto) -> None:
    a_group(lab, "theirs", lab.account.places[1].subnets[0], **OWNED)
    group = found(lab, Kind.AUTO_SCALING_GROUP)["theirs"]
    assert judge(group, lab.target(), {}).action is Action.UNPROVEN


def an_address(lab: LabOnMoto, **tags: str) -> str:
    marks = [{"Key": key, "Value": value} for key, value in tags.items()]
    born = {"TagSpecifications": [{"ResourceType": "elastic-ip", "Tags": marks}]} if marks else {}
    return str(lab.account.ec2.allocate_address(Domain="vpc", **born)["AllocationId"])


def test_addresses_are_found_by_tag_and_released_once_nothing_uses_them(lab: LabOnMoto) -> None:
    mine, theirs = an_address(lab, **OWNED), an_address(lab)
    assert set(found(lab, Kind.ELASTIC_IP)) == {mine}
    address = found(lab, Kind.ELASTIC_IP)[mine]
    used = Resource(address.kind, mine, address.arn, {}, {"attached-to": "eni-1"})
    with pytest.raises(StillInUse, match="eni-1"):
        lab.account.leftovers().delete(used)
    lab.account.leftovers().delete(address)
    with pytest.raises(ResourceGone):
        lab.account.leftovers().delete(address)
    rows = lab.account.ec2.describe_addresses()["Addresses"]
    assert [row["AllocationId"] for row in rows] == [theirs]


@pytest.mark.parametrize("part", ["application", "dataplane", "host", "performance"])
def test_container_insights_groups_are_found_by_their_names(lab: LabOnMoto, part: str) -> None:
    name = f"/aws/containerinsights/myeks/{part}"
    for each in (name, f"/aws/containerinsights/myeks-2/{part}"):
        lab.account.drop_log_group(each)
    assert set(found(lab, Kind.LOG_GROUP)) == {name}
    assert set(counted(lab, Kind.LOG_GROUP)) == {name}
    assert judge(found(lab, Kind.LOG_GROUP)[name], lab.target(), {}).action is Action.UNPROVEN


def test_a_target_group_without_tags_in_the_labs_own_vpc_is_left_and_named(lab: LabOnMoto) -> None:
    place = lab.account.places[0]
    made = lab.account.elbv2.create_target_group(
        Name="bare", Protocol="HTTP", Port=80, VpcId=place.vpc_id, TargetType="ip"
    )
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    for thing in (found(lab, Kind.TARGET_GROUP)[arn], counted(lab, Kind.TARGET_GROUP)[arn]):
        assert judge(thing, lab.target(), {}).action is Action.UNPROVEN


def hinders(lab: LabOnMoto, kind: Kind, id: str) -> str:
    """The receipt's reason that it blocks the lab; fails if there is none."""
    decision = judge(counted(lab, kind)[id], lab.target(), {})
    assert decision.action is Action.BLOCK
    return decision.reason


def test_a_route_table_made_by_hand_blocks_and_the_main_one_is_nobodys_business(lab: LabOnMoto) -> None:
    own = lab.account.places[0]
    made = lab.account.ec2.create_route_table(VpcId=own.vpc_id)["RouteTable"]["RouteTableId"]
    assert set(counted(lab, Kind.ROUTE_TABLE)) == {made}
    assert "in the lab's own VPC" in hinders(lab, Kind.ROUTE_TABLE, made)


def test_an_address_on_somebodys_interface_blocks_and_says_where_it_is(lab: LabOnMoto) -> None:
    own = lab.account.places[0]
    interface = lab.account.drop(Kind.NETWORK_INTERFACE, {}, own).id
    allocation = an_address(lab)
    lab.account.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=interface)
    assert f"attached to {interface}" in hinders(lab, Kind.ELASTIC_IP, allocation)


@pytest.mark.parametrize(("direction", "guest"), [("ingress", False), ("egress", False), ("ingress", True)])
def test_a_rule_of_somebodys_that_refers_to_the_labs_group_blocks_and_is_told(direction: str, guest: bool) -> None:
    with mock_aws():
        lab = a_lab_on_moto(guest=guest)
        place = lab.account.places[0]
        ours = lab.account.drop(Kind.SECURITY_GROUP, OWNED, place).id
        theirs = lab.account.drop(Kind.SECURITY_GROUP, {}, place).id
        own(lab, ours)
        rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": ours}]}
        authorize: Any = getattr(lab.account.ec2, f"authorize_security_group_{direction}")
        authorize(GroupId=theirs, IpPermissions=[rule])
        assert f"{direction} tcp 5432 for {ours}" in hinders(lab, Kind.SECURITY_GROUP, theirs)


def own(lab: LabOnMoto, group: str) -> None:
    """Put a group on the ledger as the stack's."""
    thing = ec2_thing(lab.lab, Kind.SECURITY_GROUP, group)
    lab.deps.store.record(lab.lab.id, LedgerEntry(thing, EntryState.PRESENT, BY_STACK, NOW, NOW))


def test_what_bears_a_name_already_is_told_by_kind_and_id_and_only_while_it_is_there(lab: LabOnMoto) -> None:
    account, place = lab.account, lab.account.places[1]
    group = account.drop(Kind.SECURITY_GROUP, OWNED, place).id
    balancer = account.drop(Kind.LOAD_BALANCER, OWNED, place).id
    target = account.drop(Kind.TARGET_GROUP, {"elbv2.k8s.aws/cluster": "myeks"}, place).id
    account.tagging.listed += [(balancer, OWNED), (target, {"elbv2.k8s.aws/cluster": "myeks"})]
    account.drop_log_group("/aws/eks/myeks/cluster")
    account.drop_log_group("/aws/eks/myeks/cluster-of-others")
    told = set(account.inventory().bearing_name("myeks"))
    assert told == {
        (Kind.LOG_GROUP, "/aws/eks/myeks/cluster"),
        (Kind.SECURITY_GROUP, group),
        (Kind.LOAD_BALANCER, balancer),
        (Kind.TARGET_GROUP, target),
    }
    account.elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    assert (Kind.LOAD_BALANCER, balancer) not in account.inventory().bearing_name("myeks")
    assert account.inventory().bearing_name("another") == ()
