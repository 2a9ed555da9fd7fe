"""EKS's facts of one lab's cluster: its status, its tags, its node groups and its Fargate profiles.

A cluster of the lab's name without the lab's tag is somebody else's: it counts as missing.
"""

from __future__ import annotations

from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.aws.eks.calls import EksCalls
from chalicelib.aws.idleness.evidence import GroupSeen, Reading, noting
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.idleness.evidence import NodegroupUse, Source
from chalicelib.domain.teardown.evidence import LAB_TAG


class ClusterReading(EksCalls):
    """Reads one cluster after another; may be called by several threads."""

    def read(self, reading: Reading) -> None:
        """Fill in EKS's facts. Unreadable parts are recorded; a missing cluster is no failure."""
        noting(Source.CLUSTER, [reading], lambda: self._describe(reading))
        if reading.cluster is not None:
            noting(Source.CLUSTER, [reading], lambda: self._nodegroups(reading))
            noting(Source.CLUSTER, [reading], lambda: self._fargate(reading))

    def _describe(self, reading: Reading) -> None:
        try:
            cluster = self.describe(reading.lab.name)
        except ResourceGone:
            return
        if cluster.tags.get(LAB_TAG) == reading.lab.id:
            reading.cluster = cluster

    def _nodegroups(self, reading: Reading) -> None:
        for name in self.listed("ListNodegroups", "nodegroups", clusterName=reading.lab.name):
            try:
                group = call(self._eks, "eks:DescribeNodegroup", clusterName=reading.lab.name, nodegroupName=name)[
                    "nodegroup"
                ]
            except ResourceGone:
                continue
            reading.groups.append(_seen(name, group))

    def _fargate(self, reading: Reading) -> None:
        names = self.listed("ListFargateProfiles", "fargateProfileNames", clusterName=reading.lab.name)
        reading.fargate_profiles = len(names)


def _seen(name: str, group: dict[str, Any]) -> GroupSeen:
    use = NodegroupUse(
        name=name,
        status=group.get("status", ""),
        nodes=int((group.get("scalingConfig") or {}).get("desiredSize", 0)),
        instance_types=tuple(group.get("instanceTypes") or ()),
        ami_type=str(group.get("amiType") or ""),
    )
    scaling = (group.get("resources") or {}).get("autoScalingGroups") or []
    return GroupSeen(use, tuple(each["name"] for each in scaling), group.get("launchTemplate") or {})
