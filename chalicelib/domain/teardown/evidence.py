"""Which clusters a thing's tags speak for: what Kubernetes' controllers and EKS write on what they make.

A tag proves something only where its whole value, or the whole rest of its key, is a cluster's name: `myeks` is not
`myeks2`. `ebs.csi.aws.com/cluster` holds the literal `true` and speaks for nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from chalicelib.domain.core.resources import Kind, Resource, Target

LAB_TAG = "ekslab:lab-id"
CLUSTER_PREFIX = "kubernetes.io/cluster/"
PVC_TAG = "kubernetes.io/created-for/pvc/name"
STACK_TAG = "aws:cloudformation:stack-name"

#: Tag keys whose value is the name of the cluster that made the thing.
OWNING_KEYS = (
    "elbv2.k8s.aws/cluster",
    "eks:cluster-name",
    "aws:eks:cluster-name",
    "eks:eks-cluster-name",
    "cluster.k8s.amazonaws.com/name",
    "karpenter.k8s.aws/cluster",
)
#: Keys that only ever speak against us: what names another cluster there is another's, but ours there proves nothing.
OTHERS_KEYS = ("alpha.eksctl.io/cluster-name", "KubernetesCluster")
#: What the VPC CNI writes on its interfaces without naming the cluster.
CNI_KEYS = ("node.k8s.amazonaws.com/createdAt", "eks:kubernetes-cni-node-name", "node.k8s.amazonaws.com/instance_id")
#: How long after the cluster's end CloudWatch may still deliver its last lines and so make its log group again.
LATE_DELIVERY = timedelta(hours=1)
#: IAM is one for all regions, and a cluster's name is not: such a thing must say its region, as Karpenter's do.
_GLOBAL = frozenset({Kind.INSTANCE_PROFILE, Kind.OIDC_PROVIDER, Kind.ROLE})
_Proof = Callable[[Resource, Target], str | None]


def owning_tags(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (cluster, tag key) for every tag that claims the thing for a cluster."""
    for key, value in tags.items():
        if key in OWNING_KEYS and value:
            yield value, key
        elif key.startswith(CLUSTER_PREFIX) and value == "owned":
            yield key.removeprefix(CLUSTER_PREFIX), key


def claim_of(cluster: str, tags: Mapping[str, str]) -> str | None:
    """The tag by which a cluster owns the thing, or None."""
    return next((key for name, key in owning_tags(tags) if name == cluster), None)


def other_claimants(cluster: str, tags: Mapping[str, str]) -> tuple[str, ...]:
    """Other clusters that the thing's tags name, sorted."""
    names = {name for name, _ in owning_tags(tags)} | {tags[key] for key in OTHERS_KEYS if tags.get(key)}
    return tuple(sorted(names - {cluster}))


def is_shared(tags: Mapping[str, str]) -> bool:
    """Whether any cluster's tag marks the thing as shared: then nobody's teardown may delete it."""
    return any(key.startswith(CLUSTER_PREFIX) and value == "shared" for key, value in tags.items())


def names_cluster(cluster: str, tags: Mapping[str, str]) -> bool:
    """Whether the tags mention the cluster at all, as owner or as one it was shared with."""
    return CLUSTER_PREFIX + cluster in tags or claim_of(cluster, tags) is not None


def proof_by_kind(resource: Resource, target: Target) -> str | None:
    """What makes this thing the target's by the nature of its kind, in words; None when nothing does."""
    proof = _BY_KIND.get(resource.kind)
    return proof(resource, target) if proof is not None else None


def name_speaks_for(resource: Resource, target: Target) -> bool:
    """Whether the cluster's name on this thing means our cluster, and not one that had the name elsewhere or later."""
    if resource.kind in _GLOBAL and resource.tags.get("topology.kubernetes.io/region") != target.region:
        return False
    if "vpc-id" in resource.attributes:
        if resource.attributes["vpc-id"] != target.vpc_id:
            return False
        if target.vpc_is_ours:
            return True
    if target.name_taken_over or not target.had_cluster:
        return False
    gone_at, born_at = target.cluster_gone_at, resource.created_at
    return gone_at is None or born_at is None or born_at <= gone_at


def in_own_vpc(resource: Resource, target: Target) -> bool:
    """Whether the thing is in a VPC that was made for this lab."""
    return target.vpc_is_ours and target.vpc_id is not None and resource.attributes.get("vpc-id") == target.vpc_id


def is_cluster_log_group(resource: Resource, target: Target) -> bool:
    """Whether this is the log group that EKS derives from the cluster's name."""
    return resource.kind is Kind.LOG_GROUP and resource.id == f"/aws/eks/{target.cluster_name}/cluster"


def is_control_plane_interface(resource: Resource, target: Target) -> bool:
    """Whether this is one of the interfaces by which the lab's control plane stands in the lab's own VPC."""
    named = resource.attributes.get("description") == f"Amazon EKS {target.cluster_name}"
    used = resource.attributes.get("status") == "in-use"
    return resource.kind is Kind.NETWORK_INTERFACE and named and used and in_own_vpc(resource, target)


def _cni_interface(resource: Resource, target: Target) -> str | None:
    """An interface the CNI left behind says its node, not its cluster: proof only where every node is ours."""
    left_behind = resource.attributes.get("status") == "available" and in_own_vpc(resource, target)
    key = next((key for key in CNI_KEYS if key in resource.tags), None)
    return f"tag {key} in the lab's own VPC" if left_behind and key is not None else None


def _security_group(resource: Resource, target: Target) -> str | None:
    if resource.id == target.cluster_security_group_id:
        return "made by EKS for this cluster"
    guard = f"GuardDutyManagedSecurityGroup-{target.vpc_id}"
    own = in_own_vpc(resource, target) and resource.attributes.get("group-name") == guard
    return "made by GuardDuty for the lab's own VPC" if own else None


def _vpc_endpoint(resource: Resource, target: Target) -> str | None:
    guard = resource.attributes.get("service-name", "").endswith(".guardduty-data")
    return "made by GuardDuty for the lab's own VPC" if guard and in_own_vpc(resource, target) else None


def _log_group(resource: Resource, target: Target) -> str | None:
    """EKS names it after the cluster, without a tag: ours if we had the cluster, while nobody else has the name."""
    if (
        not is_cluster_log_group(resource, target)
        or not target.had_cluster
        or target.name_taken_over
        or resource.created_at is None
    ):
        return None
    gone_at = target.cluster_gone_at
    in_time = gone_at is None or resource.created_at <= gone_at + LATE_DELIVERY
    return "named by EKS after the lab's cluster" if in_time else None


def _oidc_provider(resource: Resource, target: Target) -> str | None:
    issuer = (target.oidc_issuer or "").removeprefix("https://")
    same = issuer != "" and resource.attributes.get("issuer", "").removeprefix("https://") == issuer
    return "the cluster's own OIDC issuer" if same else None


def _instance_profile(resource: Resource, target: Target) -> str | None:
    """A profile holds one role; it blocks that role's deletion, and without it is empty."""
    role = resource.attributes.get("role-name", "")
    return f"holds the lab's role {role}" if role != "" and role in target.role_names else None


def _dns_record(resource: Resource, target: Target) -> str | None:
    """Only the TXT owner id that we assigned to external-dns proves a record; it is unique to the lab."""
    owned = resource.attributes.get("txt-owner") == target.txt_owner_id
    return f"TXT owner {target.txt_owner_id}" if owned else None


_BY_KIND: Mapping[Kind, _Proof] = {
    Kind.NETWORK_INTERFACE: _cni_interface,
    Kind.SECURITY_GROUP: _security_group,
    Kind.VPC_ENDPOINT: _vpc_endpoint,
    Kind.LOG_GROUP: _log_group,
    Kind.OIDC_PROVIDER: _oidc_provider,
    Kind.INSTANCE_PROFILE: _instance_profile,
    Kind.DNS_RECORD: _dns_record,
}
