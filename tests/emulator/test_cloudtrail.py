"""CloudTrail's event history in AWS's form: creators, mere mentions, failures, delays and repetitions.

Sources: "CloudTrail userIdentity element" and "CloudTrail record contents" of its user guide; the API reference of
LookupEvents; recorded events in public repositories (GorillaStack/auto-tag: RunInstances; awsdocs/aws-kms-developer-guide:
CreateVolume; panther-labs/panther-analysis: CreateSecurityGroup; the sessions of service-linked roles in
emulator/core/actors.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Credentials, Sandbox

Event = dict[str, Any]
ISSUER = "https://oidc.eks.ap-northeast-2.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
MAY = ("ec2:*", "elasticloadbalancing:*", "logs:*", "iam:*", "autoscaling:*", "elasticfilesystem:*", "route53:*")


@pytest.fixture(scope="module")
def network(sandbox: Sandbox) -> dict[str, Any]:
    ec2 = sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")["Subnet"]
        for n, zone in enumerate("ac")
    ]
    return {"vpc": vpc, "subnets": [subnet["SubnetId"] for subnet in subnets]}


@pytest.fixture
def make_role(sandbox: Sandbox) -> Iterator[Callable[..., dict[str, Any]]]:
    """Create a role with the rights for the recorded calls."""
    iam, made = sandbox.client("iam"), []

    def make(name: str, *actions: str) -> dict[str, Any]:
        trust = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        allowed = {"Effect": "Allow", "Action": list(actions or MAY), "Resource": "*"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust), Path="/labs/")["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document(allowed))
        made.append(name)
        return role

    yield make
    for name in dict.fromkeys(made):
        iam.delete_role_policy(RoleName=name, PolicyName="may")
        iam.delete_role(RoleName=name)


@pytest.fixture(scope="module", autouse=True)
def _in_no_hurry(sandbox: Sandbox) -> None:
    """A second of AWS is a hundredth of one here, and a test makes more than two requests in it."""
    sandbox.admin("POST", "trail", {"windowSeconds": 0})


@pytest.fixture
def trail(sandbox: Sandbox) -> Iterator[None]:
    """Restores the trail's settings afterwards."""
    before = sandbox.admin("POST", "trail", {"delaySeconds": 0})
    yield
    for name, value in before.items():
        sandbox.admin("POST", "trail", {name: value})


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def events(sandbox: Sandbox, key: str, value: str, region: str = "ap-northeast-2") -> list[Event]:
    """The events that LookupEvents finds by one attribute, newest first, with the parsed record."""
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    pages = sandbox.client("cloudtrail", region=region).get_paginator("lookup_events")
    found = [each for page in pages.paginate(LookupAttributes=attributes) for each in page["Events"]]
    return [{**each, "record": json.loads(each["CloudTrailEvent"])} for each in found]


def event(sandbox: Sandbox, name: str, resource: str, region: str = "ap-northeast-2") -> Event:
    """The one event of this name that mentions a resource."""
    [found] = [each for each in events(sandbox, "ResourceName", resource, region) if each["EventName"] == name]
    return found


def mentions(found: Event) -> set[str]:
    return {each["ResourceName"] for each in found["Resources"]}


def test_a_volume_s_event_names_it_in_its_answer(sandbox: Sandbox) -> None:
    made = sandbox.client("ec2").create_volume(
        AvailabilityZone="ap-northeast-2a",
        Size=3,
        TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "made-by", "Value": "csi"}]}],
    )
    record = event(sandbox, "CreateVolume", made["VolumeId"])["record"]
    assert (record["eventSource"], record["awsRegion"]) == ("ec2.amazonaws.com", "ap-northeast-2")
    assert record["responseElements"]["volumeId"] == made["VolumeId"]
    asked = record["requestParameters"]
    assert (asked["size"], asked["zone"]) == ("3", "ap-northeast-2a")
    tags = {"resourceType": "volume", "tags": [{"key": "made-by", "value": "csi"}]}
    assert asked["tagSpecificationSet"] == {"items": [tags]}
    born = datetime.fromisoformat(record["eventTime"])
    assert abs((born - made["CreateTime"]).total_seconds()) < 120


def test_a_snapshot_s_event_mentions_its_volume_and_made_the_snapshot(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="ap-northeast-2a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    [made, mentioned] = [event(sandbox, "CreateSnapshot", each)["record"] for each in (snapshot, volume)]
    assert made == mentioned
    assert made["responseElements"]["snapshotId"] == snapshot


def test_an_instance_s_event_lists_instances_and_mentions_no_root_volume(
    sandbox: Sandbox, network: dict[str, Any]
) -> None:
    ec2 = sandbox.client("ec2")
    instance = ec2.run_instances(
        ImageId="ami-0e5a1b2c3d4e5f607",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=network["subnets"][0],
    )["Instances"][0]["InstanceId"]
    described = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    found = event(sandbox, "RunInstances", instance)
    answered = found["record"]["responseElements"]["instancesSet"]["items"]
    assert [each["instanceId"] for each in answered] == [instance]
    assert {instance, "ami-0e5a1b2c3d4e5f607", network["subnets"][0], network["vpc"]} <= mentions(found)
    root = described["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    assert events(sandbox, "ResourceName", root) == []
    first = described["NetworkInterfaces"][0]["NetworkInterfaceId"]
    assert event(sandbox, "RunInstances", first)["record"]["eventID"] == found["EventId"]


def test_an_interface_s_event_mentions_network_and_groups_by_id_and_name(
    sandbox: Sandbox, network: dict[str, Any]
) -> None:
    ec2 = sandbox.client("ec2")
    group = ec2.create_security_group(GroupName="mentioned", Description="x", VpcId=network["vpc"])["GroupId"]
    interface = ec2.create_network_interface(SubnetId=network["subnets"][0], Groups=[group])["NetworkInterface"]
    found = event(sandbox, "CreateNetworkInterface", interface["NetworkInterfaceId"])
    assert mentions(found) >= {network["vpc"], network["subnets"][0], group, "mentioned"}
    answered = found["record"]["responseElements"]["networkInterface"]
    assert answered["networkInterfaceId"] == interface["NetworkInterfaceId"]
    born = event(sandbox, "CreateSecurityGroup", group)["record"]
    assert (born["responseElements"]["groupId"], born["responseElements"]["_return"]) == (group, True)


def test_balancers_and_target_groups_are_found_by_their_arns_and_listeners_mention_both(
    sandbox: Sandbox, network: dict[str, Any]
) -> None:
    elb = sandbox.client("elbv2")
    balancer = elb.create_load_balancer(Name="trail", Subnets=network["subnets"])["LoadBalancers"][0]
    group = elb.create_target_group(Name="trail", Protocol="HTTP", Port=80, VpcId=network["vpc"])["TargetGroups"][0]
    arns = (balancer["LoadBalancerArn"], group["TargetGroupArn"])
    forward = [{"Type": "forward", "TargetGroupArn": arns[1]}]
    elb.create_listener(LoadBalancerArn=arns[0], Protocol="HTTP", Port=80, DefaultActions=forward)
    made = event(sandbox, "CreateLoadBalancer", arns[0])["record"]["responseElements"]
    assert made["loadBalancers"][0]["loadBalancerArn"] == arns[0]
    made = event(sandbox, "CreateTargetGroup", arns[1])["record"]["responseElements"]
    assert made["targetGroups"][0]["targetGroupArn"] == arns[1]
    assert mentions(event(sandbox, "CreateListener", arns[0])) >= set(arns)


def test_a_balancer_s_interfaces_are_made_by_the_service_linked_role(sandbox: Sandbox, network: dict[str, Any]) -> None:
    sandbox.client("elbv2").create_load_balancer(Name="linked", Subnets=network["subnets"])
    interfaces = sandbox.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    [first, _] = [each for each in interfaces if each["Description"].startswith("ELB app/linked/")]
    found = event(sandbox, "CreateNetworkInterface", first["NetworkInterfaceId"])
    who = found["record"]["userIdentity"]
    assert who["arn"].endswith(":assumed-role/AWSServiceRoleForElasticLoadBalancing/ElasticLoadBalancing")
    assert (who["invokedBy"], found["Username"]) == ("elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing")
    assert found["record"]["sourceIPAddress"] == "elasticloadbalancing.amazonaws.com"


def test_a_classic_balancer_is_found_by_name_and_answers_with_its_dns_name(
    sandbox: Sandbox, network: dict[str, Any]
) -> None:
    listener = {"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 30080}
    name = sandbox.client("elb").create_load_balancer(
        LoadBalancerName="classic-trail", Listeners=[listener], Subnets=network["subnets"][:1]
    )["DNSName"]
    sandbox.client("elb").delete_load_balancer(LoadBalancerName="classic-trail")
    record = event(sandbox, "CreateLoadBalancer", "classic-trail")["record"]
    assert record["requestParameters"]["loadBalancerName"] == "classic-trail"
    assert record["responseElements"] == {"dNSName": name}


def test_other_kinds_say_their_ids_where_aws_says_them(sandbox: Sandbox, network: dict[str, Any]) -> None:
    ec2, efs = sandbox.client("ec2"), sandbox.client("efs")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    assert event(sandbox, "AllocateAddress", address)["record"]["responseElements"]["allocationId"] == address
    ec2.release_address(AllocationId=address)
    data = {"InstanceType": "t3.micro"}
    template = ec2.create_launch_template(LaunchTemplateName="trail", LaunchTemplateData=data)["LaunchTemplate"]
    record = event(sandbox, "CreateLaunchTemplate", template["LaunchTemplateId"])["record"]
    assert record["requestParameters"]["CreateLaunchTemplateRequest"]["LaunchTemplateName"] == "trail"
    answered = record["responseElements"]["CreateLaunchTemplateResponse"]["launchTemplate"]
    assert answered["launchTemplateId"] == template["LaunchTemplateId"]
    system = efs.create_file_system()["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=system, SubnetId=network["subnets"][0])["MountTargetId"]
    assert event(sandbox, "CreateMountTarget", target)["record"]["responseElements"]["mountTargetId"] == target


def test_a_log_group_is_not_found_by_name_but_by_its_event(sandbox: Sandbox) -> None:
    sandbox.client("logs").create_log_group(logGroupName="/aws/eks/trail/cluster")
    assert events(sandbox, "ResourceName", "/aws/eks/trail/cluster") == []
    asked = [each["record"]["requestParameters"] for each in events(sandbox, "EventName", "CreateLogGroup")]
    assert {"logGroupName": "/aws/eks/trail/cluster"} in asked


def test_iam_s_and_route_53_s_events_are_in_us_east_1(sandbox: Sandbox) -> None:
    iam, route53 = sandbox.client("iam"), sandbox.client("route53")
    iam.create_instance_profile(InstanceProfileName="trail")
    iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"])
    zone = route53.create_hosted_zone(Name="trail.example", CallerReference="trail")["HostedZone"]["Id"]
    record = {"Name": "a.trail.example", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    here = {each["EventSource"] for each in events(sandbox, "ResourceName", "trail")}
    assert "iam.amazonaws.com" not in here
    profile = event(sandbox, "CreateInstanceProfile", "trail", "us-east-1")["record"]["responseElements"]
    assert profile["instanceProfile"]["instanceProfileName"] == "trail"
    providers = events(sandbox, "EventName", "CreateOpenIDConnectProvider", "us-east-1")
    assert providers[0]["record"]["requestParameters"]["url"] == ISSUER
    changes = events(sandbox, "EventName", "ChangeResourceRecordSets", "us-east-1")
    asked = changes[0]["record"]["requestParameters"]
    assert asked["hostedZoneId"] == zone.rpartition("/")[2]
    assert asked["changeBatch"]["changes"][0]["resourceRecordSet"]["name"] == "a.trail.example"
    assert events(sandbox, "ResourceName", "a.trail.example", "us-east-1") == []


def test_root_is_root_and_a_user_is_named(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    user = iam.create_user(UserName="trail-user")["User"]
    iam.put_user_policy(
        UserName="trail-user",
        PolicyName="may",
        PolicyDocument=document({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}),
    )
    credentials = sandbox.credentials_for("trail-user")
    volume = sandbox.client("ec2", credentials=credentials).create_volume(AvailabilityZone="ap-northeast-2a", Size=1)
    found = event(sandbox, "CreateVolume", volume["VolumeId"])
    who = found["record"]["userIdentity"]
    assert (who["type"], who["userName"], who["principalId"]) == ("IAMUser", "trail-user", user["UserId"])
    assert found["Username"] == "trail-user"
    assert found["AccessKeyId"] == credentials.access_key_id
    volume = sandbox.client("ec2").create_volume(AvailabilityZone="ap-northeast-2a", Size=1)["VolumeId"]
    who = event(sandbox, "CreateVolume", volume)["record"]["userIdentity"]
    assert (who["type"], who["arn"]) == ("Root", f"arn:aws:iam::{sandbox.account}:root")


def test_a_session_s_event_names_the_role_by_its_unique_id(sandbox: Sandbox, make_role: Any) -> None:
    role = make_role("csi")
    who = sandbox.session("csi", "eks-myeks-ebs-csi-co-1")
    volume = sandbox.client("ec2", credentials=who).create_volume(AvailabilityZone="ap-northeast-2a", Size=1)
    found = event(sandbox, "CreateVolume", volume["VolumeId"])
    identity = found["record"]["userIdentity"]
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert identity["principalId"] == f"{role['RoleId']}:eks-myeks-ebs-csi-co-1"
    assert issuer["principalId"] == role["RoleId"]
    assert (issuer["arn"], issuer["userName"]) == (role["Arn"], "csi")
    assert "webIdFederationData" not in identity["sessionContext"]
    assert found["Username"] == "eks-myeks-ebs-csi-co-1"


def test_a_role_that_is_made_again_under_its_name_has_another_id(sandbox: Sandbox, make_role: Any) -> None:
    iam = sandbox.client("iam")
    first = make_role("again")
    before = sandbox.client("ec2", credentials=sandbox.session("again", "one"))
    volume = before.create_volume(AvailabilityZone="ap-northeast-2a", Size=1)["VolumeId"]
    iam.delete_role_policy(RoleName="again", PolicyName="may")
    iam.delete_role(RoleName="again")
    second = make_role("again")
    found = event(sandbox, "CreateVolume", volume)["record"]["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert found["principalId"] == first["RoleId"] != second["RoleId"]


def test_a_service_account_s_session_names_its_cluster_s_issuer(sandbox: Sandbox, make_role: Any) -> None:
    make_role("irsa")
    who = sandbox.session("irsa", "1790000000000000000", ISSUER)
    volume = sandbox.client("ec2", credentials=who).create_volume(AvailabilityZone="ap-northeast-2a", Size=1)
    context = event(sandbox, "CreateVolume", volume["VolumeId"])["record"]["userIdentity"]["sessionContext"]
    provider = f"arn:aws:iam::{sandbox.account}:oidc-provider/{ISSUER.removeprefix('https://')}"
    assert context["webIdFederationData"] == {"federatedProvider": provider, "attributes": {}}


def test_a_refused_create_is_an_event_too(sandbox: Sandbox, make_role: Any) -> None:
    logs, ec2, iam = sandbox.client("logs"), sandbox.client("ec2"), sandbox.client("iam")
    logs.create_log_group(logGroupName="/twice")
    iam.create_instance_profile(InstanceProfileName="twice")
    make_role("nobody", "sts:GetCallerIdentity")
    denied = sandbox.client("ec2", credentials=sandbox.session("nobody", "denied-session"))
    place = {"AvailabilityZone": "ap-northeast-2a", "Size": 1}
    for call in (
        lambda: logs.create_log_group(logGroupName="/twice"),
        lambda: iam.create_instance_profile(InstanceProfileName="twice"),
        lambda: ec2.create_volume(**place, DryRun=True),
        lambda: denied.create_volume(**place),
    ):
        with pytest.raises(ClientError):
            call()
    found = [
        *events(sandbox, "EventName", "CreateLogGroup")[:1],
        *events(sandbox, "EventName", "CreateInstanceProfile", "us-east-1")[:1],
        *events(sandbox, "EventName", "CreateVolume")[1::-1],
    ]
    assert [each["record"]["errorCode"] for each in found] == [
        "ResourceAlreadyExistsException",
        "EntityAlreadyExistsException",
        "Client.DryRunOperation",
        "Client.UnauthorizedOperation",
    ]
    assert all(each["record"]["responseElements"] is None for each in found)
    assert found[-1]["Username"] == "denied-session"


def test_nobody_becomes_aws_by_a_header(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    forged = "0" * 32 + "|AWSServiceRoleForAmazonEKS|AmazonEKS|eks.amazonaws.com"
    ec2.meta.events.register("before-call", lambda params, **_: params["headers"].update({"x-emulator-actor": forged}))
    volume = ec2.create_volume(AvailabilityZone="ap-northeast-2a", Size=1)["VolumeId"]
    assert event(sandbox, "CreateVolume", volume)["record"]["userIdentity"]["type"] == "Root"


def test_reading_leaves_no_event(sandbox: Sandbox) -> None:
    sandbox.client("ec2").describe_volumes()
    assert events(sandbox, "EventName", "DescribeVolumes") == []


def test_events_come_newest_first_fifty_a_page_within_a_time(sandbox: Sandbox) -> None:
    ec2, trail = sandbox.client("ec2"), sandbox.client("cloudtrail")
    ids = [ec2.create_volume(AvailabilityZone="ap-northeast-2a", Size=1)["VolumeId"] for _ in range(55)]
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "CreateVolume"}]
    page = trail.lookup_events(LookupAttributes=by_name)
    assert len(page["Events"]) == 50
    assert [json.loads(each["CloudTrailEvent"])["responseElements"]["volumeId"] for each in page["Events"]] == (
        ids[::-1][:50]
    )
    rest = trail.lookup_events(LookupAttributes=by_name, NextToken=page["NextToken"])
    assert json.loads(rest["Events"][0]["CloudTrailEvent"])["responseElements"]["volumeId"] == ids[4]
    past = datetime.now(UTC) - timedelta(days=1)
    assert trail.lookup_events(LookupAttributes=by_name, EndTime=past)["Events"] == []
    assert trail.lookup_events(LookupAttributes=by_name, StartTime=past)["Events"]
    one = page["Events"][0]["EventId"]
    by_id = [{"AttributeKey": "EventId", "AttributeValue": one}]
    assert [each["EventId"] for each in trail.lookup_events(LookupAttributes=by_id)["Events"]] == [one]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"LookupAttributes": [{"AttributeKey": "EventId", "AttributeValue": "x"}] * 2}, "InvalidLookupAttributes"),
        ({"StartTime": 2_000_000_000, "EndTime": 1_000_000_000}, "InvalidTimeRange"),
        ({"NextToken": "bm90aGluZw=="}, "InvalidNextToken"),
    ],
)
def test_a_wrong_request_is_refused(sandbox: Sandbox, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        sandbox.client("cloudtrail").lookup_events(**wrong)
    assert refused.value.response["Error"]["Code"] == f"{code}Exception"


@pytest.mark.usefixtures("trail")
def test_two_look_ups_a_second_for_each_account_and_region(sandbox: Sandbox) -> None:
    sandbox.admin("POST", "trail", {"windowSeconds": 1})
    trail = sandbox.client("cloudtrail")
    other = Credentials("444455556666", "test")
    time.sleep(1)
    trail.lookup_events()
    trail.lookup_events()
    with pytest.raises(ClientError) as refused:
        trail.lookup_events()
    assert refused.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    sandbox.client("cloudtrail", region="us-east-1").lookup_events()
    sandbox.client("cloudtrail", credentials=other).lookup_events()
    time.sleep(1)
    trail.lookup_events()


@pytest.mark.usefixtures("trail")
def test_events_can_come_late(sandbox: Sandbox) -> None:
    sandbox.admin("POST", "trail", {"delaySeconds": 100})  # A real second at the scale of 0.01.
    volume = sandbox.client("ec2").create_volume(AvailabilityZone="ap-northeast-2a", Size=1)["VolumeId"]
    assert events(sandbox, "ResourceName", volume) == []
    time.sleep(1.1)
    assert event(sandbox, "CreateVolume", volume)


def test_events_are_forgotten_after_90_days(sandbox: Sandbox) -> None:
    sandbox.admin("POST", "clock", {"now": datetime.now(UTC).isoformat()})
    long_ago = datetime.now(UTC) - timedelta(days=91)
    given = {"eventName": "CreateVolume", "eventSource": "ec2.amazonaws.com"}
    answered = [{**given, "responseElements": {"volumeId": f"vol-{n:017x}"}} for n in (1, 2)]
    answered[0]["at"] = long_ago.isoformat()
    answered[1]["at"] = (long_ago + timedelta(days=2)).isoformat()
    sandbox.admin("POST", "events", answered)
    assert events(sandbox, "ResourceName", f"vol-{1:017x}") == []
    assert event(sandbox, "CreateVolume", f"vol-{2:017x}")


def test_an_event_can_be_added_with_everything_that_aws_writes(sandbox: Sandbox, make_role: Any) -> None:
    role = make_role("added")
    [unique] = sandbox.admin(
        "POST",
        "events",
        [
            {
                "eventName": "RunInstances",
                "eventSource": "ec2.amazonaws.com",
                "as": {"role": "added", "session": "karpenter", "provider": "arn:aws:iam::1:oidc-provider/x"},
                "responseElements": {"instancesSet": {"items": [{"instanceId": "i-00000000000000abc"}]}},
            }
        ],
    )["events"]
    found = event(sandbox, "RunInstances", "i-00000000000000abc")
    context = found["record"]["userIdentity"]["sessionContext"]
    assert (found["EventId"], found["Username"]) == (unique, "karpenter")
    assert context["sessionIssuer"]["principalId"] == role["RoleId"]
    assert context["webIdFederationData"]["federatedProvider"] == "arn:aws:iam::1:oidc-provider/x"


def test_lookup_events_can_be_denied(sandbox: Sandbox) -> None:
    trail, error = sandbox.client("cloudtrail"), {"code": "AccessDeniedException", "message": "no"}
    sandbox.admin("POST", "faults", [{"operation": "LookupEvents", "times": 1, "error": error}])
    with pytest.raises(ClientError, match="AccessDeniedException"):
        trail.lookup_events()
    sandbox.admin("POST", "faults", [])
    trail.lookup_events()
