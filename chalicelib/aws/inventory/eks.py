"""Inventory of EKS resources, read directly: the cluster and its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.aws.inventory.describe import FoundResource
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone

#: kind -> (action, the request's member that names the part).
_PARTS: Mapping[Kind, tuple[str, str]] = {
    Kind.NODEGROUP: ("eks:DescribeNodegroup", "nodegroupName"),
    Kind.FARGATE_PROFILE: ("eks:DescribeFargateProfile", "fargateProfileName"),
    Kind.ADDON: ("eks:DescribeAddon", "addonName"),
    Kind.POD_IDENTITY: ("eks:DescribePodIdentityAssociation", "associationId"),
    Kind.ACCESS_ENTRY: ("eks:DescribeAccessEntry", "principalArn"),
}


class EksDescribeCalls:
    """Looks at one cluster. A part of a deleted cluster, or of one that is someone else's by now, counts as deleted."""

    def __init__(self, eks: Any) -> None:
        self._eks = eks

    def cluster(self, name: str) -> FoundResource | None:
        """The cluster of this name, the lab's or another."""
        try:
            row = call(self._eks, "eks:DescribeCluster", name=name)["cluster"]
        except ResourceGone:
            return None
        return FoundResource(row.get("tags", {}), {"status": row["status"]}, row.get("createdAt"))

    def fargate_profiles(self, target: Target) -> Iterator[Resource]:
        """Every Fargate profile that the cluster lists."""
        name = target.cluster_name
        for profile in every(self._eks, "eks:ListFargateProfiles", "fargateProfileNames", clusterName=name):
            answer = call(self._eks, "eks:DescribeFargateProfile", clusterName=name, fargateProfileName=profile)
            row = answer["fargateProfile"]
            facts, arn, tags = {"cluster-name": name}, row["fargateProfileArn"], row.get("tags", {})
            yield Resource(Kind.FARGATE_PROFILE, profile, arn, tags, facts, row.get("createdAt"))

    def part(self, cluster: str, resource: Resource) -> FoundResource | None:
        """A node group, Fargate profile, add-on, association or access entry, by its ledger entry."""
        action, member = _PARTS[resource.kind]
        id = resource.arn.rpartition("/")[2] if resource.kind is Kind.POD_IDENTITY else resource.id
        try:
            answer = call(self._eks, action, clusterName=cluster, **{member: id})
        except ResourceGone:
            return None
        row = next(value for key, value in answer.items() if key != "ResponseMetadata")
        return FoundResource(row.get("tags", {}), {"cluster-name": cluster}, row.get("createdAt"))

    def nodegroups(self, target: Target) -> Iterator[Resource]:
        """Every node group that the cluster lists."""
        name = target.cluster_name
        for group in every(self._eks, "eks:ListNodegroups", "nodegroups", clusterName=name):
            row = call(self._eks, "eks:DescribeNodegroup", clusterName=name, nodegroupName=group)["nodegroup"]
            facts, arn, tags = {"cluster-name": name}, row["nodegroupArn"], row.get("tags", {})
            yield Resource(Kind.NODEGROUP, group, arn, tags, facts, row["createdAt"])
