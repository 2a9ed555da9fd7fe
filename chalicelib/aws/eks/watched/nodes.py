"""The nodes of one cluster: managed groups, instances outside them, Fargate profiles; each with its version.

EC2 has no Kubernetes version. For an instance outside managed groups, the name of its image gives it, if
it is one of AWS's; else it is None. Instances that AWS operates (Auto Mode) count as managed. EC2 limits calls per account
and region: the instances of many clusters are read together. One belongs to a cluster by the tag `kubernetes.io/cluster/NAME`,
which its launcher wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any

from chalicelib.aws.clients.calls import call, instances_of, tags_of
from chalicelib.aws.eks.calls import EksCalls
from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.errors.tree import AccessDenied, EkslabError
from chalicelib.domain.support.fleet import NodeKind, Nodes

_ALIVE = {"Name": "instance-state-name", "Values": ["pending", "running"]}
#: EC2's most values of one filter.
_MOST = 200
Instances = list[dict[str, Any]]


class InstanceReading:
    """May be used by several threads. If the common read fails, each cluster is read by itself; a denial applies to all."""

    def __init__(self, ec2: Any) -> None:
        self._ec2, self._lock = ec2, Lock()
        self._names: tuple[str, ...] = ()
        self._found: dict[str, Instances] | EkslabError | None = None

    def expect(self, names: Iterable[str]) -> None:
        """Announce the next clusters."""
        self._names, self._found = tuple(names), None

    def of(self, cluster: str) -> Instances:
        """The cluster's running or pending instances. Raises EC2's errors."""
        if cluster not in self._names:
            return self._alone(cluster)
        with self._lock:
            if self._found is None:
                self._found = self._all()
            found = self._found
        if isinstance(found, AccessDenied):
            raise found
        if isinstance(found, EkslabError):
            return self._alone(cluster)
        return found.get(cluster, [])

    def _all(self) -> dict[str, Instances] | EkslabError:
        keys = {_tag(name): name for name in self._names}
        found: dict[str, Instances] = {}
        try:
            for start in range(0, len(keys), _MOST):
                wanted = {"Name": "tag-key", "Values": list(keys)[start : start + _MOST]}
                for instance in instances_of(self._ec2, [wanted, _ALIVE]):
                    for tag in instance.get("Tags", []):
                        if tag["Key"] in keys and tag["Value"] == "owned":
                            found.setdefault(keys[tag["Key"]], []).append(instance)
        except EkslabError as error:
            return error
        return found

    def _alone(self, cluster: str) -> Instances:
        return instances_of(self._ec2, [{"Name": _tag(cluster, "tag:"), "Values": ["owned"]}, _ALIVE])


def _tag(cluster: str, prefix: str = "") -> str:
    return f"{prefix}kubernetes.io/cluster/{cluster}"


#: `amazon-eks-node-1.30-v2024…`, `amazon-eks-node-al2023-x86_64-standard-1.31-v2025…`, `bottlerocket-aws-k8s-1.29-x86_64-…`,
#: `ubuntu-eks/k8s_1.30/…`, `Windows_Server-2022-English-Core-EKS_Optimized-1.31-…`
_IMAGE_VERSION = pattern(r"(?:eks|k8s)\S*?[-_](1\.\d+)(?=[-_/.]|$)", re.IGNORECASE)
#: Tags that name an instance's group, most specific first.
_GROUP_TAGS = ("karpenter.sh/nodepool", "alpha.eksctl.io/nodegroup-name", "aws:autoscaling:groupName", "Name")


class NodeReading(EksCalls):
    """One look at one cluster's nodes."""

    def __init__(self, eks: Any, ec2: Any, instances: InstanceReading, cluster: str) -> None:
        super().__init__(eks)
        self._ec2, self._found, self._cluster = ec2, instances, cluster

    def run(self) -> tuple[tuple[Nodes, ...], tuple[str, ...]]:
        """All readable nodes, and the denied ones. Raises Transient, and ResourceGone with the cluster."""
        nodes: list[Nodes] = []
        denied: list[str] = []
        looks: tuple[Callable[[], Iterable[Nodes]], ...] = (self._managed, self._instances, self._fargate)
        for look in looks:
            try:
                nodes += look()
            except AccessDenied as refusal:
                denied.append(str(refusal))
        return tuple(nodes), tuple(denied)

    def _managed(self) -> list[Nodes]:
        return [
            Nodes(
                name,
                NodeKind.MANAGED,
                group.get("version"),
                int((group.get("scalingConfig") or {}).get("desiredSize", 0)),
            )
            for name, group in self.described_nodegroups(self._cluster)
        ]

    def _fargate(self) -> list[Nodes]:
        names = self.listed("ListFargateProfiles", "fargateProfileNames", clusterName=self._cluster)
        return [Nodes(name, NodeKind.FARGATE, None, 0) for name in names]

    def _instances(self) -> list[Nodes]:
        found = self._found.of(self._cluster)
        own = [instance for instance in found if "eks:nodegroup-name" not in tags_of(instance)]
        versions = self._image_versions({instance.get("ImageId", "") for instance in own} - {""})
        groups = Counter((_group(one), _kind(one), versions.get(one.get("ImageId", ""))) for one in own)
        return [Nodes(*which, count) for which, count in sorted(groups.items(), key=lambda row: str(row[0]))]

    def _image_versions(self, ids: set[str]) -> dict[str, str]:
        """By image id; a deleted or invisible image gives none."""
        if not ids:
            return {}
        wanted = [{"Name": "image-id", "Values": sorted(ids)}]
        images = call(self._ec2, "ec2:DescribeImages", Filters=wanted, IncludeDeprecated=True)["Images"]
        message = {image["ImageId"]: _IMAGE_VERSION.search(image.get("Name", "")) for image in images}
        return {id: match[1] for id, match in message.items() if match}


def _group(instance: Mapping[str, Any]) -> str:
    tags = tags_of(instance)
    return next((tags[key] for key in _GROUP_TAGS if tags.get(key)), str(instance["InstanceId"]))


def _kind(instance: Mapping[str, Any]) -> NodeKind:
    return NodeKind.MANAGED if (instance.get("Operator") or {}).get("Managed") else NodeKind.SELF_MANAGED
