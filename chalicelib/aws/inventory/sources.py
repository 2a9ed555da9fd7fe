"""The inventory's sources: each asks one thing of AWS that the sweeps do not ask, and yields what is there at this moment.

Tags are read from the Resource Groups Tagging API and from EC2's own list of tags. Both remember what is deleted, so
what they name counts only after a direct look. A hit that can't be looked at is yielded as words, and hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.inventory.arns import identify, is_part, stays, whole
from chalicelib.aws.inventory.describe import DescribeCalls, seen_in_ec2
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.domain.teardown.evidence import CLUSTER_PREFIX, CSI_TAG, LAB_TAG, OWNING_KEYS

#: What EC2 can list by VPC: operation, list in the answer, field of the id, field of the birth (empty: EC2 does not tell).
_IN_VPC = (
    (Kind.NETWORK_INTERFACE, "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", ""),
    (Kind.SECURITY_GROUP, "describe_security_groups", "SecurityGroups", "GroupId", ""),
    (Kind.VPC_ENDPOINT, "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "CreationTimestamp"),
    (Kind.NAT_GATEWAY, "describe_nat_gateways", "NatGateways", "NatGatewayId", "CreateTime"),
    (Kind.SUBNET, "describe_subnets", "Subnets", "SubnetId", ""),
)
_ARN_WORDS = {Kind.NAT_GATEWAY: "natgateway"}
_GONE = frozenset({"deleted", "terminated"})


def tagged(tagging: Any, looks: DescribeCalls, target: Target) -> Iterator[Resource | str]:
    """What the tagging API lists for the lab's tag and for every tag that claims a thing for the cluster."""
    for key, value in _conditions(target):
        condition = {"Key": key, "Values": [value]} if value is not None else {"Key": key}
        with translate("tag:GetResources"):
            pages = list(tagging.get_paginator("get_resources").paginate(TagFilters=[condition]))
        for arn in (row["ResourceARN"] for page in pages for row in page["ResourceTagMappingList"]):
            yield from _verified(whole(arn, target.account), looks, strict=key == LAB_TAG)


def _conditions(target: Target) -> Iterator[tuple[str, str | None]]:
    """Key and value of every tag that may point to the lab; None: whatever the value."""
    yield LAB_TAG, target.lab_id
    yield CLUSTER_PREFIX + target.cluster_name, None
    yield CSI_TAG, None
    yield from ((key, target.cluster_name) for key in OWNING_KEYS)


def tagged_in_ec2(ec2: Any, looks: DescribeCalls, target: Target) -> Iterator[Resource | str]:
    """What EC2's own list of tags names for the same tags."""
    named = [{"Name": "value", "Values": [target.lab_id, target.cluster_name]}]
    pages: list[Any] = []
    for keys, more in (([LAB_TAG, *OWNING_KEYS], named), ([CLUSTER_PREFIX + target.cluster_name, CSI_TAG], [])):
        with translate("ec2:DescribeTags"):
            pages += ec2.get_paginator("describe_tags").paginate(Filters=[{"Name": "key", "Values": keys}, *more])
    for kind, id in sorted({(row["ResourceType"], row["ResourceId"]) for page in pages for row in page["Tags"]}):
        yield from _verified(whole(_arn(ec2, target, f"{kind}/{id}"), target.account), looks, strict=False)


def in_vpc(ec2: Any, target: Target) -> Iterator[Resource]:
    """What stands in the lab's network: its own VPC, or the one it was a guest in."""
    if target.vpc_id is None:
        return
    for kind, operation, key, id_field, birth in _IN_VPC:
        filters = [{"Name": "vpc-id", "Values": [target.vpc_id]}]
        with translate(f"ec2:{operation.title().replace('_', '')}"):
            pages = list(ec2.get_paginator(operation).paginate(Filters=filters))
        for row in (row for page in pages for row in page[key]):
            yield from _row(ec2, target, kind, row, id_field, birth)
    with translate("ec2:DescribeInstances"):
        pages = list(ec2.get_paginator("describe_instances").paginate(Filters=filters))
    reservations = [reservation for page in pages for reservation in page["Reservations"]]
    for row in (row for reservation in reservations for row in reservation["Instances"]):
        if row["State"]["Name"] not in _GONE:
            yield from _row(ec2, target, Kind.INSTANCE, row, "InstanceId", "LaunchTime")


def balancers_in_vpc(elbv2: Any, elb: Any, looks: DescribeCalls, target: Target) -> Iterator[Resource | str]:
    """Load balancers and target groups of that network, of either generation."""
    if target.vpc_id is None:
        return
    with translate("elasticloadbalancing:DescribeLoadBalancers"):
        groups = list(elbv2.get_paginator("describe_target_groups").paginate())
        balancers = list(elbv2.get_paginator("describe_load_balancers").paginate())
        classics = list(elb.get_paginator("describe_load_balancers").paginate())
    arns = [row["LoadBalancerArn"] for page in balancers for row in page["LoadBalancers"] if _at(row, target)]
    arns += [row["TargetGroupArn"] for page in groups for row in page["TargetGroups"] if _at(row, target)]
    for page in classics:
        here = [row for row in page["LoadBalancerDescriptions"] if row.get("VPCId") == target.vpc_id]
        arns += [_classic_arn(elb, target, row["LoadBalancerName"]) for row in here]
    for arn in arns:
        yield from _verified(arn, looks, strict=False)


def groups(autoscaling: Any, target: Target) -> Iterator[Resource]:
    """Auto Scaling groups that bear the lab's marks, stand in its subnets, or belong to its node groups."""
    with translate("autoscaling:DescribeAutoScalingGroups"):
        pages = list(autoscaling.get_paginator("describe_auto_scaling_groups").paginate())
    marks = {LAB_TAG: target.lab_id, **dict.fromkeys(OWNING_KEYS, target.cluster_name)}
    for row in (row for page in pages for row in page["AutoScalingGroups"]):
        tags = {tag["Key"]: tag.get("Value", "") for tag in row.get("Tags", [])}
        subnets = set(row.get("VPCZoneIdentifier", "").split(",")) & set(target.subnet_ids)
        marked = CLUSTER_PREFIX + target.cluster_name in tags or any(tags.get(key) == marks[key] for key in marks)
        arn, name = row["AutoScalingGroupARN"], row["AutoScalingGroupName"]
        if marked or (subnets and target.vpc_is_ours) or arn in target.group_arns:
            facts = {"vpc-id": target.vpc_id} if subnets and target.vpc_id is not None else {}
            yield Resource(Kind.AUTO_SCALING_GROUP, name, arn, tags, facts, row.get("CreatedTime"))


def identities(iam: Any, looks: DescribeCalls, target: Target) -> Iterator[Resource | str]:
    """The service's roles with the lab's tag, the cluster's OIDC provider, profiles that hold one of the lab's roles."""
    with translate("iam:ListRoles"):
        pages = list(iam.get_paginator("list_roles").paginate(PathPrefix="/ekslab/"))
    named, born = set(target.role_names), target.created_at.replace(microsecond=0)
    for row in (row for page in pages for row in page["Roles"] if row["CreateDate"] >= born):
        seen = looks.look(Kind.ROLE, row["RoleName"])
        if seen is not None and (seen.tags.get(LAB_TAG) == target.lab_id or row["RoleName"] in named):
            yield seen.as_resource(Kind.ROLE, row["RoleName"], row["Arn"])
            yield from _profiles(iam, looks, row["RoleName"])
    issuer = (target.oidc_issuer or "").removeprefix("https://")
    with translate("iam:ListOpenIDConnectProviders"):
        providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    for arn in (row["Arn"] for row in providers if issuer and row["Arn"].endswith(f"/{issuer}")):
        yield from _verified(arn, looks, strict=False)


def _profiles(iam: Any, looks: DescribeCalls, role: str) -> Iterator[Resource | str]:
    with translate("iam:ListInstanceProfilesForRole"):
        pages = list(iam.get_paginator("list_instance_profiles_for_role").paginate(RoleName=role))
    for row in (row for page in pages for row in page["InstanceProfiles"]):
        yield from _verified(row["Arn"], looks, strict=False)


def _verified(arn: str, looks: DescribeCalls, *, strict: bool) -> Iterator[Resource | str]:
    """The thing behind an ARN, if a direct look finds it; words, if it can't be looked at. `strict`: whatever its kind.

    EKS' own kinds are left to the source that asks EKS.
    """
    known = identify(arn)
    if known is None:
        if strict and not is_part(arn) and not stays(arn):
            yield f"{arn} carries the lab's tag, but is of no kind that can be looked at."
        return
    kind, id = known
    if not looks.can_see(kind):
        return
    try:
        seen = looks.look(kind, id)
    except (AwsRefused, Transient) as error:
        yield f"{arn}: {error}"
        return
    if seen is not None:
        yield seen.as_resource(kind, id, arn)


def _row(ec2: Any, target: Target, kind: Kind, row: dict[str, Any], id_field: str, birth: str) -> Iterator[Resource]:
    state = row.get("State", "")
    if isinstance(state, str) and state.lower() in _GONE:
        return
    id = row[id_field]
    yield seen_in_ec2(row, birth).as_resource(kind, id, _arn(ec2, target, f"{_ARN_WORDS.get(kind, kind)}/{id}"))


def _at(row: dict[str, Any], target: Target) -> bool:
    return row.get("VpcId") == target.vpc_id


def _arn(ec2: Any, target: Target, rest: str) -> str:
    return f"arn:{ec2.meta.partition}:ec2:{target.region}:{target.account}:{rest}"


def _classic_arn(elb: Any, target: Target, name: str) -> str:
    return f"arn:{elb.meta.partition}:elasticloadbalancing:{target.region}:{target.account}:loadbalancer/{name}"
