"""The nodes of one cluster: managed groups, instances outside them, Fargate profiles; each with its version.

EC2 has no Kubernetes version. For an instance outside managed groups, the name of its image gives it, if
it is one of AWS's; else it is None. Instances that AWS operates (Auto Mode) count as managed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.aws.eks.calls import EksCalls
from chalicelib.aws.eks.watched.instances import InstanceReading
from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.errors.tree import AccessDenied, ResourceGone
from chalicelib.domain.support.fleet import NodeKind, Nodes

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
        names = self.listed("ListNodegroups", "nodegroups", clusterName=self._cluster)
        found = (self._nodegroup(name) for name in names)
        return [nodes for nodes in found if nodes is not None]

    def _nodegroup(self, name: str) -> Nodes | None:
        try:
            group = call(self._eks, "eks:DescribeNodegroup", clusterName=self._cluster, nodegroupName=name)["nodegroup"]
        except ResourceGone:
            return None
        wanted = (group.get("scalingConfig") or {}).get("desiredSize", 0)
        return Nodes(name, NodeKind.MANAGED, group.get("version"), int(wanted))

    def _fargate(self) -> list[Nodes]:
        names = self.listed("ListFargateProfiles", "fargateProfileNames", clusterName=self._cluster)
        return [Nodes(name, NodeKind.FARGATE, None, 0) for name in names]

    def _instances(self) -> list[Nodes]:
        found = self._found.of(self._cluster)
        own = [instance for instance in found if "eks:nodegroup-name" not in _tags(instance)]
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


def _tags(instance: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}


def _group(instance: Mapping[str, Any]) -> str:
    tags = _tags(instance)
    return next((tags[key] for key in _GROUP_TAGS if tags.get(key)), str(instance["InstanceId"]))


def _kind(instance: Mapping[str, Any]) -> NodeKind:
    return NodeKind.MANAGED if (instance.get("Operator") or {}).get("Managed") else NodeKind.SELF_MANAGED
