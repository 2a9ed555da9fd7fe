"""One resource in an account: its kind, its id, its ARN, and whether it still exists.

The droppers (`leftovers.py`, `look_alikes.py`) return it for tests and the demo. It asks AWS's own services whether the resource
exists, never the code under test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

ClientFactory = Callable[[str], Any]
"""Makes a boto3 client for a service, e.g. `sandbox.client`."""


class Kind(StrEnum):
    """The kinds of leftovers."""

    LOAD_BALANCER = "load balancer"
    TARGET_GROUP = "target group"
    CLASSIC_BALANCER = "classic load balancer"
    SECURITY_GROUP = "security group"
    INTERFACE = "network interface"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    INSTANCE = "instance"
    ENDPOINT = "VPC endpoint"
    RECORD = "DNS record"
    OIDC_PROVIDER = "OIDC provider"
    INSTANCE_PROFILE = "instance profile"
    LOG_GROUP = "log group"


@dataclass(frozen=True, slots=True)
class Leftover:
    """`id` is the identifier in its AWS service; a DNS record is `<zone id> <name> <type>`."""

    kind: Kind
    id: str

    def arn(self, account: str, region: str) -> str:
        """Return its ARN; a DNS record, which has none, is named under its zone's."""
        if self.id.startswith("arn:"):
            return self.id
        if self.kind is Kind.RECORD:
            zone, name, record_type = self.id.split(" ")
            return f"arn:aws:route53:::hostedzone/{zone}/{name}/{record_type}"
        return _ARNS[self.kind].format(account=account, region=region, id=self.id)


def still_there(client: ClientFactory, leftover: Leftover) -> bool:
    """Tell whether its AWS service still knows it; a terminated instance is gone."""
    try:
        return _LOOKS[leftover.kind](client, leftover.id)
    except ClientError as error:
        if "NotFound" in error.response["Error"]["Code"] or error.response["Error"]["Code"] == "NoSuchEntity":
            return False
        raise


_EC2_ARN = "arn:aws:ec2:{region}:{account}:"
_ARNS: Mapping[Kind, str] = {
    Kind.CLASSIC_BALANCER: "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{id}",
    Kind.SECURITY_GROUP: _EC2_ARN + "security-group/{id}",
    Kind.INTERFACE: _EC2_ARN + "network-interface/{id}",
    Kind.VOLUME: _EC2_ARN + "volume/{id}",
    Kind.SNAPSHOT: "arn:aws:ec2:{region}::snapshot/{id}",
    Kind.INSTANCE: _EC2_ARN + "instance/{id}",
    Kind.ENDPOINT: _EC2_ARN + "vpc-endpoint/{id}",
    Kind.INSTANCE_PROFILE: "arn:aws:iam::{account}:instance-profile/{id}",
    Kind.LOG_GROUP: "arn:aws:logs:{region}:{account}:log-group:{id}",
}


def _instance(client: ClientFactory, instance_id: str) -> bool:
    reservations = client("ec2").describe_instances(InstanceIds=[instance_id])["Reservations"]
    states = {i["State"]["Name"] for reservation in reservations for i in reservation["Instances"]}
    return bool(states - {"shutting-down", "terminated"})


def _endpoint(client: ClientFactory, endpoint_id: str) -> bool:
    filters = [{"Name": "vpc-endpoint-id", "Values": [endpoint_id]}]
    return bool(client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"])


def _record(client: ClientFactory, record: str) -> bool:
    zone, name, record_type = record.split(" ")
    pages = client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    found = {(record["Name"].rstrip("."), record["Type"]) for page in pages for record in page["ResourceRecordSets"]}
    return (name, record_type) in found


def _log_group(client: ClientFactory, name: str) -> bool:
    groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def _oidc_provider(client: ClientFactory, arn: str) -> bool:
    return bool(client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn))


_LOOKS: Mapping[Kind, Callable[[ClientFactory, str], bool]] = {
    Kind.LOAD_BALANCER: lambda client, arn: bool(client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])),
    Kind.TARGET_GROUP: lambda client, arn: bool(
        client("elbv2").describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    ),
    Kind.CLASSIC_BALANCER: lambda client, name: bool(client("elb").describe_load_balancers(LoadBalancerNames=[name])),
    Kind.SECURITY_GROUP: lambda client, id_: bool(client("ec2").describe_security_groups(GroupIds=[id_])),
    Kind.INTERFACE: lambda client, id_: bool(client("ec2").describe_network_interfaces(NetworkInterfaceIds=[id_])),
    Kind.VOLUME: lambda client, id_: bool(client("ec2").describe_volumes(VolumeIds=[id_])),
    Kind.SNAPSHOT: lambda client, id_: bool(client("ec2").describe_snapshots(SnapshotIds=[id_])["Snapshots"]),
    Kind.INSTANCE: _instance,
    Kind.ENDPOINT: _endpoint,
    Kind.RECORD: _record,
    Kind.OIDC_PROVIDER: _oidc_provider,
    Kind.INSTANCE_PROFILE: lambda client, name: bool(client("iam").get_instance_profile(InstanceProfileName=name)),
    Kind.LOG_GROUP: _log_group,
}
