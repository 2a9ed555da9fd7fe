"""Plays the situations of the table of forgeries, several rows in one lab: who creates which resources, and their outcome.

Each row's actor has only the named permissions (`a_forger`). The assertions are in `test_proof.py`, one test a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.workflows.collection import turn_of
from sandbox.stage import STACK, Stage
from tests.story.account import clients, cluster, pods_of
from tests.story.forgers import Clients, Forger, Told, a_forger, born_with, told, zone_of
from tests.story.network import Network, a_cluster, a_network
from tests.story.steps import Json, Lab, administrator, alone, learner, until

DRIVER = "ebs.csi.aws.com/cluster"


#: The permissions that EKS and EC2 require for a cluster in an existing network.
MAKE_A_CLUSTER = (
    "eks:CreateCluster", "iam:PassRole", "iam:GetRole", "iam:CreateServiceLinkedRole",
    "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeRouteTables",
)  # fmt: skip


def its_turn_comes(lab: Lab) -> None:
    """Run the hourly collection of proofs, at this lab's turn."""
    at = datetime.now(UTC).replace(minute=turn_of(lab.id) * 5, second=0)
    with alone:
        lab.learner.stage.recover_labs(at if at > datetime.now(UTC) else at + timedelta(hours=1))


def forged_tags(stage: Stage) -> Told:
    """Rows 2, 6 and 9: other people's resources that somebody tags as the lab's, a log group of its name, a bare volume."""
    network = a_network(stage, "10.62.0.0/16")
    lab = learner(stage).asks_for("forged", nodegroups=[])
    lab.becomes("ready")
    theirs = things_of_theirs(network)
    mark = [{"Key": "ekslab:lab-id", "Value": lab.id}]
    tagger = a_forger(stage, "row-2", "ec2:CreateTags", "elasticloadbalancing:AddTags").client
    tagger("ec2").create_tags(Resources=[id for id in theirs.values() if not id.startswith("arn:")], Tags=mark)
    tagger("elbv2").add_tags(ResourceArns=[id for id in theirs.values() if id.startswith("arn:")], Tags=mark)
    logs = a_forger(stage, "row-6", "logs:CreateLogGroup", "logs:TagResource").client("logs")
    logs.create_log_group(logGroupName="/aws/eks/forged/cluster", tags={"team": "platform"})
    driver = pods_of(lab, "ec2:CreateVolume", "ec2:CreateTags")
    mine = a_volume(driver, zone_of(network.client, network.subnets[0]), **{DRIVER: "true"})
    lab.is_let_go()
    lab.becomes("deleted")
    return told(lab, {**theirs, "log group": "/aws/eks/forged/cluster", "bare volume": mine})


def things_of_theirs(network: Network) -> dict[str, str]:
    """One resource of each kind, of another owner, in a network of theirs."""
    ec2, elbv2 = network.client("ec2"), network.client("elbv2")
    volume = a_volume(network.client, zone_of(network.client, network.subnets[0]))
    data = {"InstanceType": "t3.medium"}
    template = ec2.create_launch_template(LaunchTemplateName="theirs", LaunchTemplateData=data)["LaunchTemplate"]
    made = elbv2.create_load_balancer(Name="theirs", Subnets=list(network.subnets), Type="network")
    group = elbv2.create_target_group(Name="theirs", Protocol="TCP", Port=80, VpcId=network.vpc)["TargetGroups"][0]
    image = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    interface = ec2.create_network_interface(SubnetId=network.subnets[0])["NetworkInterface"]
    return {
        "volume": volume,
        "snapshot": ec2.create_snapshot(VolumeId=volume)["SnapshotId"],
        "security group": network.group,
        "launch template": template["LaunchTemplateId"],
        "balancer": made["LoadBalancers"][0]["LoadBalancerArn"],
        "target group": group["TargetGroupArn"],
        "instance": ec2.run_instances(**image, SubnetId=network.subnets[0])["Instances"][0]["InstanceId"],
        "key pair": ec2.create_key_pair(KeyName="theirs")["KeyPairId"],
        "interface": interface["NetworkInterfaceId"],
    }


def a_guest(stage: Stage) -> Told:
    """Rows 4, 5, 7 and 10, in an existing network: the lab keeps its volumes."""
    course, name = stage.course, "guest-of-rows"
    made = before_the_lab(stage, course.vpc_id, name)
    network = {"publicSubnetIds": list(course.subnet_ids)}
    lab = learner(stage).asks_for(name, network=network, volumes="keep", nodegroups=[])
    [told_at_once] = [each["message"] for each in lab.warnings if each["code"] == "name-borne"]
    assert all(id in told_at_once for id in made.values())
    lab.becomes("ready")
    pods = pods_of(lab)
    claimed = pods("ec2").create_security_group(
        GroupName="k8s-shared", Description="x", VpcId=course.vpc_id,
        TagSpecifications=born_with("security-group", **{f"kubernetes.io/cluster/{name}": "owned"}),
    )["GroupId"]  # fmt: skip
    prod = [{"Key": "kubernetes.io/cluster/prod", "Value": "true"}]
    a_forger(stage, "row-5", "ec2:CreateTags").client("ec2").create_tags(Resources=[claimed], Tags=prod)
    bare = a_volume(pods, zone_of(clients(lab), course.subnet_ids[0]), **{DRIVER: "true", "CSIVolumeName": "pvc-1"})
    group, instance = a_group_of_nodes(stage, "row-10", name, course.subnet_ids[0])
    lab.is_let_go()
    lab.becomes("deleted")
    ids = {"claimed by two": claimed, "bare volume": bare, "auto scaling group": group, "its instance": instance}
    return told(lab, {**made, **ids})


def before_the_lab(stage: Stage, vpc: str, name: str) -> dict[str, str]:
    """Row 4: a security group and a target group that already have the cluster's tags."""
    rights = ("ec2:CreateSecurityGroup", "ec2:CreateTags", "elasticloadbalancing:CreateTargetGroup")
    client = a_forger(stage, "row-4", *rights, "elasticloadbalancing:AddTags").client
    group = client("ec2").create_security_group(
        GroupName=f"nodes-{name}", Description="Terraform", VpcId=vpc,
        TagSpecifications=born_with("security-group", **{f"kubernetes.io/cluster/{name}": "owned"}),
    )["GroupId"]  # fmt: skip
    target = client("elbv2").create_target_group(
        Name="of-terraform", Protocol="TCP", Port=80, VpcId=vpc, TargetType="ip",
        Tags=[{"Key": "elbv2.k8s.aws/cluster", "Value": name}],
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    return {"older group": group, "older target group": target}


def a_group_of_nodes(stage: Stage, who: str, name: str, subnet: str) -> tuple[str, str]:
    """Row 10: a self-managed Auto Scaling group that tags its instances, and its instance once it runs."""
    rights = ("autoscaling:CreateAutoScalingGroup", "autoscaling:CreateOrUpdateTags", "ec2:RunInstances")
    client = a_forger(stage, who, *rights, "ec2:CreateLaunchTemplate", "ec2:CreateTags").client
    data = {"InstanceType": "t3.micro", "ImageId": "ami-0123456789abcdef0"}
    made = client("ec2").create_launch_template(LaunchTemplateName=who, LaunchTemplateData=data)["LaunchTemplate"]
    tag = {"Key": f"kubernetes.io/cluster/{name}", "Value": "owned", "PropagateAtLaunch": True}
    group = {"AutoScalingGroupName": f"{who}-nodes", "MinSize": 1, "MaxSize": 1, "VPCZoneIdentifier": subnet}
    template = {"LaunchTemplateId": made["LaunchTemplateId"], "Version": "$Latest"}
    client("autoscaling").create_auto_scaling_group(
        **group,
        LaunchTemplate=template,
        Tags=[{**tag, "ResourceId": f"{who}-nodes", "ResourceType": "auto-scaling-group"}],
    )
    return f"{who}-nodes", instance_of(stage.sandbox.client, f"{who}-nodes")


def instance_of(client: Any, group: str) -> str:
    """The group's only instance, once it exists."""

    def members() -> list[Json]:
        found = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        return [member for each in found["AutoScalingGroups"] for member in each["Instances"]]

    return str(until(members, bool, f"an instance of {group}")[0]["InstanceId"])


def snapshots_and_records(stage: Stage) -> Told:
    """Rows 8 and 12: an older snapshot with the lab's tag; records with a prefix, inside and outside the lab's subdomain."""
    zone = stage.course.zone_id
    lab = learner(stage).asks_for(
        "archived", volumes="snapshot", nodegroups=[], externalDns={"hostedZoneId": zone}
    )  # fmt: skip
    lab.becomes("ready")
    pods, plane = pods_of(lab), lab.inventory()["controlPlane"]
    marks = {DRIVER: "true", f"kubernetes.io/cluster/{lab.name}": "owned", "kubernetes.io/created-for/pvc/name": "data"}
    volume = a_volume(pods, zone_of(clients(lab), plane["subnetIds"][0]), **marks)
    archivist = a_forger(stage, "row-8", "ec2:CreateSnapshot", "ec2:CreateTags").client("ec2")
    older = archivist.create_snapshot(
        VolumeId=volume, TagSpecifications=born_with("snapshot", **{"ekslab:lab-id": lab.id})
    )["SnapshotId"]  # fmt: skip
    domain = lab.shown()["spec"]["externalDns"]["domain"]
    inside = records(pods, zone, f"app.{domain}.", lab)
    outside = records(
        a_forger(stage, "row-12", "route53:ChangeResourceRecordSets").client, zone, "app.lab.example.com.", lab
    )
    lab.is_let_go()
    lab.becomes("deleted")
    found = clients(lab)("ec2").describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume]}])["Snapshots"]
    backup = next((each["SnapshotId"] for each in found if each["SnapshotId"] != older), "snap-none")
    named = {"inside": inside[1], "its registry": inside[0], "outside": outside[1], "outside's registry": outside[0]}
    return told(lab, {"volume": volume, "older snapshot": older, "backup": backup, **named})


def records(client: Clients, zone: str, host: str, lab: Lab) -> list[str]:
    """The records of external-dns with `txtPrefix: x-`: a registry record for a record of another name."""
    text = f'"heritage=external-dns,external-dns/owner=ekslab-{lab.id},external-dns/resource=service/shop/web"'
    asked = [(f"x-{host}", "TXT", text), (host, "A", "192.0.2.10")]
    changes = [
        {"Action": "CREATE", "ResourceRecordSet": {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}}
        for name, kind, value in asked
    ]  # fmt: skip
    client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    return [f"{zone}|{name}|{kind}" for name, kind, _ in asked]


def lost_clusters(stage: Stage) -> Mapping[str, Told]:
    """Rows 3 and 11: the cluster is deleted by hand and another team's has its name, and is deleted later (3) or stays (11)."""
    network = a_network(stage, "10.64.0.0/16")
    owner = learner(stage)
    labs = {name: owner.asks_for(name, nodegroups=[]) for name in ("row-3", "row-11")}
    made: dict[str, dict[str, str]] = {}
    for name, lab in labs.items():
        lab.becomes("ready")
        zone = zone_of(network.client, network.subnets[0])
        ours = a_volume(pods_of(lab), zone, **{f"kubernetes.io/cluster/{name}": "owned", DRIVER: "true"})
        lookalike = a_volume(network.client, zone, **{f"kubernetes.io/cluster/{name}": "owned"})
        its_turn_comes(lab)
        made[name] = {"our volume": ours, "our look-alike": lookalike}
    deleter = a_forger(stage, "row-3", "eks:DeleteCluster").client("eks")
    for name, lab in labs.items():
        deleter.delete_cluster(name=name)
        until(lambda lab=lab: cluster(clients(lab), lab.name), lambda seen: seen is None, f"{name} is gone")
        its_turn_comes(lab)
        assert lab.shown()["phase"] == "lost"
        made[name] |= another_teams(stage, network, name)
    a_forger(stage, "row-3-enders", "eks:DeleteCluster").client("eks").delete_cluster(name="row-3")
    until(lambda: cluster(network.client, "row-3"), lambda seen: seen is None, "theirs is gone")
    for lab in labs.values():
        lab.is_let_go()
    return {name: told(ended(lab), made[name]) for name, lab in labs.items()}


def ended(lab: Lab) -> Lab:
    lab.becomes("deleted")
    return lab


def another_teams(stage: Stage, network: Network, name: str) -> dict[str, str]:
    """Another team's cluster of the same name, and its controllers' resources, with exactly the lab's tags."""
    making = a_forger(stage, f"{name}-makers", *MAKE_A_CLUSTER).client
    a_cluster(network, name, making)
    until(lambda: cluster(network.client, name)["status"], lambda status: status == "ACTIVE", f"their {name}")
    rights = ("ec2:CreateVolume", "ec2:CreateSnapshot", "ec2:CreateLaunchTemplate", "ec2:CreateTags")
    balancing = ("elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:AddTags")
    client = a_forger(stage, f"{name}-team", *rights, *balancing).client
    ec2, owned = client("ec2"), {f"kubernetes.io/cluster/{name}": "owned"}
    volume = a_volume(client, zone_of(network.client, network.subnets[0]), **owned)
    data = {"InstanceType": "t3.medium"}
    template = ec2.create_launch_template(
        LaunchTemplateName=f"theirs-{name}", LaunchTemplateData=data,
        TagSpecifications=born_with("launch-template", **{"karpenter.k8s.aws/cluster": name}),
    )["LaunchTemplate"]["LaunchTemplateId"]  # fmt: skip
    balancer = client("elbv2").create_load_balancer(
        Name=f"k8s-{name}", Subnets=list(network.subnets), Type="network",
        Tags=[{"Key": "elbv2.k8s.aws/cluster", "Value": name}],
    )["LoadBalancers"][0]["LoadBalancerArn"]  # fmt: skip
    snapshot = ec2.create_snapshot(VolumeId=volume, TagSpecifications=born_with("snapshot", **owned))["SnapshotId"]
    return {"volume": volume, "snapshot": snapshot, "launch template": template, "balancer": balancer}


def adopted(stage: Stage) -> Told:
    """Row 13: the lab's record is lost; an administrator adopts the cluster as a lab again, and deletes it."""
    lab = learner(stage).asks_for("forgotten", nodegroups=[])
    lab.becomes("ready")
    plane = lab.inventory()["controlPlane"]
    volume = a_volume(
        pods_of(lab),
        zone_of(clients(lab), plane["subnetIds"][0]),
        **{f"kubernetes.io/cluster/{lab.name}": "owned", DRIVER: "true"},
    )
    forget(a_forger(stage, "row-13", "dynamodb:Query", "dynamodb:DeleteItem"), stage, lab)
    admin = administrator(stage)
    answer = admin.sends("POST", f"/orphans/{lab.account}/{lab.region}/{lab.name}/adopt")
    assert answer.status == 201, answer.body
    again = replace(lab, learner=admin, id=answer.json["id"])
    again.is_let_go()
    again.becomes("deleted")
    return told(again, {"volume": volume})


def forget(who: Forger, stage: Stage, lab: Lab) -> None:
    """Delete all items of the lab from the table, and its claim on the name."""
    found = stage.sandbox.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="LabsTable"
    )
    table, dynamodb = found["StackResourceDetail"]["PhysicalResourceId"], who.client("dynamodb")
    for pk in (f"LAB#{lab.id}", f"NAME#{lab.account}#{lab.region}#{lab.name}"):
        query = {
            "TableName": table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
        }
        for item in dynamodb.get_paginator("query").paginate(**query).search("Items"):
            dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def blocked_ones(stage: Stage) -> Mapping[str, Told]:
    """Rows 15 and 10, in the lab's own VPC: its stack is protected; then other people's resources block its deletion."""
    lab = learner(stage).asks_for("hindered", nodegroups=[])
    lab.becomes("ready")
    protect = a_forger(stage, "row-15", "cloudformation:UpdateTerminationProtection").client("cloudformation")
    stack, plane = f"ekslab-{lab.id}", lab.inventory()["controlPlane"]
    protect.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
    lab.is_let_go()
    protected = told(lab, {"stack": stack_arn(lab, stack)}, lab.becomes("blocked"))
    protect.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    by_hand = hindrances(stage, lab, plane)
    lab.is_let_go()
    until(lambda: lab.shown()["phase"], lambda phase: phase != "blocked", "it is tried again")
    hindered = told(lab, by_hand, lab.becomes("blocked"))
    taken_away(clients(lab), by_hand)
    lab.is_let_go()
    until(lambda: lab.shown()["phase"], lambda phase: phase != "blocked", "it is tried again")
    lab.becomes("deleted")
    return {"protected": protected, "hindered": hindered, "free": told(lab, by_hand)}


def stack_arn(lab: Lab, name: str) -> str:
    """The stack's id, which is its ARN."""
    found = clients(lab)("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return str(found[0]["StackId"])


def hindrances(stage: Stage, lab: Lab, plane: Json) -> dict[str, str]:
    """Resources put into the lab's VPC by hand: a route table, a group whose rule refers to the lab's, an address, nodes."""
    root = clients(lab)
    vpc, subnet = plane["vpcId"], plane["subnetIds"][0]
    ours = next(
        group["GroupId"]
        for group in root("ec2").describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])[
            "SecurityGroups"
        ]
        if any(tag["Key"] == "aws:cloudformation:stack-id" for tag in group.get("Tags", []))
    )
    network = ("ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:AuthorizeSecurityGroupIngress")
    addresses = ("ec2:AllocateAddress", "ec2:AssociateAddress", "ec2:CreateNetworkInterface")
    ec2 = a_forger(stage, "row-15-by-hand", *network, *addresses).client("ec2")
    group = ec2.create_security_group(GroupName="by-hand", Description="mine", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": ours}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=interface)
    nodes, instance = a_group_of_nodes(stage, "row-10-own", lab.name, subnet)
    return {
        "route table": ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"],
        "group": group,
        "interface": interface,
        "address": address,
        "auto scaling group": nodes,
        "its instance": instance,
    }


def taken_away(client: Clients, by_hand: Mapping[str, str]) -> None:
    """Delete them as their owners."""
    ec2 = client("ec2")
    client("autoscaling").delete_auto_scaling_group(
        AutoScalingGroupName=by_hand["auto scaling group"], ForceDelete=True
    )
    address = ec2.describe_addresses(AllocationIds=[by_hand["address"]])["Addresses"][0]
    ec2.disassociate_address(AssociationId=address["AssociationId"])
    ec2.release_address(AllocationId=by_hand["address"])
    ec2.delete_network_interface(NetworkInterfaceId=by_hand["interface"])
    ec2.delete_security_group(GroupId=by_hand["group"])
    ec2.delete_route_table(RouteTableId=by_hand["route table"])


def a_volume(client: Clients, zone: str, **tags: str) -> str:
    """A small volume, created with these tags."""
    born = {"TagSpecifications": born_with("volume", **tags)} if tags else {}
    return str(client("ec2").create_volume(Size=1, AvailabilityZone=zone, **born)["VolumeId"])


#: The situations by the name of their fixture.
PLAYS: Mapping[str, Callable[[Stage], Any]] = {
    "forged": forged_tags,
    "guest": a_guest,
    "archived": snapshots_and_records,
    "lost": lost_clusters,
    "forgotten": adopted,
    "hindered": blocked_ones,
}
