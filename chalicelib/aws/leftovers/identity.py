"""Finds and deletes leftovers in IAM: the OIDC provider, and instance profiles that block their role's deletion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from chalicelib.aws.clients.calls import call, every, tags_of
from chalicelib.aws.clients.errors import translate
from chalicelib.aws.leftovers.finder import Finder, attributes
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone


class OidcProviders(Finder):
    """OIDC providers. An account may have 100 of them."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By the issuer that was recorded before the cluster was deleted, and by ledger."""
        issuer = (target.oidc_issuer or "").removeprefix("https://")
        rows = call(self._client, "iam:ListOpenIDConnectProviders")["OpenIDConnectProviderList"]
        for arn in (row["Arn"] for row in rows):
            if arn in target.known_ids or (issuer and arn.partition(":oidc-provider/")[2] == issuer):
                with suppress(ResourceGone):
                    yield self._resource(arn)

    def delete(self, resource: Resource) -> None:
        """By ARN, which is its id."""
        call(self._client, "iam:DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=resource.id)

    def _resource(self, arn: str) -> Resource:
        row = call(self._client, "iam:GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
        facts = attributes(issuer=row["Url"].removeprefix("https://"))
        return Resource(Kind.OIDC_PROVIDER, arn, arn, tags_of(row), facts, row.get("CreateDate"))


class InstanceProfiles(Finder):
    """Instance profiles that hold one of the lab's roles, or that Karpenter created for the cluster."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By role, and by Karpenter's names and path (which prove nothing: the tags do)."""
        for row in [*self._by_role(target), *self._by_name(target)]:
            with suppress(ResourceGone):
                yield self._resource(row["InstanceProfileName"])

    def delete(self, resource: Resource) -> None:
        """Remove its role, then delete it."""
        role = resource.attributes.get("role-name")
        if role is not None:
            with suppress(ResourceGone), translate("iam:RemoveRoleFromInstanceProfile"):
                self._client.remove_role_from_instance_profile(InstanceProfileName=resource.id, RoleName=role)
        call(self._client, "iam:DeleteInstanceProfile", InstanceProfileName=resource.id)

    def _by_role(self, target: Target) -> Iterator[dict[str, Any]]:
        for role in target.role_names:
            with suppress(ResourceGone):
                yield from every(self._client, "iam:ListInstanceProfilesForRole", "InstanceProfiles", RoleName=role)

    def _by_name(self, target: Target) -> Iterator[dict[str, Any]]:
        rows = every(self._client, "iam:ListInstanceProfiles", "InstanceProfiles")
        path = f"/karpenter/{target.region}/{target.cluster_name}/"
        for row in rows:
            name = row["InstanceProfileName"]
            karpenters = row["Path"].startswith(path) or name.startswith(f"{target.cluster_name}_")
            if karpenters or name in target.known_ids:
                yield row

    def _resource(self, name: str) -> Resource:
        """Lists omit the tags: each profile's are read by themselves."""
        row = call(self._client, "iam:GetInstanceProfile", InstanceProfileName=name)["InstanceProfile"]
        role: dict[str, Any] = next(iter(row.get("Roles", [])), {})
        facts = attributes(role_name=role.get("RoleName"), role_id=role.get("RoleId"))
        return Resource(Kind.INSTANCE_PROFILE, name, row["Arn"], tags_of(row), facts, row.get("CreateDate"))
