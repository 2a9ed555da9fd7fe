"""Access entries, who may log in to the cluster: a part of the Clusters adapter."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.eks.calls import EksCalls, token_for
from chalicelib.domain.errors.tree import AccessDenied, AlreadyExists, ResourceGone
from chalicelib.domain.labs.aws_states import AccessEntryState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AccessPolicySpec, AccessSpec
from chalicelib.domain.teardown.evidence import LAB_TAG


class AccessCalls(EksCalls):
    """What EKS can be asked about access."""

    def grant_access(self, lab: Lab, access: AccessSpec) -> str:
        """Make the access entry with its policies; return its ARN. An entry of this principal that is there is completed:
        the cluster is the lab's, so is every entry in it, also one that EKS made by itself. It gets the lab's tags then:
        no entry without them can be changed or deleted."""
        try:
            with translate("eks:CreateAccessEntry", creating=True):
                entry = self._eks.create_access_entry(**_creation(lab, access))["accessEntry"]
        except AlreadyExists:
            entry = self._taken_over(lab, access.principal_arn)
        for policy in access.policies:
            self._associate(lab.name, access.principal_arn, policy)
        return str(entry["accessEntryArn"])

    def access_policies(self) -> frozenset[str]:
        """The ARNs of all access policies that EKS has."""
        return frozenset(policy["arn"] for policy in self.listed("list_access_policies", "accessPolicies"))

    def access_entries(self, cluster: str) -> tuple[AccessEntryState, ...]:
        """All, with the policies of each. Raises ResourceGone when the cluster is."""
        principals = self.listed("list_access_entries", "accessEntries", clusterName=cluster)
        return tuple(self._access_entry(cluster, principal) for principal in principals)

    def revoke_access(self, cluster: str, principal_arn: str) -> None:
        """Delete the entry with all that is associated. A missing entry, or cluster, is success.

        What is not there has no tags: a right that wants one is denied before EKS could say that it is gone.
        """
        try:
            with translate("eks:DeleteAccessEntry"):
                self._eks.delete_access_entry(clusterName=cluster, principalArn=principal_arn)
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
            with translate("eks:TagResource"):
                self._eks.tag_resource(resourceArn=entry["accessEntryArn"], tags=lab.tags)
        return entry

    def _associate(self, cluster: str, principal_arn: str, policy: AccessPolicySpec) -> None:
        scope: dict[str, Any] = {"type": "cluster"}
        if policy.namespaces:
            scope = {"type": "namespace", "namespaces": list(policy.namespaces)}
        with translate("eks:AssociateAccessPolicy"):
            self._eks.associate_access_policy(
                clusterName=cluster, principalArn=principal_arn, policyArn=policy.policy_arn, accessScope=scope
            )

    def _access_entry(self, cluster: str, principal_arn: str) -> AccessEntryState:
        entry = self._entry(cluster, principal_arn)
        policies = self.listed(
            "list_associated_access_policies",
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
        with translate("eks:DescribeAccessEntry"):
            known = self._eks.describe_access_entry(clusterName=cluster, principalArn=principal_arn)
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
