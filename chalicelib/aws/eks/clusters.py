"""EKS, one region: the port `Clusters`. The control plane, node groups and access are here; add-ons in `addons.py`.

Every request carries a client token derived from the lab's id, so that a repeated request is the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from chalicelib.aws.clients.calls import call, create
from chalicelib.aws.clients.errors import translate
from chalicelib.aws.eks.addons import AddonCalls
from chalicelib.aws.eks.calls import check_ours, issues_of, state_of, token_for
from chalicelib.aws.eks.versions import live_or_bundled
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AccessDenied, AlreadyExists, ResourceGone
from chalicelib.domain.labs.aws_states import AccessEntryState, ClusterState, NodegroupState, UpdateState
from chalicelib.domain.labs.lab import Lab, NodegroupSize
from chalicelib.domain.labs.spec import AccessPolicySpec, AccessSpec, EndpointAccess, EndpointSpec, NodegroupSpec
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.teardown.evidence import LAB_TAG


class EksClusters(AddonCalls):
    """`now`: the date of a calendar read from EKS."""

    def __init__(self, eks: Any, now: Callable[[], datetime]) -> None:
        super().__init__(eks)
        self._now = now

    def versions(self) -> Calendar:
        """The support calendar, with its source."""
        return live_or_bundled(self._eks, self._now)

    def create(
        self, lab: Lab, role_arn: str, subnet_ids: Sequence[str], security_group_ids: Sequence[str]
    ) -> ClusterState:
        request = _cluster_request(lab, role_arn, subnet_ids, security_group_ids)
        try:
            return state_of(create(self._eks, "eks:CreateCluster", **request)["cluster"])
        except AlreadyExists:
            known = self.describe(lab.name)
            if known.role_arn != role_arn:
                told = Sentence("{name} exists and was not made for lab {id}.", name=lab.name, id=lab.id)
                raise AlreadyExists("eks:CreateCluster", "ResourceInUseException", told) from None
            check_ours(lab, "eks:CreateCluster", lab.name, {"tags": known.tags, "createdAt": known.created_at})
            return known

    def update_endpoint(self, name: str, endpoint: EndpointSpec, token: str) -> str | None:
        wanted = _endpoint(endpoint)
        if _has(self.describe(name), wanted):
            return None
        try:
            asked = call(
                self._eks, "eks:UpdateClusterConfig", name=name, resourcesVpcConfig=wanted, clientRequestToken=token
            )
        except AlreadyExists:
            return None
        return str(asked["update"]["id"])

    def update_state(self, name: str, update_id: str) -> UpdateState:
        return self.update(name=name, updateId=update_id)

    def allow_deletion(self, name: str, token: str) -> None:
        """Switch deletion protection off if it is on. Raises ResourceGone, StillInUse while an update runs."""
        if not self.describe(name).deletion_protection:
            return
        with suppress(AlreadyExists), translate("eks:UpdateClusterConfig"):
            self._eks.update_cluster_config(name=name, deletionProtection=False, clientRequestToken=token)

    def delete(self, name: str) -> None:
        call(self._eks, "eks:DeleteCluster", name=name)

    def create_nodegroup(
        self, lab: Lab, spec: NodegroupSpec, role_arn: str, subnets: Sequence[str], template: tuple[str, str]
    ) -> None:
        """Request a managed node group of the cluster's version. An existing one with the lab's tag counts."""
        request = _nodegroup_request(lab, spec, role_arn, subnets, template)
        try:
            create(self._eks, "eks:CreateNodegroup", **request)
        except AlreadyExists:
            check_ours(lab, "eks:CreateNodegroup", spec.name, self.described_nodegroup(lab.name, spec.name))

    def nodegroup(self, cluster: str, name: str) -> NodegroupState:
        """The node group's state. Raises ResourceGone."""
        return _nodegroup_state(self.described_nodegroup(cluster, name))

    def nodegroups(self, cluster: str) -> tuple[str, ...]:
        return self.listed("ListNodegroups", "nodegroups", clusterName=cluster)

    def scale_nodegroup(self, cluster: str, name: str, desired: int, token: str) -> str | None:
        known = self.described_nodegroup(cluster, name)["scalingConfig"]
        if known["desiredSize"] == desired:
            return None
        least, most = min(known["minSize"], desired), max(known["maxSize"], desired, 1)
        return self._resized(cluster, NodegroupSize(name, least, desired, most), token)

    def resize_nodegroup(self, cluster: str, size: NodegroupSize, token: str) -> str | None:
        """Request exactly this size; return the update's id, or None if it has that size. Raises ResourceGone, StillInUse."""
        if _nodegroup_state(self.described_nodegroup(cluster, size.name)).size == size:
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
        return self.update(name=cluster, nodegroupName=name, updateId=update_id)

    def delete_nodegroup(self, cluster: str, name: str) -> None:
        """Request its deletion. Raises ResourceGone, StillInUse."""
        call(self._eks, "eks:DeleteNodegroup", clusterName=cluster, nodegroupName=name)

    def fargate_profiles(self, cluster: str) -> tuple[str, ...]:
        return self.listed("ListFargateProfiles", "fargateProfileNames", clusterName=cluster)

    def delete_fargate_profile(self, cluster: str, name: str) -> None:
        call(self._eks, "eks:DeleteFargateProfile", clusterName=cluster, fargateProfileName=name)

    def grant_access(self, lab: Lab, access: AccessSpec) -> str:
        """Create the access entry with its policies; return its ARN. An existing entry of this principal is completed:
        the cluster is the lab's, so is every entry in it, also one that EKS created itself. It gets the lab's tags first:
        IAM permits no change or deletion of an entry without them."""
        try:
            entry = create(self._eks, "eks:CreateAccessEntry", **_entry_request(lab, access))["accessEntry"]
        except AlreadyExists:
            entry = self._taken_over(lab, access.principal_arn)
        for policy in access.policies:
            self._associate(lab.name, access.principal_arn, policy)
        return str(entry["accessEntryArn"])

    def access_policies(self) -> frozenset[str]:
        return frozenset(policy["arn"] for policy in self.listed("ListAccessPolicies", "accessPolicies"))

    def access_entries(self, cluster: str) -> tuple[AccessEntryState, ...]:
        principals = self.listed("ListAccessEntries", "accessEntries", clusterName=cluster)
        return tuple(self._access_entry(cluster, principal) for principal in principals)

    def revoke_access(self, cluster: str, principal_arn: str) -> None:
        """Delete the entry with its associations. A missing entry, or cluster, is success.

        A missing entry has no tags: IAM denies a permission with a tag condition before EKS could report the missing entry.
        """
        try:
            call(self._eks, "eks:DeleteAccessEntry", clusterName=cluster, principalArn=principal_arn)
        except ResourceGone:
            return
        except AccessDenied:
            if self._is_there(cluster, principal_arn):
                raise

    def _is_there(self, cluster: str, principal_arn: str) -> bool:
        try:
            self._entry(cluster, principal_arn)
        except ResourceGone:
            return False
        return True

    def _taken_over(self, lab: Lab, principal_arn: str) -> dict[str, Any]:
        entry = self._entry(lab.name, principal_arn)
        if entry.get("tags", {}).get(LAB_TAG) != lab.id:
            call(self._eks, "eks:TagResource", resourceArn=entry["accessEntryArn"], tags=lab.tags)
        return entry

    def _associate(self, cluster: str, principal_arn: str, policy: AccessPolicySpec) -> None:
        scope: dict[str, Any] = {"type": "cluster"}
        if policy.namespaces:
            scope = {"type": "namespace", "namespaces": list(policy.namespaces)}
        call(
            self._eks,
            "eks:AssociateAccessPolicy",
            clusterName=cluster,
            principalArn=principal_arn,
            policyArn=policy.policy_arn,
            accessScope=scope,
        )

    def _access_entry(self, cluster: str, principal_arn: str) -> AccessEntryState:
        entry = self._entry(cluster, principal_arn)
        policies = self.listed(
            "ListAssociatedAccessPolicies",
            "associatedAccessPolicies",
            clusterName=cluster,
            principalArn=principal_arn,
        )
        return AccessEntryState(
            principal_arn=entry["principalArn"],
            arn=entry["accessEntryArn"],
            type=entry.get("type", "STANDARD"),
            policies=tuple(policy["policyArn"] for policy in policies),
            groups=tuple(entry.get("kubernetesGroups", [])),
        )

    def _entry(self, cluster: str, principal_arn: str) -> dict[str, Any]:
        known = call(self._eks, "eks:DescribeAccessEntry", clusterName=cluster, principalArn=principal_arn)
        entry: dict[str, Any] = known["accessEntry"]
        return entry


def _cluster_request(
    lab: Lab, role_arn: str, subnet_ids: Sequence[str], security_group_ids: Sequence[str]
) -> dict[str, Any]:
    """CreateCluster's request. The creator does not become administrator: access entries decide."""
    spec = lab.spec
    request: dict[str, Any] = {
        "name": spec.name,
        "version": spec.version,
        "roleArn": role_arn,
        "resourcesVpcConfig": {
            "subnetIds": list(subnet_ids),
            "securityGroupIds": list(security_group_ids),
            **_endpoint(spec.endpoint),
        },
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        "bootstrapSelfManagedAddons": False,
        "upgradePolicy": {"supportType": str(spec.support_policy)},
        "tags": lab.tags,
        "clientRequestToken": lab.token("cluster"),
    }
    if spec.log_types:
        request["logging"] = {"clusterLogging": [{"types": list(spec.log_types), "enabled": True}]}
    return request


def _endpoint(endpoint: EndpointSpec) -> dict[str, Any]:
    """The VPC configuration's part for the endpoint; a private one has no CIDRs."""
    public = endpoint.access is not EndpointAccess.PRIVATE
    config: dict[str, Any] = {
        "endpointPublicAccess": public,
        "endpointPrivateAccess": endpoint.access is not EndpointAccess.PUBLIC,
    }
    if public and endpoint.allowed_cidrs:
        config["publicAccessCidrs"] = list(endpoint.allowed_cidrs)
    return config


def _has(cluster: ClusterState, wanted: Mapping[str, Any]) -> bool:
    """Whether the endpoint has that configuration. CIDRs have no order."""
    modes = {"endpointPublicAccess": cluster.public_access, "endpointPrivateAccess": cluster.private_access}
    cidrs = sorted(wanted.get("publicAccessCidrs", cluster.allowed_cidrs)) == sorted(cluster.allowed_cidrs)
    return cidrs and all(wanted[mode] == now for mode, now in modes.items())


def _nodegroup_request(
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


def _nodegroup_state(nodegroup: Mapping[str, Any]) -> NodegroupState:
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


def _entry_request(lab: Lab, access: AccessSpec) -> dict[str, Any]:
    request: dict[str, Any] = {
        "clusterName": lab.name,
        "principalArn": access.principal_arn,
        "type": access.type,
        "tags": lab.tags,
        "clientRequestToken": token_for(lab, f"access-{lab.run}", access.principal_arn),
    }
    if access.groups:
        request["kubernetesGroups"] = list(access.groups)
    return request
