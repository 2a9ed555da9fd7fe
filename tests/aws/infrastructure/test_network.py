"""The Network adapter on the sandbox's EC2."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.aws.infrastructure.network import Ec2Network
from chalicelib.aws.infrastructure.stacks import CloudFormationStacks
from chalicelib.domain.errors.not_yet_known import is_not_yet_known
from chalicelib.domain.errors.tree import AlreadyExists, ResourceGone
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import SshSpec, WorkHostSpec
from chalicelib.domain.stack.template import lab_parameters, lab_template
from emulator.process import Sandbox
from tests.aws.given import a_lab

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJX4gA1qLHkvpXxFbP5cOxNqGXQHnP3lJSvf0Ojuwmwd learner"


@pytest.fixture(scope="module")
def lab() -> Lab:
    asked = a_lab(ssh=SshSpec(None, KEY, ("203.0.113.7/32",)), work_host=WorkHostSpec())
    return replace(asked, id=f"lab-{uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def outputs(sandbox: Sandbox, lab: Lab) -> dict[str, str]:
    stacks = CloudFormationStacks(sandbox.client("cloudformation"), sandbox.client("ec2"))
    zones = ("ap-northeast-2a", "ap-northeast-2b")
    stacks.create(lab.stack_name, lab_template(lab), lab_parameters(lab, zones), lab.tags, "stack")
    while (state := stacks.describe(lab.stack_name)).status == "CREATE_IN_PROGRESS":
        pass
    return dict(state.outputs)


@pytest.fixture
def network(sandbox: Sandbox) -> Ec2Network:
    return Ec2Network(sandbox.client("ec2"))


def test_zones_are_sorted_and_at_least_two(network: Ec2Network) -> None:
    zones = network.zones(["t3.medium"])
    assert len(zones) >= 2
    assert list(zones) == sorted(zones)
    assert all(zone.startswith("ap-northeast-2") for zone in zones)


def test_processors_and_regions_are_told_in_ec2s_words(network: Ec2Network) -> None:
    known = network.instance_types(["t3.medium", "t4g.small", "made.up"])
    assert known.keys() == {"t3.medium", "t4g.small"}
    assert ("x86_64" in known["t3.medium"].architectures, known["t3.medium"].vcpus) == (True, 2)
    assert known["t4g.small"].architectures == ("arm64",)
    assert network.instance_types([]) == {}
    regions = network.regions()
    assert regions["us-east-1"] == "opt-in-not-required"
    assert "us-east-9" not in regions


def test_a_vpc_tells_what_of_dns_is_switched_off(network: Ec2Network, sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.78.0.0/16")["Vpc"]["VpcId"]
    assert network.without_dns([vpc]) == {vpc: "DNS host names"}
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    assert network.without_dns([vpc]) == {vpc: "DNS support and DNS host names"}
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{name: {"Value": True}})
    assert network.without_dns([vpc]) == {}


def test_a_zone_in_which_eks_makes_no_control_plane_is_not_offered() -> None:
    client = boto3.client("ec2", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    rows = [("us-east-1e", "use1-az3"), ("us-east-1b", "use1-az2"), ("us-east-1a", "use1-az1")]
    answer = {"AvailabilityZones": [{"ZoneName": name, "ZoneId": id} for name, id in rows]}
    with Stubber(client) as stubber:
        stubber.add_response("describe_availability_zones", answer)
        assert Ec2Network(client).zones([]) == ("us-east-1a", "us-east-1b")


def test_zones_that_offer_all_the_instance_types_come_first() -> None:
    client = boto3.client("ec2", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    rows = [{"ZoneName": f"us-east-1{letter}", "ZoneId": f"use1-az{letter}"} for letter in "abcd"]
    offers = [("a", "t3.medium"), ("b", "t3.medium"), ("b", "m7g.large"), ("d", "m7g.large"), ("d", "t3.medium")]
    offered = [{"Location": f"us-east-1{letter}", "InstanceType": kind} for letter, kind in offers]
    with Stubber(client) as stubber:
        stubber.add_response("describe_availability_zones", {"AvailabilityZones": rows})
        stubber.add_response("describe_instance_type_offerings", {"InstanceTypeOfferings": offered})
        zones = Ec2Network(client).zones(["t3.medium", "m7g.large"])
    assert zones == ("us-east-1b", "us-east-1d", "us-east-1a", "us-east-1c")


def test_a_subnet_is_public_by_its_route_not_by_its_name(network: Ec2Network, outputs: dict[str, str]) -> None:
    public, private = outputs["PublicSubnetIds"].split(","), outputs["PrivateSubnetIds"].split(",")
    facts = network.subnets([*private, "subnet-0none", *public])
    assert [subnet.id for subnet in facts] == [*private, *public]
    assert [subnet.public for subnet in facts] == [False, False, True, True]
    assert [subnet.maps_public_ip for subnet in facts] == [False, False, True, True]
    assert {subnet.vpc_id for subnet in facts} == {outputs["VpcId"]}
    assert {subnet.zone for subnet in facts} == {"ap-northeast-2a", "ap-northeast-2b"}
    assert all(subnet.free_addresses > 16_000 for subnet in facts)


def test_a_subnet_without_a_table_of_its_own_follows_the_main_one(
    network: Ec2Network, outputs: dict[str, str], sandbox: Sandbox
) -> None:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24")["Subnet"]["SubnetId"]
    assert [facts.public for facts in network.subnets([subnet])] == [False]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=tables[0]["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    assert [facts.public for facts in network.subnets([subnet])] == [True]


def test_no_subnets_are_no_question(network: Ec2Network) -> None:
    assert network.subnets([]) == ()
    assert network.security_groups([]) == ()


@mock_aws
def test_a_key_pair_is_imported_once_and_only_for_its_lab(lab: Lab) -> None:
    """On moto: the emulator drops a key pair's tags."""
    network = Ec2Network(boto3.client("ec2", "ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x"))
    name = f"ekslab-{lab.id}"
    network.import_key_pair("someone-else-s", KEY, {"ekslab:lab-id": "another"})
    assert not network.key_pair_exists(name)
    first = network.import_key_pair(name, KEY, lab.tags)
    assert network.key_pair_exists(name)
    assert network.import_key_pair(name, KEY, lab.tags) == first
    with pytest.raises(AlreadyExists) as refused:
        network.import_key_pair(name, KEY, {"ekslab:lab-id": "another"})
    assert not is_not_yet_known(refused.value, "provision")


@pytest.mark.parametrize("way", ["unlisted", "untagged"])
def test_a_key_pair_that_exists_and_does_not_show_yet_is_waited_for(lab: Lab, way: str) -> None:
    ec2 = boto3.client("ec2", "ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x")
    untagged = [{"KeyName": f"ekslab-{lab.id}", "KeyPairId": "key-1", "Tags": []}]
    with Stubber(ec2) as stubber:
        stubber.add_response("describe_key_pairs", {"KeyPairs": untagged if way == "untagged" else []})
        if way == "unlisted":
            stubber.add_client_error("import_key_pair", "InvalidKeyPair.Duplicate", "The keypair already exists")
        with pytest.raises(AlreadyExists) as refused:
            Ec2Network(ec2).import_key_pair(f"ekslab-{lab.id}", KEY, lab.tags)
    assert is_not_yet_known(refused.value, "provision")


def test_a_rule_is_made_once_and_shown_with_its_source(
    network: Ec2Network, outputs: dict[str, str], sandbox: Sandbox
) -> None:
    made = sandbox.client("ec2").create_security_group(
        GroupName=f"cluster-{uuid4().hex[:6]}", Description="cluster", VpcId=outputs["VpcId"]
    )
    cluster_group, nodes = made["GroupId"], outputs["NodeSecurityGroupId"]
    for _ in range(2):
        network.allow_ingress(cluster_group, nodes, "-1", None, "nodes")
        network.allow_ingress(cluster_group, "203.0.113.7/32", "tcp", 443, "someone")
        network.allow_ingress(cluster_group, "2001:db8::/64", "tcp", 443, "someone else")
    (group,) = network.security_groups([cluster_group, "sg-0none"])
    rules = group["ingress"]
    assert isinstance(rules, list)
    assert sorted((rule["protocol"], rule["ports"], rule["source"]) for rule in rules) == sorted(
        [("all", "all", nodes), ("tcp", "443", "203.0.113.7/32"), ("tcp", "443", "2001:db8::/64")]
    )
    with pytest.raises(ResourceGone):
        network.allow_ingress("sg-0123456789abcdef0", nodes, "-1", None, "nodes")


def test_the_lab_s_groups_let_in_only_what_the_record_says(network: Ec2Network, outputs: dict[str, str]) -> None:
    names = ("ControlPlaneSecurityGroupId", "NodeSecurityGroupId", "RemoteAccessSecurityGroupId")
    groups = network.security_groups([outputs[name] for name in names])
    shown = []
    for group in groups:
        rules = group["ingress"]
        assert isinstance(rules, list)
        shown.append(sorted((rule["ports"], rule["source"]) for rule in rules))
    control_plane, nodes, _ = (outputs[name] for name in names)
    assert shown == [[], sorted([("all", control_plane), ("all", nodes)]), [("22", "203.0.113.7/32")]]


def test_the_work_host_starts_once_with_the_lab_s_tags(
    network: Ec2Network, lab: Lab, outputs: dict[str, str], sandbox: Sandbox
) -> None:
    subnet, group = outputs["PublicSubnetIds"].split(",")[0], outputs["WorkHostSecurityGroupId"]
    network.import_key_pair(f"ekslab-{lab.id}", KEY, lab.tags)

    def run() -> str:
        return network.run_work_host(lab, subnet, group, outputs["WorkHostProfileName"], "#!/bin/bash\n")

    id = run()
    assert run() == id
    assert network.work_host(id).status in ("pending", "running")
    (host,) = sandbox.client("ec2").describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"]
    tags = {tag["Key"]: tag["Value"] for tag in host["Tags"]}
    assert (tags["ekslab:lab-id"], tags["Name"]) == (lab.id, "myeks-work-host")
    assert (host["SubnetId"], [one["GroupId"] for one in host["SecurityGroups"]]) == (subnet, [group])
    assert host["KeyName"] == f"ekslab-{lab.id}"


def test_a_work_host_that_never_was_is_gone(network: Ec2Network) -> None:
    with pytest.raises(ResourceGone):
        network.work_host("i-0123456789abcdef0")


def a_host(id: str, group: str) -> dict[str, object]:
    return {"InstanceId": id, "Tags": [{"Key": "eks:nodegroup-name", "Value": group}]}


def test_only_machines_that_answer_count_as_running_nodes() -> None:
    client = boto3.client("ec2", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    hosts = [a_host("i-1", "workers"), a_host("i-2", "workers"), a_host("i-3", "gpu")]
    states = [("i-1", "ok"), ("i-2", "initializing"), ("i-3", "impaired")]
    statuses = [{"InstanceId": id, "InstanceStatus": {"Status": status}} for id, status in states]
    with Stubber(client) as stubber:
        stubber.add_response("describe_instances", {"Reservations": [{"Instances": hosts}]})
        stubber.add_response("describe_instance_status", {"InstanceStatuses": statuses})
        assert Ec2Network(client).running_nodes("myeks") == {"workers": 1}


def test_a_machine_that_went_meanwhile_is_no_running_node() -> None:
    client = boto3.client("ec2", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_response("describe_instances", {"Reservations": [{"Instances": [a_host("i-1", "workers")]}]})
        stubber.add_client_error("describe_instance_status", "InvalidInstanceID.NotFound", "gone")
        assert Ec2Network(client).running_nodes("myeks") == {}


def test_a_cluster_without_machines_asks_for_no_status() -> None:
    client = boto3.client("ec2", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_response("describe_instances", {"Reservations": []})
        assert Ec2Network(client).running_nodes("myeks") == {}


def test_row_20_instances_are_counted_by_node_group_and_those_of_none_too() -> None:
    """Issue 12, row 20: instances that keep running when a node group wants no nodes, and Karpenter's."""
    client = boto3.client("ec2", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    karpenters: dict[str, object] = {
        "InstanceId": "i-3",
        "Tags": [{"Key": "karpenter.sh/nodepool", "Value": "default"}],
    }
    owned, named = [a_host("i-1", "workers"), karpenters], [a_host("i-1", "workers"), a_host("i-2", "gpu")]
    running = {"Name": "instance-state-name", "Values": ["pending", "running"]}
    filters = [
        {"Name": "tag:kubernetes.io/cluster/myeks", "Values": ["owned"]},
        {"Name": "tag:eks:eks-cluster-name", "Values": ["myeks"]},
    ]
    with Stubber(client) as stubber:
        for by_tag, hosts in zip(filters, (owned, named), strict=True):
            answer = {"Reservations": [{"Instances": hosts}]}
            stubber.add_response("describe_instances", answer, {"Filters": [by_tag, running]})
        assert Ec2Network(client).instances("myeks") == {"workers": 1, "gpu": 1, "": 1}
