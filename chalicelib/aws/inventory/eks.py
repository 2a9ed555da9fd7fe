"""Inventory of EKS resources, read directly: the cluster and its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.inventory.describe import FoundResource
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone

#: kind -> (operation, boto3's name of it, the member of the request that names the one).
_PARTS: Mapping[Kind, tuple[str, str, str]] = {
    Kind.NODEGROUP: ("eks:DescribeNodegroup", "describe_nodegroup", "nodegroupName"),
    Kind.FARGATE_PROFILE: ("eks:DescribeFargateProfile", "describe_fargate_profile", "fargateProfileName"),
    Kind.ADDON: ("eks:DescribeAddon", "describe_addon", "addonName"),
    Kind.POD_IDENTITY: (
        "eks:DescribePodIdentityAssociation",
        "describe_pod_identity_association",
        "associationId",
    ),
    Kind.ACCESS_ENTRY: ("eks:DescribeAccessEntry", "describe_access_entry", "principalArn"),
}


class EksDescribeCalls:
    """Looks at one cluster. A part of a cluster that is gone, or is someone else's by now, is gone with it."""

    def __init__(self, eks: Any) -> None:
        self._eks = eks

    def cluster(self, name: str) -> FoundResource | None:
        """The cluster of this name, whoever's it is."""
        try:
            with translate("eks:DescribeCluster"):
                row = self._eks.describe_cluster(name=name)["cluster"]
        except ResourceGone:
            return None
        return FoundResource(row.get("tags", {}), {"status": row["status"]}, row.get("createdAt"))

    def fargate_profiles(self, target: Target) -> Iterator[Resource]:
        """Every Fargate profile that the cluster lists."""
        name = target.cluster_name
        with translate("eks:ListFargateProfiles"):
            pages = list(self._eks.get_paginator("list_fargate_profiles").paginate(clusterName=name))
        for profile in (profile for page in pages for profile in page["fargateProfileNames"]):
            with translate("eks:DescribeFargateProfile"):
                answer = self._eks.describe_fargate_profile(clusterName=name, fargateProfileName=profile)
            row = answer["fargateProfile"]
            facts = {"cluster-name": name}
            arn, tags = row["fargateProfileArn"], row.get("tags", {})
            yield Resource(Kind.FARGATE_PROFILE, profile, arn, tags, facts, row.get("createdAt"))

    def part(self, cluster: str, resource: Resource) -> FoundResource | None:
        """A node group, Fargate profile, add-on, association or access entry, as the ledger knows it."""
        operation, method, member = _PARTS[resource.kind]
        id = resource.arn.rpartition("/")[2] if resource.kind is Kind.POD_IDENTITY else resource.id
        try:
            with translate(operation):
                answer = getattr(self._eks, method)(clusterName=cluster, **{member: id})
        except ResourceGone:
            return None
        row = next(value for key, value in answer.items() if key != "ResponseMetadata")
        return FoundResource(row.get("tags", {}), {"cluster-name": cluster}, row.get("createdAt"))

    def nodegroups(self, target: Target) -> Iterator[Resource]:
        """Every node group that the cluster lists."""
        name = target.cluster_name
        with translate("eks:ListNodegroups"):
            pages = list(self._eks.get_paginator("list_nodegroups").paginate(clusterName=name))
        for group in (group for page in pages for group in page["nodegroups"]):
            with translate("eks:DescribeNodegroup"):
                row = self._eks.describe_nodegroup(clusterName=name, nodegroupName=group)["nodegroup"]
            yield Resource(
                Kind.NODEGROUP,
                group,
                row["nodegroupArn"],
                row.get("tags", {}),
                {"cluster-name": name},
                row["createdAt"],
            )
