"""EC2 refuses, cleans up and filters as AWS does."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox


@dataclass(frozen=True)
class Network:
    vpc: str
    subnet: str
    other_subnet: str
    group: str


@pytest.fixture
def ec2(sandbox: Sandbox) -> Any:
    return sandbox.client("ec2")


@pytest.fixture
def network(ec2: Any) -> Network:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"]
        for n, zone in enumerate("ac")
    ]
    group = ec2.create_security_group(VpcId=vpc, GroupName="own", Description="own")["GroupId"]
    return Network(vpc, subnets[0]["SubnetId"], subnets[1]["SubnetId"], group)


def test_a_subnet_with_an_interface_stays(ec2: Any, network: Network) -> None:
    interface = make_interface(ec2, network)
    assert refused(ec2.delete_subnet, SubnetId=network.subnet) == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.delete_subnet(SubnetId=network.subnet)


def test_a_group_with_an_interface_stays(ec2: Any, network: Network) -> None:
    make_interface(ec2, network)
    assert refused(ec2.delete_security_group, GroupId=network.group) == "DependencyViolation"


def test_a_group_that_another_groups_rule_names_stays(ec2: Any, network: Network) -> None:
    other = ec2.create_security_group(VpcId=network.vpc, GroupName="other", Description="other")["GroupId"]
    rule = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": network.group}]}]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=rule)
    assert refused(ec2.delete_security_group, GroupId=network.group) == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=rule)
    ec2.delete_security_group(GroupId=network.group)


def test_a_group_that_names_only_itself_goes(ec2: Any, network: Network) -> None:
    rule = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": network.group}]}]
    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=rule)
    ec2.delete_security_group(GroupId=network.group)


def test_a_vpc_goes_only_when_it_is_empty(ec2: Any, network: Network) -> None:
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    for subnet in (network.subnet, network.other_subnet):
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_security_group(GroupId=network.group)
    assert refused(ec2.delete_vpc, VpcId=network.vpc) == "DependencyViolation"
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_vpc(VpcId=network.vpc)


def test_an_attached_gateway_stays_and_detaches_only_without_public_addresses(ec2: Any, network: Network) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    assert refused(ec2.delete_internet_gateway, InternetGatewayId=gateway) == "DependencyViolation"
    nat, allocation = make_nat_gateway(ec2, network)
    assert refused(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=network.vpc) == "DependencyViolation"
    assert refused(ec2.release_address, AllocationId=allocation) == "InvalidIPAddress.InUse"
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.release_address(AllocationId=allocation)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)


def test_a_nat_gateway_has_an_interface_and_tells_its_address(ec2: Any, network: Network) -> None:
    nat, allocation = make_nat_gateway(ec2, network)
    address = ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["NatGatewayAddresses"][0]
    assert address["AllocationId"] == allocation
    described = ec2.describe_network_interfaces(NetworkInterfaceIds=[address["NetworkInterfaceId"]])
    assert described["NetworkInterfaces"][0]["InterfaceType"] == "nat_gateway"
    assert described["NetworkInterfaces"][0]["RequesterManaged"] is True


def test_an_instance_brings_an_interface_and_a_volume_with_the_tags_asked_for(ec2: Any, network: Network) -> None:
    instance = run_instance(ec2, network)
    interface = interfaces(ec2, {"attachment.instance-id": instance["InstanceId"]})[0]
    assert (interface["Status"], interface["SubnetId"]) == ("in-use", network.subnet)
    assert interface["Groups"][0]["GroupId"] == network.group
    assert interface["TagSet"] == [{"Key": "of", "Value": "interface"}]
    assert interface["PrivateIpAddress"] == instance["PrivateIpAddress"]
    assert interface["PrivateIpAddress"].startswith("10.0.0.")
    volume = volumes(ec2, {"attachment.instance-id": instance["InstanceId"]})[0]
    assert (volume["Size"], volume["Tags"]) == (30, [{"Key": "of", "Value": "volume"}])


def test_a_terminated_instance_takes_its_own_interface_and_leaves_the_others(ec2: Any, network: Network) -> None:
    instance = run_instance(ec2, network)["InstanceId"]
    extra = make_interface(ec2, network)
    ec2.attach_network_interface(NetworkInterfaceId=extra, InstanceId=instance, DeviceIndex=1)
    assert refused(ec2.delete_network_interface, NetworkInterfaceId=extra) == "InvalidParameterValue"
    ec2.terminate_instances(InstanceIds=[instance])
    left = interfaces(ec2, {"subnet-id": network.subnet})
    assert [(i["NetworkInterfaceId"], i["Status"]) for i in left] == [(extra, "available")]
    assert volumes(ec2, {"attachment.instance-id": instance}) == []


def test_a_client_token_gives_the_same_instance_again(ec2: Any, network: Network) -> None:
    first = run_instance(ec2, network, ClientToken="once")
    assert run_instance(ec2, network, ClientToken="once")["InstanceId"] == first["InstanceId"]
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        run_instance(ec2, network, ClientToken="once", InstanceType="m7i.large")


@pytest.mark.parametrize(
    ("action", "asked", "other", "found"),
    [
        ("create_volume", {"AvailabilityZone": "{zone}", "Size": 8}, {"Size": 9}, "VolumeId"),
        ("create_network_interface", {"SubnetId": "{subnet}"}, {"Description": "another"}, "NetworkInterface"),
        ("create_route_table", {"VpcId": "{vpc}"}, {"TagSpecifications": []}, "RouteTable"),
        ("create_nat_gateway", {"SubnetId": "{subnet}", "ConnectivityType": "private"}, {}, "NatGateway"),
    ],
)
def test_a_retry_makes_nothing_twice(
    ec2: Any, network: Network, action: str, asked: dict[str, Any], other: dict[str, Any], found: str
) -> None:
    zone = ec2.describe_subnets(SubnetIds=[network.subnet])["Subnets"][0]["AvailabilityZone"]
    names = {"zone": zone, "subnet": network.subnet, "vpc": network.vpc}
    given = {key: value.format(**names) if isinstance(value, str) else value for key, value in asked.items()}
    token = f"once-{action}"
    first, again = (getattr(ec2, action)(**given, ClientToken=token) for _ in range(2))
    assert first[found] == again[found]
    assert getattr(ec2, action)(**given)[found] != first[found]
    if any(other.values()):
        assert refused(getattr(ec2, action), **given | other, ClientToken=token) == "IdempotentParameterMismatch"


def test_an_instance_that_cannot_have_its_group_is_not_there_at_all(ec2: Any, network: Network) -> None:
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        run_instance(ec2, network, SecurityGroupIds=["sg-00000000000000000"])
    assert instances(ec2, {"subnet-id": network.subnet}) == []
    assert interfaces(ec2, {"subnet-id": network.subnet}) == []


def test_a_subnet_counts_its_free_addresses_and_runs_out_of_them(ec2: Any, network: Network) -> None:
    small = ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.9.0/28")["Subnet"]["SubnetId"]
    for _ in range(11):
        ec2.create_network_interface(SubnetId=small)
    assert ec2.describe_subnets(SubnetIds=[small])["Subnets"][0]["AvailableIpAddressCount"] == 0
    assert refused(ec2.create_network_interface, SubnetId=small) == "InsufficientFreeAddressesInSubnet"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tag:who", "me"),
        ("tag:who", "m*"),
        ("tag-key", "who"),
        ("description", "Amazon EKS *"),
        ("status", "available"),
        ("group-id", "{group}"),
        ("subnet-id", "{subnet}"),
    ],
)
def test_interfaces_are_found_by_what_was_asked_and_no_others(
    ec2: Any, network: Network, name: str, value: str
) -> None:
    tags = [{"ResourceType": "network-interface", "Tags": [{"Key": "who", "Value": "me"}]}]
    mine = ec2.create_network_interface(
        SubnetId=network.subnet, Groups=[network.group], Description="Amazon EKS myeks", TagSpecifications=tags
    )["NetworkInterface"]["NetworkInterfaceId"]
    run_instance(ec2, network, SubnetId=network.other_subnet, SecurityGroupIds=[])
    wanted = value.format(group=network.group, subnet=network.subnet)
    found = interfaces(ec2, {"vpc-id": network.vpc, name: wanted})
    assert [interface["NetworkInterfaceId"] for interface in found] == [mine]


def test_groups_are_found_by_the_group_their_rules_name(ec2: Any, network: Network) -> None:
    other = ec2.create_security_group(VpcId=network.vpc, GroupName="other", Description="other")["GroupId"]
    rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": network.group}]}]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=rule)
    filters = [{"Name": "ip-permission.group-id", "Values": [network.group]}]
    assert [group["GroupId"] for group in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]] == [other]


@pytest.mark.parametrize(
    ("kind", "filter_name", "attribute"),
    [
        ("route_tables", "route-table-id", "RouteTableId"),
        ("internet_gateways", "internet-gateway-id", "InternetGatewayId"),
        ("launch_templates", "launch-template-name", "LaunchTemplateName"),
        ("key_pairs", "key-name", "KeyName"),
        ("vpcs", "vpc-id", "VpcId"),
        ("security_group_rules", "group-id", "GroupId"),
        ("network_acls", "vpc-id", "VpcId"),
    ],
)
def test_every_kind_is_found_by_its_id_and_not_by_another(
    ec2: Any, network: Network, kind: str, filter_name: str, attribute: str
) -> None:
    ec2.create_internet_gateway()
    token = network.vpc
    ec2.create_launch_template(LaunchTemplateName=token, LaunchTemplateData={"InstanceType": "t3.medium"})
    ec2.create_key_pair(KeyName=token)
    answer_key = "".join(part.capitalize() for part in kind.split("_"))

    def found(value: str) -> list[str]:
        answer = getattr(ec2, f"describe_{kind}")(Filters=[{"Name": filter_name, "Values": [value]}])
        return [item[attribute] for item in answer[answer_key]]

    everything = [item[attribute] for item in getattr(ec2, f"describe_{kind}")()[answer_key]]
    assert set(found(everything[-1])) == {everything[-1]}
    assert found("nothing-of-that-id") == []


@pytest.mark.parametrize(
    ("instance_type", "architecture", "cpus"),
    [("t3.medium", "x86_64", 2), ("t4g.medium", "arm64", 2), ("m7i.large", "x86_64", 2), ("c7g.2xlarge", "arm64", 8)],
)
def test_an_instance_type_has_its_own_architecture_and_size(
    ec2: Any, instance_type: str, architecture: str, cpus: int
) -> None:
    described = ec2.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"][0]
    assert described["ProcessorInfo"]["SupportedArchitectures"] == [architecture]
    assert described["VCpuInfo"]["DefaultVCpus"] == cpus
    filters = [{"Name": "instance-type", "Values": [instance_type]}]
    offered = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=filters)
    assert len(offered["InstanceTypeOfferings"]) == 3


def test_an_instance_type_that_does_not_exist_is_refused(ec2: Any) -> None:
    assert refused(ec2.describe_instance_types, InstanceTypes=["t3.huge"]) == "InvalidInstanceType"


def test_a_key_pair_keeps_its_tags_and_goes_by_its_id(ec2: Any) -> None:
    tags = [{"Key": "ekslab:lab", "Value": "lab-1"}]
    made = ec2.create_key_pair(KeyName="tagged-key", TagSpecifications=[{"ResourceType": "key-pair", "Tags": tags}])
    filters = [{"Name": "tag:ekslab:lab", "Values": ["lab-1"]}]
    assert [pair["Tags"] for pair in ec2.describe_key_pairs(Filters=filters)["KeyPairs"]] == [tags]
    ec2.delete_key_pair(KeyPairId=made["KeyPairId"])
    assert ec2.describe_key_pairs(Filters=filters)["KeyPairs"] == []


def test_a_name_is_imported_as_a_key_pair_once(ec2: Any) -> None:
    ec2.import_key_pair(KeyName="once", PublicKeyMaterial=b"ssh-ed25519 AAAA somebody")
    again = {"KeyName": "once", "PublicKeyMaterial": b"ssh-ed25519 AAAA somebody"}
    assert refused(ec2.import_key_pair, **again) == "InvalidKeyPair.Duplicate"
    ec2.delete_key_pair(KeyName="once")


def test_the_tags_of_what_is_deleted_are_not_listed(ec2: Any) -> None:
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "mine", "Value": "yes"}]}]
    volume = ec2.create_volume(Size=1, AvailabilityZone="ap-northeast-2a", TagSpecifications=tags)["VolumeId"]
    filters = [{"Name": "resource-id", "Values": [volume]}]
    assert len(ec2.describe_tags(Filters=filters)["Tags"]) == 1
    ec2.delete_volume(VolumeId=volume)
    assert ec2.describe_tags(Filters=filters)["Tags"] == []


def test_an_unknown_filter_is_refused_rather_than_passed_over(ec2: Any) -> None:
    assert refused(ec2.describe_volumes, Filters=[{"Name": "owner", "Values": ["me"]}]) == "InvalidParameterValue"


def test_long_answers_come_in_pages(ec2: Any, network: Network) -> None:
    made = {make_interface(ec2, network) for _ in range(7)}
    pages = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "vpc-id", "Values": [network.vpc]}], PaginationConfig={"PageSize": 5}
    )
    found = [[interface["NetworkInterfaceId"] for interface in page["NetworkInterfaces"]] for page in pages]
    assert [len(page) for page in found] == [5, 2]
    assert {interface for page in found for interface in page} == made


def test_a_dry_run_changes_nothing(ec2: Any, network: Network) -> None:
    assert refused(ec2.delete_subnet, SubnetId=network.subnet, DryRun=True) == "DryRunOperation"
    assert ec2.describe_subnets(SubnetIds=[network.subnet])["Subnets"]


def test_a_load_balancer_holds_its_group_and_lets_go_a_while_after_it_is_deleted(
    sandbox: Sandbox, ec2: Any, network: Network
) -> None:
    elbv2 = sandbox.client("elbv2")
    subnets = [network.subnet, network.other_subnet]
    balancer = elbv2.create_load_balancer(Name="k8s-lab", Subnets=subnets, SecurityGroups=[network.group])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    described = {interface["Description"] for interface in interfaces(ec2, {"vpc-id": network.vpc})}
    assert described == {"ELB app/k8s-lab/" + arn.rpartition("/")[2]}
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    assert refused(ec2.delete_security_group, GroupId=network.group) == "DependencyViolation"
    eventually(lambda: not interfaces(ec2, {"vpc-id": network.vpc}))
    ec2.delete_security_group(GroupId=network.group)


def test_a_target_group_in_use_stays(sandbox: Sandbox, network: Network) -> None:
    elbv2 = sandbox.client("elbv2")
    balancer = elbv2.create_load_balancer(Name="k8s-used", Subnets=[network.subnet, network.other_subnet])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    target = elbv2.create_target_group(Name="used", Protocol="HTTP", Port=80, VpcId=network.vpc, TargetType="ip")
    target_arn = target["TargetGroups"][0]["TargetGroupArn"]
    actions = [{"Type": "forward", "TargetGroupArn": target_arn}]
    elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=actions)
    assert refused(elbv2.delete_target_group, TargetGroupArn=target_arn) == "ResourceInUse"
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    elbv2.delete_target_group(TargetGroupArn=target_arn)


def test_a_classic_load_balancer_is_found_by_its_tags_and_goes(sandbox: Sandbox, ec2: Any, network: Network) -> None:
    elb = sandbox.client("elb")
    elb.create_load_balancer(
        LoadBalancerName="a1b2c3",
        Listeners=[{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}],
        Subnets=[network.subnet],
        SecurityGroups=[network.group],
        Tags=[{"Key": "kubernetes.io/cluster/myeks", "Value": "owned"}],
    )
    described = elb.describe_load_balancers()["LoadBalancerDescriptions"][0]
    assert (described["VPCId"], described["SecurityGroups"]) == (network.vpc, [network.group])
    tags = elb.describe_tags(LoadBalancerNames=["a1b2c3"])["TagDescriptions"][0]["Tags"]
    assert tags == [{"Key": "kubernetes.io/cluster/myeks", "Value": "owned"}]
    elb.delete_load_balancer(LoadBalancerName="a1b2c3")
    assert refused(elb.describe_load_balancers, LoadBalancerNames=["a1b2c3"]) == "LoadBalancerNotFound"
    eventually(lambda: not interfaces(ec2, {"vpc-id": network.vpc}))


def test_an_interface_endpoint_holds_its_subnet_until_it_is_deleted(ec2: Any, network: Network) -> None:
    made = ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.ap-northeast-2.guardduty-data",
        SubnetIds=[network.subnet],
        SecurityGroupIds=[network.group],
    )["VpcEndpoint"]["VpcEndpointId"]
    assert refused(ec2.delete_security_group, GroupId=network.group) == "DependencyViolation"
    assert refused(ec2.delete_subnet, SubnetId=network.subnet) == "DependencyViolation"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])
    ec2.delete_subnet(SubnetId=network.subnet)


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def make_interface(ec2: Any, network: Network) -> str:
    made = ec2.create_network_interface(SubnetId=network.subnet, Groups=[network.group])
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


def make_nat_gateway(ec2: Any, network: Network) -> tuple[str, str]:
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=network.subnet, AllocationId=allocation)
    return made["NatGateway"]["NatGatewayId"], allocation


def run_instance(ec2: Any, network: Network, **more: Any) -> Any:
    kinds = {"network-interface": "interface", "volume": "volume"}
    asked_for = {
        "ImageId": "ami-0123456789abcdef0",
        "InstanceType": "t3.medium",
        "MinCount": 1,
        "MaxCount": 1,
        "SubnetId": network.subnet,
        "SecurityGroupIds": [network.group],
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30}}],
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": [{"Key": "of", "Value": value}]} for kind, value in kinds.items()
        ],
    }
    return ec2.run_instances(**asked_for | more)["Instances"][0]


def interfaces(ec2: Any, wanted: dict[str, str]) -> Any:
    return ec2.describe_network_interfaces(Filters=as_filters(wanted))["NetworkInterfaces"]


def volumes(ec2: Any, wanted: dict[str, str]) -> Any:
    return ec2.describe_volumes(Filters=as_filters(wanted))["Volumes"]


def instances(ec2: Any, wanted: dict[str, str]) -> Any:
    reservations = ec2.describe_instances(Filters=as_filters(wanted))["Reservations"]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def as_filters(wanted: dict[str, str]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": [value]} for name, value in wanted.items()]
