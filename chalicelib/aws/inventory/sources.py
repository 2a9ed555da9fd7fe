"""The inventory's sources: each reads AWS by another path than the sweeps, and yields existing resources.

Tags come from the Resource Groups Tagging API and from EC2's own list of tags. Both still list deleted resources, so
a result counts only after a direct lookup. A hit without a lookup is yielded as a sentence, and hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from chalicelib.aws.clients.calls import call, every, instances_of
from chalicelib.aws.inventory.arns import identify, is_part, stays, whole
from chalicelib.aws.inventory.describe import DescribeCalls, seen_in_ec2
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.domain.teardown.evidence import CLUSTER_PREFIX, CSI_TAG, LAB_TAG, OWNING_KEYS, log_group_name

#: The kinds that EC2 lists by VPC: action, list in the answer, field of the id, field of the creation time (empty: none).
_IN_VPC = (
    (Kind.NETWORK_INTERFACE, "ec2:DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId", ""),
    (Kind.SECURITY_GROUP, "ec2:DescribeSecurityGroups", "SecurityGroups", "GroupId", ""),
    (Kind.VPC_ENDPOINT, "ec2:DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId", "CreationTimestamp"),
    (Kind.NAT_GATEWAY, "ec2:DescribeNatGateways", "NatGateways", "NatGatewayId", "CreateTime"),
    (Kind.SUBNET, "ec2:DescribeSubnets", "Subnets", "SubnetId", ""),
    (Kind.ROUTE_TABLE, "ec2:DescribeRouteTables", "RouteTables", "RouteTableId", ""),
)
_ARN_WORDS = {Kind.NAT_GATEWAY: "natgateway"}
#: The filters for security groups whose rules refer to another group, in words and in EC2's form.
_REFERRING = (("ingress", "ip-permission.group-id"), ("egress", "egress.ip-permission.group-id"))
_GONE = frozenset({"deleted", "terminated"})


def tagged(tagging: Any, looks: DescribeCalls, target: Target) -> Iterator[Resource | str]:
    """The tagging API's results for the lab's tag and for every tag that claims a resource for the cluster."""
    for key, value in _conditions(target):
        condition = {"Key": key, "Values": [value]} if value is not None else {"Key": key}
        for row in every(tagging, "tag:GetResources", "ResourceTagMappingList", TagFilters=[condition]):
            yield from _verified(whole(row["ResourceARN"], target.account), looks, strict=key == LAB_TAG)


def _conditions(target: Target) -> Iterator[tuple[str, str | None]]:
    """Key and value of every tag that may point to the lab; None: any value."""
    yield LAB_TAG, target.lab_id
    yield CLUSTER_PREFIX + target.cluster_name, None
    yield CSI_TAG, None
    yield from ((key, target.cluster_name) for key in OWNING_KEYS)


def tagged_in_ec2(ec2: Any, looks: DescribeCalls, target: Target) -> Iterator[Resource | str]:
    """The results of EC2's own list of tags for the same tags."""
    named = [{"Name": "value", "Values": [target.lab_id, target.cluster_name]}]
    rows: list[Any] = []
    for keys, more in (([LAB_TAG, *OWNING_KEYS], named), ([CLUSTER_PREFIX + target.cluster_name, CSI_TAG], [])):
        rows += every(ec2, "ec2:DescribeTags", "Tags", Filters=[{"Name": "key", "Values": keys}, *more])
    for kind, id in sorted({(row["ResourceType"], row["ResourceId"]) for row in rows}):
        yield from _verified(whole(_arn(ec2, target, f"{kind}/{id}"), target.account), looks, strict=False)


def in_vpc(ec2: Any, target: Target) -> Iterator[Resource]:
    """The resources in the lab's network: its own VPC, or the one where it was a guest."""
    if target.vpc_id is None:
        return
    filters = [{"Name": "vpc-id", "Values": [target.vpc_id]}]
    for kind, action, key, id_field, birth in _IN_VPC:
        rows = [row for row in every(ec2, action, key, Filters=filters) if not _goes_with_its_vpc(row)]
        if kind is Kind.SECURITY_GROUP:
            own = {row["GroupId"] for row in rows} & target.own_ids
            yield from _referring_to(ec2, target, sorted(own))
        for row in rows:
            yield from _row(ec2, target, kind, row, id_field, birth)
        if kind is Kind.NETWORK_INTERFACE:
            yield from _addresses_of(ec2, target, rows)
    for row in instances_of(ec2, filters):
        if row["State"]["Name"] not in _GONE:
            yield from _row(ec2, target, Kind.INSTANCE, row, "InstanceId", "LaunchTime")


def _goes_with_its_vpc(row: dict[str, Any]) -> bool:
    """A VPC's main route table can't be deleted by anybody, and is deleted with it."""
    return any(association.get("Main") for association in row.get("Associations", []))


def _referring_to(ec2: Any, target: Target, own: list[str]) -> Iterator[Resource]:
    """Other people's security groups whose rules refer to an existing group of the lab's, which they keep from being deleted."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for direction, name in _REFERRING if own else ():
        filters = [{"Name": name, "Values": own}]
        groups = every(ec2, "ec2:DescribeSecurityGroups", "SecurityGroups", Filters=filters)
        for row in (group for group in groups if group["GroupId"] not in target.own_ids):
            rules = row["IpPermissions" if direction == "ingress" else "IpPermissionsEgress"]
            told = found.setdefault(row["GroupId"], (row, []))[1]
            told += (f"{direction} {words}" for rule in rules if (words := _rule_in_words(rule, own)))
    for id, (row, told) in found.items():
        seen = seen_in_ec2(row, "").as_resource(Kind.SECURITY_GROUP, id, _arn(ec2, target, f"security-group/{id}"))
        yield replace(seen, attributes={**seen.attributes, "refers-to": "; ".join(told)})


def _rule_in_words(rule: dict[str, Any], own: list[str]) -> str:
    """`tcp 22 for sg-1`: a rule's traffic, and the ones of these groups that it names; empty if none."""
    named = [pair["GroupId"] for pair in rule.get("UserIdGroupPairs", []) if pair.get("GroupId") in own]
    ports = dict.fromkeys(str(rule[end]) for end in ("FromPort", "ToPort") if end in rule)
    protocol = "all traffic" if rule["IpProtocol"] == "-1" else rule["IpProtocol"]
    return f"{' '.join([protocol, '-'.join(ports)]).strip()} for {', '.join(named)}" if named else ""


def _addresses_of(ec2: Any, target: Target, interfaces: list[dict[str, Any]]) -> Iterator[Resource]:
    """Elastic IPs of interfaces in that network: they keep its internet gateway from being detached."""
    held = {(row.get("Association") or {}).get("AllocationId"): row["NetworkInterfaceId"] for row in interfaces}
    ids = sorted(id for id in held if id)
    if not ids:
        return
    rows = call(ec2, "ec2:DescribeAddresses", Filters=[{"Name": "allocation-id", "Values": ids}])["Addresses"]
    for row in rows:
        id = row["AllocationId"]
        seen = seen_in_ec2(row, "").as_resource(Kind.ELASTIC_IP, id, _arn(ec2, target, f"elastic-ip/{id}"))
        yield replace(seen, attributes={"vpc-id": str(target.vpc_id), "attached-to": held[id]})


def balancers_in_vpc(elbv2: Any, elb: Any, looks: DescribeCalls, target: Target) -> Iterator[Resource | str]:
    """Load balancers and target groups of that network, of either generation."""
    if target.vpc_id is None:
        return
    groups = every(elbv2, "elasticloadbalancing:DescribeTargetGroups", "TargetGroups")
    balancers = every(elbv2, "elasticloadbalancing:DescribeLoadBalancers", "LoadBalancers")
    classics = every(elb, "elasticloadbalancing:DescribeLoadBalancers", "LoadBalancerDescriptions")
    here = f"arn:{elb.meta.partition}:elasticloadbalancing:{target.region}:{target.account}:loadbalancer"
    arns = [row["LoadBalancerArn"] for row in balancers if row.get("VpcId") == target.vpc_id]
    arns += [row["TargetGroupArn"] for row in groups if row.get("VpcId") == target.vpc_id]
    arns += [f"{here}/{row['LoadBalancerName']}" for row in classics if row.get("VPCId") == target.vpc_id]
    for arn in arns:
        yield from _verified(arn, looks, strict=False)


def groups(autoscaling: Any, target: Target) -> Iterator[Resource]:
    """Auto Scaling groups with the lab's tags, in its subnets, or of its node groups."""
    marks = {LAB_TAG: target.lab_id, **dict.fromkeys(OWNING_KEYS, target.cluster_name)}
    for row in every(autoscaling, "autoscaling:DescribeAutoScalingGroups", "AutoScalingGroups"):
        tags = {tag["Key"]: tag.get("Value", "") for tag in row.get("Tags", [])}
        subnets = set(row.get("VPCZoneIdentifier", "").split(",")) & set(target.subnet_ids)
        marked = CLUSTER_PREFIX + target.cluster_name in tags or any(tags.get(key) == marks[key] for key in marks)
        arn, name = row["AutoScalingGroupARN"], row["AutoScalingGroupName"]
        if marked or (subnets and target.vpc_is_ours) or arn in target.group_arns:
            facts = {"vpc-id": target.vpc_id} if subnets and target.vpc_id is not None else {}
            yield Resource(Kind.AUTO_SCALING_GROUP, name, arn, tags, facts, row.get("CreatedTime"))


def identities(iam: Any, looks: DescribeCalls, target: Target) -> Iterator[Resource | str]:
    """The service's roles with the lab's tag, the cluster's OIDC provider, profiles that hold one of the lab's roles."""
    roles = every(iam, "iam:ListRoles", "Roles", PathPrefix="/ekslab/")
    named, born = set(target.role_names), target.created_at.replace(microsecond=0)
    for row in (role for role in roles if role["CreateDate"] >= born):
        seen = looks.look(Kind.ROLE, row["RoleName"])
        if seen is not None and (seen.tags.get(LAB_TAG) == target.lab_id or row["RoleName"] in named):
            yield seen.as_resource(Kind.ROLE, row["RoleName"], row["Arn"])
            for profile in every(iam, "iam:ListInstanceProfilesForRole", "InstanceProfiles", RoleName=row["RoleName"]):
                yield from _verified(profile["Arn"], looks, strict=False)
    issuer = (target.oidc_issuer or "").removeprefix("https://")
    providers = call(iam, "iam:ListOpenIDConnectProviders")["OpenIDConnectProviderList"]
    for arn in (row["Arn"] for row in providers if issuer and row["Arn"].endswith(f"/{issuer}")):
        yield from _verified(arn, looks, strict=False)


def log_groups_named(logs: Any, cluster: str) -> Iterator[tuple[Kind, str]]:
    """Log groups with the names that EKS and Container Insights give for this cluster name."""
    for prefix in (log_group_name(cluster), f"/aws/containerinsights/{cluster}/"):
        rows = call(logs, "logs:DescribeLogGroups", logGroupNamePrefix=prefix)["logGroups"]
        names = (row["logGroupName"] for row in rows)
        yield from ((Kind.LOG_GROUP, name) for name in names if name == prefix or prefix.endswith("/"))


def groups_named(ec2: Any, cluster: str) -> Iterator[tuple[Kind, str]]:
    """Security groups with the cluster's tag, with any value."""
    filters = [{"Name": "tag-key", "Values": [CLUSTER_PREFIX + cluster]}]
    rows = call(ec2, "ec2:DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    yield from ((Kind.SECURITY_GROUP, row["GroupId"]) for row in rows)


def balancing_named(tagging: Any, looks: DescribeCalls, cluster: str) -> Iterator[tuple[Kind, str]]:
    """Existing balancers and target groups with a tag of the cluster's."""
    wanted = ({"Key": CLUSTER_PREFIX + cluster}, {"Key": "elbv2.k8s.aws/cluster", "Values": [cluster]})
    arns: list[str] = []
    for condition in wanted:
        request = {"TagFilters": [condition], "ResourceTypeFilters": ["elasticloadbalancing"]}
        arns += (row["ResourceARN"] for row in every(tagging, "tag:GetResources", "ResourceTagMappingList", **request))
    for arn in dict.fromkeys(arns):
        known = identify(arn)
        if known is not None and looks.look(*known) is not None:
            yield known[0], arn


def _verified(arn: str, looks: DescribeCalls, *, strict: bool) -> Iterator[Resource | str]:
    """The resource of an ARN, if a direct lookup finds it; a sentence, if it can't be looked up. `strict`: of any kind.

    EKS' own kinds are left to the source that reads EKS.
    """
    known = identify(arn)
    if known is None:
        if strict and not is_part(arn) and not stays(arn):
            yield Sentence("{arn} carries the lab's tag, but is of no kind that can be looked at.", arn=arn)
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


def _arn(ec2: Any, target: Target, rest: str) -> str:
    return f"arn:{ec2.meta.partition}:ec2:{target.region}:{target.account}:{rest}"
