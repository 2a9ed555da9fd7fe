"""Direct looks at EKS' own kinds: the cluster and what is part of it. Part of the inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.inventory.describe import FoundResource
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone


class EksDescribeCalls:
    """Looks at one cluster. A part of a cluster that is gone, or is someone else's by now, is gone with it."""

    def __init__(self, eks: Any) -> None:
        self._eks = eks
        self._parts: Mapping[Kind, Callable[[str, str, str], Any]] = {
            Kind.NODEGROUP: lambda cluster, id, _: eks.describe_nodegroup(clusterName=cluster, nodegroupName=id),
            Kind.FARGATE_PROFILE: lambda cluster, id, _: eks.describe_fargate_profile(
                clusterName=cluster, fargateProfileName=id
            ),
            Kind.ADDON: lambda cluster, id, _: eks.describe_addon(clusterName=cluster, addonName=id),
            Kind.POD_IDENTITY: lambda cluster, _, arn: eks.describe_pod_identity_association(
                clusterName=cluster, associationId=arn.rpartition("/")[2]
            ),
            Kind.ACCESS_ENTRY: lambda cluster, id, _: eks.describe_access_entry(clusterName=cluster, principalArn=id),
        }

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
        operation = f"eks:Describe {resource.kind}"
        try:
            with translate(operation):
                answer = self._parts[resource.kind](cluster, resource.id, resource.arn)
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
