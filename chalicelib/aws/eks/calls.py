"""The common part of EKS' readers: a control plane's description, updates, tokens, tags and health issues."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.domain.core.failure import HealthIssue
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AlreadyExists, AwsRefused, ResourceGone
from chalicelib.domain.labs.aws_states import ClusterState, UpdateState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.teardown.evidence import LAB_TAG

#: EKS's codes for a missing add-on, or a missing version of it.
NOT_OFFERED = frozenset({"InvalidParameterException", "ResourceNotFoundException"})


class EksCalls:
    """Holds the boto3 `eks` client."""

    def __init__(self, eks: Any) -> None:
        self._eks = eks

    def listed(self, action: str, key: str, **request: Any) -> tuple[Any, ...]:
        """All rows of one of EKS's lists. Raises ResourceGone if the cluster is gone."""
        return tuple(every(self._eks, f"eks:{action}", key, **request))

    def describe(self, name: str) -> ClusterState:
        """The control plane's state. Raises ResourceGone."""
        return state_of(call(self._eks, "eks:DescribeCluster", name=name)["cluster"])

    def described_nodegroup(self, cluster: str, name: str) -> dict[str, Any]:
        """EKS's description of a node group. Raises ResourceGone."""
        known = call(self._eks, "eks:DescribeNodegroup", clusterName=cluster, nodegroupName=name)
        group: dict[str, Any] = known["nodegroup"]
        return group

    def described_nodegroups(self, cluster: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and description of all, without those deleted meanwhile. Raises ResourceGone if the cluster is gone."""
        for name in self.listed("ListNodegroups", "nodegroups", clusterName=cluster):
            with suppress(ResourceGone):
                yield name, self.described_nodegroup(cluster, name)

    def offered(self, addon: str, version: str) -> list[dict[str, Any]]:
        """The versions of an add-on for a Kubernetes version, as EKS lists them; empty if EKS does not offer the add-on."""
        try:
            kinds = self.listed("DescribeAddonVersions", "addons", addonName=addon, kubernetesVersion=version)
        except AwsRefused as refusal:
            if refusal.code in NOT_OFFERED:
                return []
            raise
        return [row for kind in kinds for row in kind.get("addonVersions", [])]

    def update(self, **request: Any) -> UpdateState:
        """The state of an update. Raises ResourceGone."""
        update = call(self._eks, "eks:DescribeUpdate", **request)["update"]
        errors = tuple(f"{error['errorCode']}: {error['errorMessage']}" for error in update.get("errors", []))
        return UpdateState(update["id"], update["status"], errors)


def token_for(lab: Lab, what: str, name: str) -> str:
    """A client request token for one named resource: long names may be cut to the same text."""
    return lab.token(f"{what}-{hashlib.sha256(name.encode()).hexdigest()[:16]}")


def check_ours(lab: Lab, operation: str, name: str, described: Mapping[str, Any]) -> None:
    """Accept an existing resource as the requested one if it carries the lab's tag. Raises AlreadyExists.

    One created since the lab's request without any tags may show them in a moment: the error's code says so.
    """
    tags, made_at = described.get("tags") or {}, described.get("createdAt")
    if not tags and made_at is not None and made_at >= lab.created_at:
        raise AlreadyExists(
            operation,
            "TagsNotYetKnown",
            Sentence("{name} exists, and shows no tags of lab {id} so far.", name=name, id=lab.id),
        )
    if tags.get(LAB_TAG) != lab.id:
        raise AlreadyExists(
            operation,
            "ResourceInUseException",
            Sentence("{name} exists and is not of lab {id}.", name=name, id=lab.id),
        )


def issues_of(described: Mapping[str, Any]) -> tuple[HealthIssue, ...]:
    """The health issues of a cluster, node group or add-on."""
    return tuple(
        HealthIssue(issue.get("code", ""), issue.get("message", ""), tuple(issue.get("resourceIds", [])))
        for issue in (described.get("health") or {}).get("issues") or []
    )


def state_of(cluster: Mapping[str, Any]) -> ClusterState:
    """A control plane from EKS's description. Real answers lack fields: a missing one is None or empty."""
    vpc = cluster.get("resourcesVpcConfig") or {}
    created_at = cluster.get("createdAt")
    return ClusterState(
        name=cluster.get("name") or "",
        arn=cluster.get("arn") or "",
        status=cluster.get("status") or "",
        version=cluster.get("version") or "",
        endpoint=cluster.get("endpoint"),
        certificate_authority=(cluster.get("certificateAuthority") or {}).get("data"),
        oidc_issuer=((cluster.get("identity") or {}).get("oidc") or {}).get("issuer"),
        vpc_id=vpc.get("vpcId"),
        cluster_security_group_id=vpc.get("clusterSecurityGroupId"),
        subnet_ids=tuple(vpc.get("subnetIds") or ()),
        public_access=vpc.get("endpointPublicAccess", True),
        private_access=vpc.get("endpointPrivateAccess", False),
        allowed_cidrs=tuple(vpc.get("publicAccessCidrs") or ()),
        support_type=(cluster.get("upgradePolicy") or {}).get("supportType"),
        platform_version=cluster.get("platformVersion"),
        role_arn=cluster.get("roleArn"),
        issues=issues_of(cluster),
        tags=dict(cluster.get("tags") or {}),
        deletion_protection=bool(cluster.get("deletionProtection", False)),
        created_at=created_at.astimezone(UTC) if created_at else None,
    )
