"""IAM, for showing and for access entries: the port `Roles`."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.domain.errors.tree import ResourceGone


class IamRoles:
    """Holds the boto3 `iam` client."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam

    def role_arn(self, role_name: str) -> str | None:
        """The whole ARN, path included; None if there is no such role. An assumed role's session ARN has no path in it."""
        try:
            with translate("iam:GetRole"):
                return str(self._iam.get_role(RoleName=role_name)["Role"]["Arn"])
        except ResourceGone:
            return None

    def policies(self, role_name: str) -> tuple[tuple[str, str], ...]:
        """Name and ARN (`inline` for inline ones) of every policy of the role. Raises ResourceGone."""
        with translate("iam:ListAttachedRolePolicies"):
            pages = self._iam.get_paginator("list_attached_role_policies").paginate(RoleName=role_name)
            attached = [(one["PolicyName"], one["PolicyArn"]) for page in pages for one in page["AttachedPolicies"]]
        with translate("iam:ListRolePolicies"):
            pages = self._iam.get_paginator("list_role_policies").paginate(RoleName=role_name)
            inline = [(name, "inline") for page in pages for name in page["PolicyNames"]]
        return tuple(attached + inline)
