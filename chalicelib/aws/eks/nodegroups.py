"""Node groups and Fargate profiles: a part of the Clusters adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.aws.clients.calls import call, create
from chalicelib.aws.eks.calls import EksCalls, check_ours, issues_of, token_for
from chalicelib.domain.errors.tree import AlreadyExists
from chalicelib.domain.labs.aws_states import NodegroupState, UpdateState
from chalicelib.domain.labs.lab import Lab, NodegroupSize
from chalicelib.domain.labs.spec import NodegroupSpec


class NodegroupCalls(EksCalls):
    """The calls about nodes."""

    def create_nodegroup(
        self, lab: Lab, spec: NodegroupSpec, role_arn: str, subnets: Sequence[str], template: tuple[str, str]
    ) -> None:
        """Request a managed node group of the cluster's version. An existing one with the lab's tag counts."""
        request = _creation(lab, spec, role_arn, subnets, template)
        try:
            create(self._eks, "eks:CreateNodegroup", **request)
        except AlreadyExists:
            check_ours(lab, "eks:CreateNodegroup", spec.name, self.described_nodegroup(lab.name, spec.name))

    def nodegroup(self, cluster: str, name: str) -> NodegroupState:
        """The node group's state. Raises ResourceGone."""
        return _state(self.described_nodegroup(cluster, name))

    def nodegroups(self, cluster: str) -> tuple[str, ...]:
        """Names of all. Raises ResourceGone if the cluster is gone."""
        return self.listed("ListNodegroups", "nodegroups", clusterName=cluster)

    def scale_nodegroup(self, cluster: str, name: str, desired: int, token: str) -> str | None:
        known = self.described_nodegroup(cluster, name)["scalingConfig"]
        if known["desiredSize"] == desired:
            return None
        least, most = min(known["minSize"], desired), max(known["maxSize"], desired, 1)
        return self._resized(cluster, NodegroupSize(name, least, desired, most), token)

    def resize_nodegroup(self, cluster: str, size: NodegroupSize, token: str) -> str | None:
        """Request exactly this size; return the update's id, or None if it has that size. Raises ResourceGone, StillInUse."""
        if _state(self.described_nodegroup(cluster, size.name)).size == size:
            return None
        return self._resized(cluster, size, token)

    def _resized(self, cluster: str, size: NodegroupSize, token: str) -> str:
        wanted = {"minSize": size.min, "desiredSize": size.desired, "maxSize": size.max}
        asked = call(
            self._eks,
            "eks:UpdateNodegroupConfig",
            clusterName=cluster,
            nodegroupName=size.name,
            scalingConfig=wanted,
            clientRequestToken=token,
        )
        return str(asked["update"]["id"])

    def nodegroup_update_state(self, cluster: str, name: str, update_id: str) -> UpdateState:
        """The state of that update of the node group. Raises ResourceGone."""
        return self.update(name=cluster, nodegroupName=name, updateId=update_id)

    def delete_nodegroup(self, cluster: str, name: str) -> None:
        """Request its deletion. Raises ResourceGone, StillInUse."""
        call(self._eks, "eks:DeleteNodegroup", clusterName=cluster, nodegroupName=name)

    def fargate_profiles(self, cluster: str) -> tuple[str, ...]:
        """Names of all. Raises ResourceGone if the cluster is gone."""
        return self.listed("ListFargateProfiles", "fargateProfileNames", clusterName=cluster)

    def delete_fargate_profile(self, cluster: str, name: str) -> None:
        """Request its deletion. Raises StillInUse while another one is being deleted, ResourceGone."""
        call(self._eks, "eks:DeleteFargateProfile", clusterName=cluster, fargateProfileName=name)


def _creation(
    lab: Lab, spec: NodegroupSpec, role_arn: str, subnets: Sequence[str], template: tuple[str, str]
) -> dict[str, Any]:
    """CreateNodegroup's request. The launch template sets disk, groups and key; the version is the cluster's."""
    template_id, template_version = template
    return {
        "clusterName": lab.name,
        "nodegroupName": spec.name,
        "scalingConfig": {"minSize": spec.min, "maxSize": spec.max, "desiredSize": spec.desired},
        "subnets": list(subnets),
        "instanceTypes": list(spec.instance_types),
        "amiType": spec.ami_type,
        "capacityType": str(spec.capacity_type),
        "nodeRole": role_arn,
        "labels": dict(spec.labels),
        "taints": [{"key": t.key, "value": t.value, "effect": t.effect} for t in spec.taints],
        "tags": lab.tags_with(spec.tags),
        "launchTemplate": {"id": template_id, "version": template_version},
        "clientRequestToken": token_for(lab, "nodegroup", spec.name),
    }


def _state(nodegroup: Mapping[str, Any]) -> NodegroupState:
    groups = nodegroup.get("resources", {}).get("autoScalingGroups", [])
    sizes = nodegroup["scalingConfig"]
    return NodegroupState(
        name=nodegroup["nodegroupName"],
        arn=nodegroup["nodegroupArn"],
        status=nodegroup["status"],
        desired=sizes["desiredSize"],
        asg_names=tuple(group["name"] for group in groups),
        issues=issues_of(nodegroup),
        role_arn=nodegroup.get("nodeRole"),
        version=nodegroup.get("version"),
        subnet_ids=tuple(nodegroup.get("subnets", [])),
        instance_types=tuple(nodegroup.get("instanceTypes", [])),
        min=sizes["minSize"],
        max=sizes["maxSize"],
    )
