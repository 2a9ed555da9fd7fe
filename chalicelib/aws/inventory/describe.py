"""Direct lookups: whether one resource exists now, by kind and id, with its present tags. Part of the inventory.

Every lookup returns AWS's row, or None; a resource whose deletion is final (terminated, DELETE_COMPLETE) does not
exist. EKS' own kinds are in `eks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chalicelib.aws.clients.calls import RegionClients, call, instances_of
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import ResourceGone


@dataclass(frozen=True)
class FoundResource:
    """The result of a direct lookup: the facts for judging."""

    tags: Mapping[str, str]
    attributes: Mapping[str, str]
    created_at: datetime | None = None

    def as_resource(self, kind: Kind, resource_id: str, arn: str) -> Resource:
        """The resource under the ARN of the lookup."""
        return Resource(kind, resource_id, arn, self.tags, self.attributes, self.created_at)


Look = Callable[[str], FoundResource | None]


class _InEc2(NamedTuple):
    """EC2's description of a kind. `state`: its state's field; `gone`: final states; `birth`: the field of its creation time."""

    action: str
    rows: str
    id_filter: str
    state: str = ""
    gone: tuple[str, ...] = ()
    birth: str = ""


_EC2: Mapping[Kind, _InEc2] = {
    Kind.KEY_PAIR: _InEc2("DescribeKeyPairs", "KeyPairs", "key-pair-id", birth="CreateTime"),
    Kind.SECURITY_GROUP: _InEc2("DescribeSecurityGroups", "SecurityGroups", "group-id"),
    Kind.NETWORK_INTERFACE: _InEc2("DescribeNetworkInterfaces", "NetworkInterfaces", "network-interface-id"),
    Kind.VOLUME: _InEc2("DescribeVolumes", "Volumes", "volume-id", "State", ("deleting", "deleted"), "CreateTime"),
    Kind.SNAPSHOT: _InEc2("DescribeSnapshots", "Snapshots", "snapshot-id", birth="StartTime"),
    Kind.VPC_ENDPOINT: _InEc2(
        "DescribeVpcEndpoints", "VpcEndpoints", "vpc-endpoint-id", "State", ("deleted",), "CreationTimestamp"
    ),
    Kind.NAT_GATEWAY: _InEc2(
        "DescribeNatGateways", "NatGateways", "nat-gateway-id", "State", ("deleted",), "CreateTime"
    ),
    Kind.ELASTIC_IP: _InEc2("DescribeAddresses", "Addresses", "allocation-id"),
    Kind.INTERNET_GATEWAY: _InEc2("DescribeInternetGateways", "InternetGateways", "internet-gateway-id"),
    Kind.ROUTE_TABLE: _InEc2("DescribeRouteTables", "RouteTables", "route-table-id"),
    Kind.SUBNET: _InEc2("DescribeSubnets", "Subnets", "subnet-id"),
    Kind.VPC: _InEc2("DescribeVpcs", "Vpcs", "vpc-id"),
}


class DescribeCalls:
    """The direct lookups of one inventory for all kinds but EKS' own, over boto3 clients of one region."""

    def __init__(self, clients: RegionClients) -> None:
        self._clients = clients
        self._looked: dict[tuple[Kind, str], FoundResource | None] = {}
        self._others: Mapping[Kind, Look] = {
            Kind.INSTANCE: self._instance,
            Kind.LAUNCH_TEMPLATE: self._launch_template,
            Kind.LOAD_BALANCER: self._load_balancer,
            Kind.TARGET_GROUP: self._target_group,
            Kind.CLASSIC_LOAD_BALANCER: self._classic_load_balancer,
            Kind.MOUNT_TARGET: self._mount_target,
            Kind.LOG_GROUP: self._log_group,
            Kind.OIDC_PROVIDER: self._oidc_provider,
            Kind.INSTANCE_PROFILE: self._instance_profile,
            Kind.ROLE: self._role,
            Kind.STACK: self._stack,
            Kind.AUTO_SCALING_GROUP: self._auto_scaling_group,
        }

    def can_see(self, kind: Kind) -> bool:
        """Whether there is a lookup for this kind here."""
        return kind in _EC2 or kind in self._others

    def look(self, kind: Kind, resource_id: str) -> FoundResource | None:
        """The resource of this kind with this id; None: it does not exist. Raises AwsRefused, Transient, KeyError for other kinds.

        Each resource is looked up once in an inventory, however many sources name it.
        """
        key = (kind, resource_id)
        if key not in self._looked:
            self._looked[key] = self._look(kind, resource_id)
        return self._looked[key]

    def _look(self, kind: Kind, resource_id: str) -> FoundResource | None:
        try:
            return self._in_ec2(kind, resource_id) if kind in _EC2 else self._others[kind](resource_id)
        except ResourceGone:
            return None

    def _in_ec2(self, kind: Kind, resource_id: str) -> FoundResource | None:
        table = _EC2[kind]
        filters = [{"Name": table.id_filter, "Values": [resource_id]}]
        rows = call(self._clients.ec2, f"ec2:{table.action}", Filters=filters)[table.rows]
        if not rows or str(rows[0].get(table.state, "")).lower() in table.gone:
            return None
        return seen_in_ec2(rows[0], table.birth)

    def _instance(self, instance_id: str) -> FoundResource | None:
        filters = [{"Name": "instance-id", "Values": [instance_id]}]
        rows = instances_of(self._clients.ec2, filters)
        return seen_in_ec2(rows[0], "LaunchTime") if rows and rows[0]["State"]["Name"] != "terminated" else None

    def _launch_template(self, template_id: str) -> FoundResource | None:
        answer = call(self._clients.ec2, "ec2:DescribeLaunchTemplates", LaunchTemplateIds=[template_id])
        return next((seen_in_ec2(row, "CreateTime") for row in answer["LaunchTemplates"]), None)

    def _load_balancer(self, arn: str) -> FoundResource | None:
        answer = call(self._clients.elbv2, "elasticloadbalancing:DescribeLoadBalancers", LoadBalancerArns=[arn])
        rows = answer["LoadBalancers"]
        return FoundResource(self._balancer_tags(arn), _vpc(rows[0]), rows[0].get("CreatedTime")) if rows else None

    def _target_group(self, arn: str) -> FoundResource | None:
        rows = call(self._clients.elbv2, "elasticloadbalancing:DescribeTargetGroups", TargetGroupArns=[arn])[
            "TargetGroups"
        ]
        if not rows:
            return None
        users = {"used-by": " ".join(rows[0].get("LoadBalancerArns", []))}
        return FoundResource(self._balancer_tags(arn), {**_vpc(rows[0]), **users})

    def _balancer_tags(self, arn: str) -> dict[str, str]:
        answer = call(self._clients.elbv2, "elasticloadbalancing:DescribeTags", ResourceArns=[arn])
        return _tags(answer["TagDescriptions"][0]["Tags"])

    def _classic_load_balancer(self, name: str) -> FoundResource | None:
        elb, named = self._clients.elb, {"LoadBalancerNames": [name]}
        rows = call(elb, "elasticloadbalancing:DescribeLoadBalancers", **named)["LoadBalancerDescriptions"]
        if not rows:
            return None
        tags = call(elb, "elasticloadbalancing:DescribeTags", **named)["TagDescriptions"]
        facts = {"vpc-id": rows[0].get("VPCId") or "", "dns-name": rows[0].get("DNSName") or ""}
        return FoundResource(_tags(tags[0]["Tags"]), facts, rows[0].get("CreatedTime"))

    def _mount_target(self, mount_target_id: str) -> FoundResource | None:
        answer = call(self._clients.efs, "elasticfilesystem:DescribeMountTargets", MountTargetId=mount_target_id)
        return next((FoundResource({}, _vpc(row)) for row in answer["MountTargets"]), None)

    def _log_group(self, name: str) -> FoundResource | None:
        rows = call(self._clients.logs, "logs:DescribeLogGroups", logGroupNamePrefix=name)["logGroups"]
        exact = [row for row in rows if row["logGroupName"] == name]
        if not exact:
            return None
        kept = exact[0].get("retentionInDays")
        answer = call(self._clients.logs, "logs:ListTagsForResource", resourceArn=exact[0]["arn"].removesuffix(":*"))
        born = datetime.fromtimestamp(exact[0]["creationTime"] / 1000, UTC)
        return FoundResource(answer.get("tags", {}), {"retention": str(kept)} if kept else {}, born)

    def _oidc_provider(self, arn: str) -> FoundResource | None:
        row = call(self._clients.iam, "iam:GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
        facts = {"issuer": row["Url"].removeprefix("https://")}
        return FoundResource(_tags(row.get("Tags", [])), facts, row.get("CreateDate"))

    def _instance_profile(self, name: str) -> FoundResource | None:
        row = call(self._clients.iam, "iam:GetInstanceProfile", InstanceProfileName=name)["InstanceProfile"]
        roles = row.get("Roles", [])
        facts = {"role-name": roles[0]["RoleName"], "role-id": roles[0]["RoleId"]} if roles else {}
        return FoundResource(_tags(row.get("Tags", [])), facts, row.get("CreateDate"))

    def _role(self, name: str) -> FoundResource | None:
        row = call(self._clients.iam, "iam:GetRole", RoleName=name)["Role"]
        return FoundResource(_tags(row.get("Tags", [])), {}, row.get("CreateDate"))

    def _stack(self, name_or_id: str) -> FoundResource | None:
        row = call(self._clients.cloudformation, "cloudformation:DescribeStacks", StackName=name_or_id)["Stacks"][0]
        if row["StackStatus"] == "DELETE_COMPLETE":
            return None
        facts = {"status": row["StackStatus"], "stack-id": row["StackId"]}
        return FoundResource(_tags(row.get("Tags", [])), facts, row["CreationTime"])

    def _auto_scaling_group(self, name: str) -> FoundResource | None:
        answer = call(self._clients.autoscaling, "autoscaling:DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
        rows = answer["AutoScalingGroups"]
        return FoundResource(_tags(rows[0].get("Tags", [])), {}, rows[0].get("CreatedTime")) if rows else None


def seen_in_ec2(row: Mapping[str, Any], birth: str) -> FoundResource:
    """A row of EC2. `birth` names the field of its creation time; empty if EC2 has none."""
    shown = {
        "vpc-id": row.get("VpcId"),
        "status": row.get("Status") or row.get("State"),
        "group-name": row.get("GroupName"),
        "service-name": row.get("ServiceName"),
        "description": row.get("Description"),
        "attached-to": (row.get("Attachment") or {}).get("InstanceId"),
        "requester-id": row.get("RequesterId"),
        "created-by": row.get("CreatedBy"),
        "key-name": row.get("KeyName"),
        "instance-type": row.get("InstanceType"),
        "profile-id": (row.get("IamInstanceProfile") or {}).get("Id"),
        "volume-id": row.get("VolumeId") if "SnapshotId" in row and "Size" not in row else None,
        "size-gib": str(row.get("Size") or row.get("VolumeSize") or ""),
        "used-by": " ".join(held["InstanceId"] for held in row.get("Attachments") or [] if held.get("InstanceId")),
    }
    facts = {key: value for key, value in shown.items() if isinstance(value, str) and value}
    return FoundResource(_tags(row.get("Tags") or row.get("TagSet") or []), facts, row.get(birth) if birth else None)


def _tags(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["Key"]: row.get("Value", "") for row in rows}


def _vpc(row: Mapping[str, Any]) -> dict[str, str]:
    return {"vpc-id": row["VpcId"]} if row.get("VpcId") else {}
