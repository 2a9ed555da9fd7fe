"""An account on moto that tests fill with a lab's resources, other people's, and look-alikes, and read one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.aws.clients.calls import RegionClients
from chalicelib.aws.inventory.inventory import AwsInventory
from chalicelib.aws.leftovers.leftovers import AwsLeftovers
from chalicelib.domain.core.resources import Kind

REGION = "ap-northeast-2"
ACCOUNT = "123456789012"
_KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
_SERVICES = ("ec2", "elbv2", "elb", "efs", "route53", "logs", "iam", "eks", "autoscaling")
_ARNS = {
    Kind.SECURITY_GROUP: "ec2:{r}:{a}:security-group/{i}",
    Kind.NETWORK_INTERFACE: "ec2:{r}:{a}:network-interface/{i}",
    Kind.INSTANCE: "ec2:{r}:{a}:instance/{i}",
    Kind.VOLUME: "ec2:{r}:{a}:volume/{i}",
    Kind.SNAPSHOT: "ec2:{r}::snapshot/{i}",
    Kind.LAUNCH_TEMPLATE: "ec2:{r}:{a}:launch-template/{i}",
    Kind.KEY_PAIR: "ec2:{r}:{a}:key-pair/{i}",
    Kind.CLASSIC_LOAD_BALANCER: "elasticloadbalancing:{r}:{a}:loadbalancer/{i}",
}
#: Some services want at least one tag.
_BARE = {"colour": "blue"}
CLIENTS: dict[str, Any] = {}


def client(service: str) -> Any:
    """A client of one service, cached, since creating one is slow."""
    if service not in CLIENTS:
        CLIENTS[service] = boto3.client(service, region_name=REGION, **_KEYS)
    return CLIENTS[service]


@dataclass(frozen=True, slots=True)
class Thing:
    """A resource in the account, by the parameters of its delete call."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Place:
    """A VPC with two subnets."""

    vpc_id: str
    subnets: tuple[str, str]


class RememberingTags:
    """The tagging API, which moto has only with its extras: like AWS's, it still lists deleted resources."""

    def __init__(self) -> None:
        self.listed: list[tuple[str, Mapping[str, str]]] = []

    def get_paginator(self, operation: str) -> RememberingTags:
        assert operation == "get_resources"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        assert asked.keys() <= {"TagFilters", "ResourceTypeFilters"}
        (wanted,), services = asked["TagFilters"], asked.get("ResourceTypeFilters")
        key, values = wanted["Key"], wanted.get("Values")
        listed = [each for each in self.listed if not services or each[0].split(":")[2] in services]
        hits = [arn for arn, tags in listed if key in tags and (values is None or tags[key] in values)]
        return [{"ResourceTagMappingList": [{"ResourceARN": arn}]} for arn in hits]


class NoStacks:
    """CloudFormation, which moto has only with its extras, in an account without stacks."""

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's own spelling
        words = f"Stack with id {StackName} does not exist"
        raise ClientError({"Error": {"Code": "ValidationError", "Message": words}}, "DescribeStacks")


class MotoAccount:
    """Creates and lists resources. Every `drop_` returns its resource, with the given tags."""

    def __init__(self) -> None:
        self.ec2, self.elbv2, self.elb, self.efs = (client(name) for name in ("ec2", "elbv2", "elb", "efs"))
        self.route53, self.logs, self.iam = (client(name) for name in ("route53", "logs", "iam"))
        self.places = (self._place("10.0.0.0/16", "10.0"), self._place("10.1.0.0/16", "10.1"))
        zone = self.route53.create_hosted_zone(Name="example.com", CallerReference="1")
        self.zone_id = zone["HostedZone"]["Id"].removeprefix("/hostedzone/")
        self.tagging = RememberingTags()
        self._count = 0

    def leftovers(self) -> AwsLeftovers:
        return AwsLeftovers(self._clients())

    def inventory(self, **instead: Any) -> AwsInventory:
        """An inventory of this account; `instead` replaces some clients."""
        return AwsInventory(self._clients(**instead))

    def _clients(self, **instead: Any) -> RegionClients:
        clients = {name: client(name) for name in _SERVICES}
        clients |= {"tagging": self.tagging, "cloudformation": NoStacks()}
        return RegionClients(**{**clients, **instead})

    def drop(self, kind: Kind, tags: Mapping[str, str], place: Place) -> Thing:
        """A resource of this kind with these tags."""
        self._count += 1
        thing = Thing(kind, getattr(self, f"_{kind.name.lower()}")(tags, place, f"k8s-{self._count}"))
        if kind in _ARNS:
            self.tagging.listed.append(("arn:aws:" + _ARNS[kind].format(r=REGION, a=ACCOUNT, i=thing.id), tags))
        return thing

    def drop_record(self, name: str, owner: str | None, txt_prefix: str = "") -> list[Thing]:
        """An address, with the TXT record of its owner if it has one."""
        rows = [{"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}]
        if owner is not None:
            text = f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource=ingress/default/web"'
            rows.append({"Name": txt_prefix + name, "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": text}]})
        changes = [{"Action": "UPSERT", "ResourceRecordSet": row} for row in rows]
        self.route53.change_resource_record_sets(HostedZoneId=self.zone_id, ChangeBatch={"Changes": changes})
        return [Thing(Kind.DNS_RECORD, f"{self.zone_id}|{row['Name']}.|{row['Type']}") for row in rows]

    def drop_log_group(self, name: str) -> Thing:
        self.logs.create_log_group(logGroupName=name)
        return Thing(Kind.LOG_GROUP, name)

    def drop_oidc_provider(self, issuer: str) -> Thing:
        answer = self.iam.create_open_id_connect_provider(Url=issuer, ThumbprintList=["a" * 40])
        return Thing(Kind.OIDC_PROVIDER, answer["OpenIDConnectProviderArn"])

    def drop_profile(self, name: str, role: str, tags: Mapping[str, str] | None = None) -> Thing:
        if role not in {row["RoleName"] for row in self.iam.list_roles()["Roles"]}:
            self.iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}", Path="/ekslab/")
        self.iam.create_instance_profile(InstanceProfileName=name, Tags=rows(tags or {}))
        self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return Thing(Kind.INSTANCE_PROFILE, name)

    def look(self, thing: Thing) -> str | None:
        """All that AWS shows of it, as text; None if it is deleted."""
        try:
            shown = _LOOKS[thing.kind](self, thing.id)
        except ClientError as error:
            if re.search("NotFound|NoSuch", error.response["Error"]["Code"]):
                return None
            raise
        return json.dumps(shown, default=str, sort_keys=True) if shown else None

    def _place(self, cidr: str, start: str) -> Place:
        vpc_id = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        zones = ("a", "c")
        subnets = [
            self.ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"{start}.{i}.0/24", AvailabilityZone=REGION + zone)
            for i, zone in enumerate(zones)
        ]
        return Place(vpc_id, (subnets[0]["Subnet"]["SubnetId"], subnets[1]["Subnet"]["SubnetId"]))

    def _load_balancer(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        answer = self.elbv2.create_load_balancer(Name=name, Subnets=list(place.subnets), Tags=rows(tags or _BARE))
        return str(answer["LoadBalancers"][0]["LoadBalancerArn"])

    def _target_group(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        answer = self.elbv2.create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=place.vpc_id, TargetType="ip"
        )
        arn = answer["TargetGroups"][0]["TargetGroupArn"]
        self.elbv2.add_tags(ResourceArns=[arn], Tags=rows(tags or _BARE))
        return str(arn)

    def _classic_load_balancer(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        port = {"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 80}
        self.elb.create_load_balancer(
            LoadBalancerName=name, Listeners=[port], Subnets=list(place.subnets), Tags=rows(tags or _BARE)
        )
        return name

    def _security_group(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        answer = self.ec2.create_security_group(
            GroupName=name, Description=name, VpcId=place.vpc_id, **spec("security-group", tags)
        )
        return str(answer["GroupId"])

    def _network_interface(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        answer = self.ec2.create_network_interface(SubnetId=place.subnets[0], **spec("network-interface", tags))
        return str(answer["NetworkInterface"]["NetworkInterfaceId"])

    def _volume(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        return str(self.ec2.create_volume(Size=1, AvailabilityZone=REGION + "a", **spec("volume", tags))["VolumeId"])

    def _snapshot(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        volume = self._volume({}, place, name)
        return str(self.ec2.create_snapshot(VolumeId=volume, **spec("snapshot", tags))["SnapshotId"])

    def _instance(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        image = self.ec2.register_image(Name=name, Architecture="x86_64")["ImageId"]
        answer = self.ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, SubnetId=place.subnets[0], **spec("instance", tags)
        )
        return str(answer["Instances"][0]["InstanceId"])

    def _launch_template(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        answer = self.ec2.create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData={"InstanceType": "t3.medium"}, **spec("launch-template", tags)
        )
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    def _key_pair(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        return str(self.ec2.create_key_pair(KeyName=name, **spec("key-pair", tags))["KeyPairId"])

    def _mount_target(self, tags: Mapping[str, str], place: Place, name: str) -> str:
        system = self.efs.create_file_system(CreationToken=name, Tags=rows(tags))["FileSystemId"]
        return str(self.efs.create_mount_target(FileSystemId=system, SubnetId=place.subnets[0])["MountTargetId"])


def rows(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in AWS's format."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def spec(word: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """The argument that tags EC2's new resources; empty without tags."""
    return {"TagSpecifications": [{"ResourceType": word, "Tags": rows(tags)}]} if tags else {}


def _balancer(account: MotoAccount, arn: str) -> Any:
    row = account.elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    return row, account.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]


def _group(account: MotoAccount, arn: str) -> Any:
    row = account.elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    return row, account.elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"]


def _instance_row(account: MotoAccount, id: str) -> Any:
    row = account.ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]
    return None if row["State"]["Name"] == "terminated" else row


def _log_row(account: MotoAccount, name: str) -> Any:
    found = account.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return [row for row in found if row["logGroupName"] == name]


def _record_row(account: MotoAccount, id: str) -> Any:
    zone, name, type_ = id.split("|")
    found = account.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [row for row in found if (row["Name"], row["Type"]) == (name, type_)]


_LOOKS: dict[Kind, Any] = {
    Kind.LOAD_BALANCER: _balancer,
    Kind.TARGET_GROUP: _group,
    Kind.CLASSIC_LOAD_BALANCER: lambda a, id: a.elb.describe_load_balancers(LoadBalancerNames=[id])[
        "LoadBalancerDescriptions"
    ],
    Kind.SECURITY_GROUP: lambda a, id: a.ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"],
    Kind.NETWORK_INTERFACE: lambda a, id: a.ec2.describe_network_interfaces(NetworkInterfaceIds=[id])[
        "NetworkInterfaces"
    ],
    Kind.VOLUME: lambda a, id: a.ec2.describe_volumes(VolumeIds=[id])["Volumes"],
    Kind.SNAPSHOT: lambda a, id: a.ec2.describe_snapshots(SnapshotIds=[id])["Snapshots"],
    Kind.INSTANCE: _instance_row,
    Kind.LAUNCH_TEMPLATE: lambda a, id: a.ec2.describe_launch_templates(LaunchTemplateIds=[id])["LaunchTemplates"],
    Kind.KEY_PAIR: lambda a, id: [row for row in a.ec2.describe_key_pairs()["KeyPairs"] if row["KeyPairId"] == id],
    Kind.MOUNT_TARGET: lambda a, id: a.efs.describe_mount_targets(MountTargetId=id)["MountTargets"],
    Kind.DNS_RECORD: _record_row,
    Kind.LOG_GROUP: _log_row,
    Kind.OIDC_PROVIDER: lambda a, id: a.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=id)["Url"],
    Kind.INSTANCE_PROFILE: lambda a, id: a.iam.get_instance_profile(InstanceProfileName=id)["InstanceProfile"],
}
