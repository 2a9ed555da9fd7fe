"""Grades the evidence for and against a resource belonging to the lab: proof, claim, veto (ADR 12).

Only AWS or this service can create a *proof*, and only a proof lets the teardown delete. Any user can write a *claim*: it decides
where to look and what the receipt mentions. A *veto* beats both. `ownership.py` draws the conclusion; nothing here calls AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.proof import Proof
from chalicelib.domain.core.resources import BY_STACK, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.teardown.external_dns import is_below

LAB_TAG = "ekslab:lab-id"
CLUSTER_PREFIX = "kubernetes.io/cluster/"
PVC_TAG = "kubernetes.io/created-for/pvc/name"
#: Written by CloudFormation only: no user may write a key with the prefix `aws:`.
STACK_TAG, STACK_ID_TAG = "aws:cloudformation:stack-name", "aws:cloudformation:stack-id"
#: The tag of the EBS CSI driver on all its volumes and snapshots; it names no cluster.
CSI_TAG = "ebs.csi.aws.com/cluster"
#: Tag keys whose value is the name of the cluster that created the resource.
OWNING_KEYS = (
    "elbv2.k8s.aws/cluster",
    "eks:cluster-name",
    "aws:eks:cluster-name",
    "eks:eks-cluster-name",
    "cluster.k8s.amazonaws.com/name",
    "karpenter.k8s.aws/cluster",
    "ebs.csi.aws.com/cluster-name",
)
#: Keys that only count against the lab: another cluster's name makes the resource another's, the lab's name proves nothing.
OTHERS_KEYS = ("alpha.eksctl.io/cluster-name", "KubernetesCluster", "cluster.x-k8s.io/cluster-name")
#: Prefixes whose rest is a cluster's name, beside Kubernetes' own.
OTHERS_PREFIXES = ("sigs.k8s.io/cluster-api-provider-aws/cluster/",)
#: Keys by which another tool marks a resource as its own, for any cluster.
TOOLS_KEYS = (
    "aws:backup:source-resource",
    "aws:dlm:lifecycle-policy-id",
    "dlm:managed",
    "velero.io/backup",
    "elasticbeanstalk:environment-id",
    "kops.k8s.io/instancegroup",
)
#: Tag keys of the VPC CNI on its interfaces; they name no cluster.
CNI_KEYS = ("node.k8s.amazonaws.com/createdAt", "eks:kubernetes-cni-node-name", "node.k8s.amazonaws.com/instance_id")

#: How long after the deletion of the lab's log group CloudWatch may still deliver its last lines and so recreate it.
LATE_DELIVERY = timedelta(hours=1)
#: The most that the creation time of a resource known by its name may differ from the one on the ledger.
_SAME = timedelta(minutes=2)
#: Kinds known by a reusable name: a ledger entry proves these only with the same creation time.
_NAMES_ARE_REUSED = frozenset(
    {Kind.CLASSIC_LOAD_BALANCER, Kind.INSTANCE_PROFILE, Kind.ROLE, Kind.LOG_GROUP, Kind.DNS_RECORD}
)
#: IAM is global, and a cluster's name is not: Karpenter writes the region on its resources there.
_GLOBAL = frozenset({Kind.INSTANCE_PROFILE, Kind.OIDC_PROVIDER, Kind.ROLE})
#: Kinds that EKS has only as parts of a cluster.
PARTS_OF_CLUSTER = frozenset({Kind.NODEGROUP, Kind.FARGATE_PROFILE, Kind.ADDON, Kind.ACCESS_ENTRY, Kind.POD_IDENTITY})
#: Kinds for which a claim inside the lab's own VPC is not enough: AWS itself returns an instance's owner.
_NEED_MORE = frozenset({Kind.INSTANCE, Kind.AUTO_SCALING_GROUP, Kind.CLUSTER})
_BACKEND_GROUP = pattern(r"k8s-traffic-(?P<cluster>.+)-[0-9a-f]{10}")
_INSIGHTS = ("application", "dataplane", "host", "performance")


class Grade(StrEnum):
    """The weight of a piece of evidence."""

    PROOF = "proof"
    CLAIM = "claim"
    VETO = "veto"


@dataclass(frozen=True)
class GradedEvidence:
    """One piece. `told`: a sentence for people: why the resource can't be the lab's, or the proof of it, or a hint to it."""

    grade: Grade
    told: str
    proof: Proof | None = None


@dataclass(frozen=True)
class Weighed:
    """The strongest piece of each grade."""

    veto: GradedEvidence | None
    proof: GradedEvidence | None
    claim: GradedEvidence | None


def weigh(resource: Resource, target: Target, entry: LedgerEntry | None) -> Weighed:
    """Weigh all evidence on a resource. `entry`: the lab's ledger entry of it."""
    return Weighed(
        next((GradedEvidence(Grade.VETO, words) for words in vetoes(resource, target)), None),
        next((GradedEvidence(Grade.PROOF, words, proof) for proof, words in proofs(resource, target, entry)), None),
        next((GradedEvidence(Grade.CLAIM, words) for words in claims(resource, target, entry)), None),
    )


def vetoes(resource: Resource, target: Target) -> Iterator[str]:
    """Each reason why the teardown may not delete the resource, even against a proof."""
    tags = resource.tags
    if is_shared(tags):
        yield Sentence("It is marked as shared.")
    if tags.get(LAB_TAG, target.lab_id) != target.lab_id:
        yield Sentence("It belongs to lab {name}.", name=tags[LAB_TAG])
    if others := other_claimants(target.cluster_name, tags):
        yield Sentence("It is claimed by cluster {names}.", names=", ".join(others))
    if tool := other_tool(tags, target):
        yield tool
    if was_before(resource, target):
        yield Sentence("It was there before the lab.")
    if users := sorted(set(resource.attributes.get("used-by", "").split()) - target.own_ids):
        yield Sentence("It is in use by {names}, which is not known as the lab's.", names=", ".join(users))


def proofs(resource: Resource, target: Target, entry: LedgerEntry | None) -> Iterator[tuple[Proof, str]]:
    """The proofs that the resource is the lab's, strongest first."""
    if entry is not None and (proof := entry.grounds) is not None and _is_same(resource, entry):
        yield proof, entry.how
    if target.stack_id and resource.tags.get(STACK_ID_TAG) == target.stack_id:
        yield Proof.STACK, BY_STACK
    if (kind := _BY_KIND.get(resource.kind)) is not None and (words := kind(resource, target)):
        yield Proof.AWS, words
    if entry is not None and (words := _late_log_group(resource, target, entry)):
        yield Proof.AWS, words
    if words := _in_subdomain(resource, target):
        yield Proof.SUBDOMAIN, words
    enough = resource.kind not in _NEED_MORE and in_own_vpc(resource, target)
    if enough and (claim := next(claims(resource, target, entry), None)):
        yield Proof.OWN_VPC, Sentence("{claim}, in the lab's own VPC", claim=claim)
    if words := _made_by_the_lab(resource, target, entry):
        yield Proof.CREATOR, words


def claims(resource: Resource, target: Target, entry: LedgerEntry | None) -> Iterator[str]:
    """The claims that the resource is the lab's. Anybody could have written them."""
    tags, name = resource.tags, target.cluster_name
    if tags.get(LAB_TAG) == target.lab_id:
        yield Sentence("tag {key}", key=LAB_TAG)
    if not _name_means_ours(resource, target):
        return
    if key := claim_of(name, tags):
        yield Sentence("tag {key}", key=key)
    if CLUSTER_PREFIX + name in tags:
        yield Sentence("tag {key}", key=f"{CLUSTER_PREFIX}{name}")
    if (words := _NAMED.get(resource.kind)) is not None and (told := words(resource, target)):
        yield told
    if CSI_TAG in tags and _mark_may_mean_ours(resource, target, entry):
        yield Sentence("tag {key}", key=CSI_TAG)


def owning_tags(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (cluster, tag key) for every tag that names an owning cluster."""
    for key, value in tags.items():
        if key in OWNING_KEYS and value:
            yield value, key
        elif key.startswith(CLUSTER_PREFIX) and value == "owned":
            yield key.removeprefix(CLUSTER_PREFIX), key


def claim_of(cluster: str, tags: Mapping[str, str]) -> str | None:
    """The tag by which this cluster owns the resource, or None."""
    return next((key for name, key in owning_tags(tags) if name == cluster), None)


def other_claimants(cluster: str, tags: Mapping[str, str]) -> tuple[str, ...]:
    """Other clusters in the tags, sorted. The value does not matter: people write `true` for `owned`."""
    names = {name for name, _ in owning_tags(tags)} | {tags[key] for key in OTHERS_KEYS if tags.get(key)}
    for prefix in (CLUSTER_PREFIX, *OTHERS_PREFIXES):
        names |= {key.removeprefix(prefix) for key in tags if key.startswith(prefix)}
    return tuple(sorted(names - {cluster}))


def other_tool(tags: Mapping[str, str], target: Target) -> str:
    """The other tool that owns the resource, in words; empty if there is none."""
    stack = tags.get(STACK_ID_TAG) or tags.get(STACK_TAG)
    if stack and stack not in (target.stack_id, target.stack_name):
        return Sentence("It was made by the stack {stack}.", stack=stack)
    key = next((key for key in TOOLS_KEYS if key in tags), "")
    return Sentence("Another tool holds it for its own: tag {key}.", key=key) if key else ""


def is_shared(tags: Mapping[str, str]) -> bool:
    """Whether any cluster's tag marks the resource as shared: no teardown may delete it."""
    return any(key.startswith(CLUSTER_PREFIX) and value == "shared" for key, value in tags.items())


def was_before(resource: Resource, target: Target) -> bool:
    """Whether the resource existed before the lab: by `begin`'s list, or by its creation time."""
    if target.before is not None and resource.arn in target.before:
        return True
    return resource.created_at is not None and resource.created_at < target.created_at.replace(microsecond=0)


def in_own_vpc(resource: Resource, target: Target) -> bool:
    """Whether the resource is in the VPC of the lab's own stack."""
    return target.vpc_is_ours and target.vpc_id is not None and resource.attributes.get("vpc-id") == target.vpc_id


def is_control_plane_interface(resource: Resource, target: Target) -> bool:
    """Whether this is a network interface of the lab's control plane in the lab's own VPC."""
    named = resource.attributes.get("description") == f"Amazon EKS {target.cluster_name}"
    used = resource.attributes.get("status") == "in-use"
    return resource.kind is Kind.NETWORK_INTERFACE and named and used and in_own_vpc(resource, target)


def log_group_name(cluster: str) -> str:
    """The name of the control plane's log group."""
    return f"/aws/eks/{cluster}/cluster"


def insights_groups(cluster: str) -> tuple[str, ...]:
    """The names of the log groups of Container Insights."""
    return tuple(f"/aws/containerinsights/{cluster}/{part}" for part in _INSIGHTS)


def _is_same(resource: Resource, entry: LedgerEntry) -> bool:
    """Whether the resource is the one on the ledger, and not another one of that name."""
    if resource.kind is Kind.CLUSTER:
        return False
    if resource.kind not in _NAMES_ARE_REUSED:
        return True
    born, entered = resource.created_at, entry.resource.created_at
    return born is not None and entered is not None and abs(born - entered) <= _SAME


def _name_means_ours(resource: Resource, target: Target) -> bool:
    """Whether the cluster's name can mean the lab's: not before its creation, after its deletion, or in another region."""
    if in_own_vpc(resource, target):
        return True
    if resource.kind in _GLOBAL and resource.tags.get("topology.kubernetes.io/region", target.region) != target.region:
        return False
    born, gone_at = resource.created_at, target.cluster_gone_at
    after = LATE_DELIVERY if resource.kind is Kind.LOG_GROUP else timedelta(0)
    return target.had_cluster and (gone_at is None or born is None or born <= gone_at + after)


def _mark_may_mean_ours(resource: Resource, target: Target, entry: LedgerEntry | None) -> bool:
    """Whether the resource was created in the lab's life, and neither CloudTrail nor a tag names another owner."""
    born, gone = resource.created_at, target.cluster_gone_at
    if born is None or born < target.created_at or (gone and born > gone) or was_before(resource, target):
        return False
    tags, known = resource.tags, entry is not None and entry.creator is not None
    others = other_claimants(target.cluster_name, tags) or tags.get(LAB_TAG, target.lab_id) != target.lab_id
    return target.had_cluster and resource.kind in (Kind.VOLUME, Kind.SNAPSHOT) and not known and not others


def _made_by_the_lab(resource: Resource, target: Target, entry: LedgerEntry | None) -> str:
    """Whether CloudTrail names a role of the lab's stack, or a session of the lab's cluster, as creator."""
    creator = entry.creator if entry is not None else None
    if entry is None or creator is None or creator.linked or creator.at < target.created_at.replace(microsecond=0):
        return ""
    unborn = resource.created_at is None and target.before is None
    if unborn or (resource.kind in _NAMES_ARE_REUSED and not _is_same(resource, entry)):
        return ""
    issuer = (target.oidc_issuer or "").removeprefix("https://")
    ours = creator.role_id in target.role_ids or (issuer != "" and creator.issuer == issuer)
    return Sentence("made by {principal}, as CloudTrail says", principal=creator.principal) if ours else ""


def _in_subdomain(resource: Resource, target: Target) -> str:
    """Whether it is a record below a subdomain that was empty when the lab began and is its alone; never the apex."""
    if resource.kind is not Kind.DNS_RECORD or not target.subdomain:
        return ""
    zone, _, rest = resource.id.partition("|")
    below = zone == target.hosted_zone_id and is_below(rest.partition("|")[0], target.subdomain)
    return Sentence("in the lab's own subdomain {subdomain}", subdomain=target.subdomain) if below else ""


def _cluster(resource: Resource, target: Target) -> str:
    born = target.cluster_created_at
    same = resource.arn == target.own_cluster_arn and (born is None or resource.created_at == born)
    return Sentence("the answer of the lab's own CreateCluster") if same else ""


def _part_of_cluster(resource: Resource, target: Target) -> str:
    inside = resource.arn.partition("/")[2].partition("/")[0] == target.cluster_name
    return Sentence("in the lab's own cluster") if target.own_cluster_arn is not None and inside else ""


def _security_group(resource: Resource, target: Target) -> str:
    return Sentence("made by EKS for this cluster") if resource.id == target.cluster_security_group_id else ""


def _instance(resource: Resource, target: Target) -> str:
    if resource.id in target.member_ids:
        return Sentence("in an Auto Scaling group of the lab's node group")
    profile = resource.attributes.get("profile-id", "")
    runs = Sentence("runs with the lab's instance profile {profile}", profile=profile)
    return runs if profile and profile in target.profile_ids else ""


def _auto_scaling_group(resource: Resource, target: Target) -> str:
    return Sentence("the lab's node group names it") if resource.arn in target.group_arns else ""


def _launch_template(resource: Resource, target: Target) -> str:
    """EC2 returns the creator's session; its role's name proves something only while the stack's own role has it."""
    by = re.fullmatch(r"arn:[^:]+:sts::[0-9]+:assumed-role/([^/]+)/.+", resource.attributes.get("created-by", ""))
    return Sentence("made by the lab's role {role}", role=by[1]) if by and by[1] in target.true_role_names else ""


def _network_interface(resource: Resource, target: Target) -> str:
    role_id = resource.attributes.get("requester-id", "").partition(":")[0]
    return Sentence("made by the lab's role {role}", role=role_id) if role_id and role_id in target.role_ids else ""


def _oidc_provider(resource: Resource, target: Target) -> str:
    issuer = (target.oidc_issuer or "").removeprefix("https://")
    same = issuer != "" and resource.attributes.get("issuer", "").removeprefix("https://") == issuer
    return Sentence("the cluster's own OIDC issuer") if same else ""


def _instance_profile(resource: Resource, target: Target) -> str:
    """A profile holds one role, blocks that role's deletion, and is empty without it."""
    role_id = resource.attributes.get("role-id", "")
    return Sentence("holds the lab's role {role}", role=role_id) if role_id and role_id in target.role_ids else ""


def _late_log_group(resource: Resource, target: Target, entry: LedgerEntry) -> str:
    """A bare log group within an hour after the lab's was deleted, while no cluster has the name, holds late log lines.

    The lab's own group is the stack's, or one of late lines that was deleted before: they may arrive more than once.
    """
    born, gone_at = resource.created_at, target.cluster_gone_at
    if resource.id != log_group_name(target.cluster_name) or born is None or gone_at is None:
        return ""
    again = entry.how == BY_STACK and entry.proof is Proof.AWS
    if not entry.was_deleted or not (again or entry.grounds is Proof.STACK):
        return ""
    bare = not resource.tags and "retention" not in resource.attributes
    in_time = gone_at - LATE_DELIVERY <= born <= max(entry.changed_at, gone_at) + LATE_DELIVERY
    late = bare and in_time and not target.name_taken_over
    return Sentence("late lines of the lab's control plane") if late else ""


_BY_KIND: Mapping[Kind, Callable[[Resource, Target], str]] = {
    Kind.CLUSTER: _cluster,
    Kind.SECURITY_GROUP: _security_group,
    Kind.INSTANCE: _instance,
    Kind.AUTO_SCALING_GROUP: _auto_scaling_group,
    Kind.LAUNCH_TEMPLATE: _launch_template,
    Kind.NETWORK_INTERFACE: _network_interface,
    Kind.OIDC_PROVIDER: _oidc_provider,
    Kind.INSTANCE_PROFILE: _instance_profile,
    **dict.fromkeys(PARTS_OF_CLUSTER, _part_of_cluster),
}


def _named_interface(resource: Resource, target: Target) -> str:
    """A leftover interface of the CNI names its node, not its cluster: a claim where every node is the lab's."""
    left_behind = resource.attributes.get("status") == "available" and in_own_vpc(resource, target)
    key = next((key for key in CNI_KEYS if key in resource.tags), None)
    return Sentence("tag {key}", key=key) if left_behind and key is not None else ""


def _named_group(resource: Resource, target: Target) -> str:
    name = resource.attributes.get("group-name", "")
    guard = in_own_vpc(resource, target) and name == f"GuardDutyManagedSecurityGroup-{target.vpc_id}"
    backend = _BACKEND_GROUP.fullmatch(name)
    ours = guard or (backend and backend["cluster"] == target.cluster_name)
    return Sentence("name {name}", name=name) if ours else ""


def _named_endpoint(resource: Resource, target: Target) -> str:
    name = resource.attributes.get("service-name", "")
    ours = name.endswith(".guardduty-data") and in_own_vpc(resource, target)
    return Sentence("name {name}", name=name) if ours else ""


def _named_log_group(resource: Resource, target: Target) -> str:
    names = (log_group_name(target.cluster_name), *insights_groups(target.cluster_name))
    return Sentence("name {name}", name=resource.id) if target.had_cluster and resource.id in names else ""


def _named_profile(resource: Resource, target: Target) -> str:
    role = resource.attributes.get("role-name", "")
    return Sentence("holds a role named {role}", role=role) if role != "" and role in target.role_names else ""


def _named_record(resource: Resource, target: Target) -> str:
    owner = target.txt_owner_id
    return Sentence("TXT owner {owner}", owner=owner) if resource.attributes.get("txt-owner") == owner else ""


_NAMED: Mapping[Kind, Callable[[Resource, Target], str]] = {
    Kind.NETWORK_INTERFACE: _named_interface,
    Kind.SECURITY_GROUP: _named_group,
    Kind.VPC_ENDPOINT: _named_endpoint,
    Kind.LOG_GROUP: _named_log_group,
    Kind.INSTANCE_PROFILE: _named_profile,
    Kind.DNS_RECORD: _named_record,
}
