"""Access entries, which let principals log in to the cluster: a part of the Clusters adapter."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.clients.calls import call, create
from chalicelib.aws.eks.calls import EksCalls, token_for
from chalicelib.domain.errors.tree import AccessDenied, AlreadyExists, ResourceGone
from chalicelib.domain.labs.aws_states import AccessEntryState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AccessPolicySpec, AccessSpec
from chalicelib.domain.teardown.evidence import LAB_TAG


class AccessCalls(EksCalls):
    """The calls about access."""

    def grant_access(self, lab: Lab, access: AccessSpec) -> str:
        """Create the access entry with its policies; return its ARN. An existing entry of this principal is completed:
        the cluster is the lab's, so is every entry in it, also one that EKS created itself. It gets the lab's tags first:
        IAM permits no change or deletion of an entry without them."""
        try:
            entry = create(self._eks, "eks:CreateAccessEntry", **_creation(lab, access))["accessEntry"]
        except AlreadyExists:
            entry = self._taken_over(lab, access.principal_arn)
        for policy in access.policies:
            self._associate(lab.name, access.principal_arn, policy)
        return str(entry["accessEntryArn"])

    def access_policies(self) -> frozenset[str]:
        """The ARNs of all access policies of EKS."""
        return frozenset(policy["arn"] for policy in self.listed("ListAccessPolicies", "accessPolicies"))

    def access_entries(self, cluster: str) -> tuple[AccessEntryState, ...]:
        """All, with the policies of each. Raises ResourceGone if the cluster is gone."""
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


def _creation(lab: Lab, access: AccessSpec) -> dict[str, Any]:
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
