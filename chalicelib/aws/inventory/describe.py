"""Direct looks: is this one thing there now? By kind and id, with the tags it has at this moment. Part of the inventory.

Every look answers with the row AWS shows, or None; what is on its way out for good (terminated, DELETE_COMPLETE) is not
there. EKS' own kinds are in `eks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import ResourceGone


@dataclass(frozen=True)
class FoundResource:
    """What a direct look saw: the facts that judging needs."""

    tags: Mapping[str, str]
    attributes: Mapping[str, str]
    created_at: datetime | None = None

    def as_resource(self, kind: Kind, resource_id: str, arn: str) -> Resource:
        """The thing under the ARN it was asked for."""
        return Resource(kind, resource_id, arn, self.tags, self.attributes, self.created_at)


Look = Callable[[str], FoundResource | None]

#: kind -> (operation, list in the answer, id filter, field of the state, states that mean gone, field of the birth).
_EC2: Mapping[Kind, tuple[str, str, str, str, frozenset[str], str]] = {
    Kind.KEY_PAIR: ("describe_key_pairs", "KeyPairs", "key-pair-id", "", frozenset(), "CreateTime"),
    Kind.SECURITY_GROUP: ("describe_security_groups", "SecurityGroups", "group-id", "", frozenset(), ""),
    Kind.NETWORK_INTERFACE: (
        "describe_network_interfaces",
        "NetworkInterfaces",
        "network-interface-id",
        "Status",
        frozenset(),
        "",
    ),
    Kind.VOLUME: (
        "describe_volumes",
        "Volumes",
        "volume-id",
        "State",
        frozenset({"deleting", "deleted"}),
        "CreateTime",
    ),
    Kind.SNAPSHOT: ("describe_snapshots", "Snapshots", "snapshot-id", "State", frozenset(), "StartTime"),
    Kind.VPC_ENDPOINT: (
        "describe_vpc_endpoints",
        "VpcEndpoints",
        "vpc-endpoint-id",
        "State",
        frozenset({"deleted"}),
        "CreationTimestamp",
    ),
    Kind.NAT_GATEWAY: (
        "describe_nat_gateways",
        "NatGateways",
        "nat-gateway-id",
        "State",
        frozenset({"deleted"}),
        "CreateTime",
    ),
    Kind.ELASTIC_IP: ("describe_addresses", "Addresses", "allocation-id", "", frozenset(), ""),
    Kind.INTERNET_GATEWAY: (
        "describe_internet_gateways",
        "InternetGateways",
        "internet-gateway-id",
        "",
        frozenset(),
        "",
    ),
    Kind.ROUTE_TABLE: ("describe_route_tables", "RouteTables", "route-table-id", "", frozenset(), ""),
    Kind.SUBNET: ("describe_subnets", "Subnets", "subnet-id", "", frozenset(), ""),
    Kind.VPC: ("describe_vpcs", "Vpcs", "vpc-id", "", frozenset(), ""),
}


class DescribeCalls:
    """The direct looks of one inventory at everything but EKS' own kinds, over boto3 clients of one region."""

    def __init__(
        self, *, ec2: Any, elbv2: Any, elb: Any, efs: Any, logs: Any, iam: Any, stacks: Any, autoscaling: Any
    ) -> None:
        self._ec2, self._elbv2, self._elb, self._efs = ec2, elbv2, elb, efs
        self._logs, self._iam, self._stacks, self._autoscaling = logs, iam, stacks, autoscaling
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
        """Whether there is a look for this kind here."""
        return kind in _EC2 or kind in self._others

    def look(self, kind: Kind, resource_id: str) -> FoundResource | None:
        """What is there of this kind with this id; None: nothing. Raises AwsRefused, Transient, KeyError for other kinds.

        Each thing is looked at once in an inventory, however many sources name it.
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
        operation, key, id_filter, state, gone, birth = _EC2[kind]
        filters = [{"Name": id_filter, "Values": [resource_id]}]
        with translate(f"ec2:{operation.title().replace('_', '')}"):
            rows = getattr(self._ec2, operation)(Filters=filters)[key]
        if not rows or (state and str(rows[0].get(state, "")).lower() in gone):
            return None
        return seen_in_ec2(rows[0], birth)

    def _instance(self, instance_id: str) -> FoundResource | None:
        filters = [{"Name": "instance-id", "Values": [instance_id]}]
        with translate("ec2:DescribeInstances"):
            reservations = self._ec2.describe_instances(Filters=filters)["Reservations"]
        rows = [row for reservation in reservations for row in reservation["Instances"]]
        return seen_in_ec2(rows[0], "LaunchTime") if rows and rows[0]["State"]["Name"] != "terminated" else None

    def _launch_template(self, template_id: str) -> FoundResource | None:
        with translate("ec2:DescribeLaunchTemplates"):
            rows = self._ec2.describe_launch_templates(LaunchTemplateIds=[template_id])["LaunchTemplates"]
        return seen_in_ec2(rows[0], "CreateTime") if rows else None

    def _load_balancer(self, arn: str) -> FoundResource | None:
        with translate("elasticloadbalancing:DescribeLoadBalancers"):
            rows = self._elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return FoundResource(self._balancer_tags(arn), _vpc(rows[0]), rows[0].get("CreatedTime")) if rows else None

    def _target_group(self, arn: str) -> FoundResource | None:
        with translate("elasticloadbalancing:DescribeTargetGroups"):
            rows = self._elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        if not rows:
            return None
        users = {"used-by": " ".join(rows[0].get("LoadBalancerArns", []))}
        return FoundResource(self._balancer_tags(arn), {**_vpc(rows[0]), **users})

    def _balancer_tags(self, arn: str) -> dict[str, str]:
        with translate("elasticloadbalancing:DescribeTags"):
            return _tags(self._elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])

    def _classic_load_balancer(self, name: str) -> FoundResource | None:
        with translate("elasticloadbalancing:DescribeLoadBalancers"):
            rows = self._elb.describe_load_balancers(LoadBalancerNames=[name])["LoadBalancerDescriptions"]
            tags = self._elb.describe_tags(LoadBalancerNames=[name])["TagDescriptions"]
        if not rows:
            return None
        facts = {"vpc-id": rows[0].get("VPCId") or "", "dns-name": rows[0].get("DNSName") or ""}
        return FoundResource(_tags(tags[0]["Tags"]), facts, rows[0].get("CreatedTime"))

    def _mount_target(self, mount_target_id: str) -> FoundResource | None:
        with translate("elasticfilesystem:DescribeMountTargets"):
            rows = self._efs.describe_mount_targets(MountTargetId=mount_target_id)["MountTargets"]
        return FoundResource({}, _vpc(rows[0])) if rows else None

    def _log_group(self, name: str) -> FoundResource | None:
        with translate("logs:DescribeLogGroups"):
            rows = self._logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        exact = [row for row in rows if row["logGroupName"] == name]
        if not exact:
            return None
        kept = exact[0].get("retentionInDays")
        with translate("logs:ListTagsForResource"):
            tags = self._logs.list_tags_for_resource(resourceArn=exact[0]["arn"].removesuffix(":*")).get("tags", {})
        born = datetime.fromtimestamp(exact[0]["creationTime"] / 1000, UTC)
        return FoundResource(tags, {"retention": str(kept)} if kept else {}, born)

    def _oidc_provider(self, arn: str) -> FoundResource | None:
        with translate("iam:GetOpenIDConnectProvider"):
            row = self._iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        return FoundResource(
            _tags(row.get("Tags", [])), {"issuer": row["Url"].removeprefix("https://")}, row.get("CreateDate")
        )

    def _instance_profile(self, name: str) -> FoundResource | None:
        with translate("iam:GetInstanceProfile"):
            row = self._iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        roles = row.get("Roles", [])
        facts = {"role-name": roles[0]["RoleName"], "role-id": roles[0]["RoleId"]} if roles else {}
        return FoundResource(_tags(row.get("Tags", [])), facts, row.get("CreateDate"))

    def _role(self, name: str) -> FoundResource | None:
        with translate("iam:GetRole"):
            row = self._iam.get_role(RoleName=name)["Role"]
        return FoundResource(_tags(row.get("Tags", [])), {}, row.get("CreateDate"))

    def _stack(self, name_or_id: str) -> FoundResource | None:
        with translate("cloudformation:DescribeStacks"):
            row = self._stacks.describe_stacks(StackName=name_or_id)["Stacks"][0]
        if row["StackStatus"] == "DELETE_COMPLETE":
            return None
        facts = {"status": row["StackStatus"], "stack-id": row["StackId"]}
        return FoundResource(_tags(row.get("Tags", [])), facts, row["CreationTime"])

    def _auto_scaling_group(self, name: str) -> FoundResource | None:
        with translate("autoscaling:DescribeAutoScalingGroups"):
            answer = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        rows = answer["AutoScalingGroups"]
        return FoundResource(_tags(rows[0].get("Tags", [])), {}, rows[0].get("CreatedTime")) if rows else None


def seen_in_ec2(row: Mapping[str, Any], birth: str) -> FoundResource:
    """A row of EC2's. `birth` names the field that says when it was made; empty where EC2 does not tell."""
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
