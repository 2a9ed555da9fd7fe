"""Which clusters a thing's tags speak for: what Kubernetes' controllers and EKS write on what they make.

A tag proves something only where its whole value, or the whole rest of its key, is a cluster's name: `myeks` is not
`myeks2`. `ebs.csi.aws.com/cluster` holds the literal `true` and speaks for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
