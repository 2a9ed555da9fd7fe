"""IAM, for display and for access entries: the port `Roles`; and the check that a role is Identity Center's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.domain.errors.tree import EkslabError, ResourceGone
from chalicelib.domain.identity.callers import DIRECTORY_PATH
from chalicelib.domain.labs.aws_states import RoleState


class IamRoles:
    """Holds the boto3 `iam` client."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam

    def role_arn(self, role_name: str) -> str | None:
        """The whole ARN, path included; None if there is no such role. An assumed role's session ARN has no path in it."""
        try:
            return str(call(self._iam, "iam:GetRole", RoleName=role_name)["Role"]["Arn"])
        except ResourceGone:
            return None

    def principal_arn(self, arn: str) -> str | None:
        name = arn.rpartition("/")[2]
        if ":user/" not in arn:
            return self.role_arn(name)
        try:
            return str(call(self._iam, "iam:GetUser", UserName=name)["User"]["Arn"])
        except ResourceGone:
            return None

    def states(self, role_names: Sequence[str]) -> tuple[RoleState, ...]:
        found = []
        for name in role_names:
            with suppress(ResourceGone):
                found.append(self._state(name))
        return tuple(found)

    def _state(self, name: str) -> RoleState:
        role_id = str(call(self._iam, "iam:GetRole", RoleName=name)["Role"]["RoleId"])
        profiles = every(self._iam, "iam:ListInstanceProfilesForRole", "InstanceProfiles", RoleName=name)
        return RoleState(name, role_id, tuple(row["InstanceProfileId"] for row in profiles))

    def policies(self, role_name: str) -> tuple[tuple[str, str], ...]:
        attached = every(self._iam, "iam:ListAttachedRolePolicies", "AttachedPolicies", RoleName=role_name)
        inline = every(self._iam, "iam:ListRolePolicies", "PolicyNames", RoleName=role_name)
        return (
            *((one["PolicyName"], one["PolicyArn"]) for one in attached),
            *((name, "inline") for name in inline),
        )


class DirectoryRoles:
    """Asks IAM once in 15 minutes for each role named like Identity Center's. A failed call is not cached, and means no."""

    KEPT = timedelta(minutes=15)

    def __init__(self, iam: Any, now: Callable[[], datetime]) -> None:
        self._iam, self._now = iam, now
        self._known: dict[tuple[str, str | None], tuple[bool, datetime]] = {}

    def __call__(self, role_name: str, role_id: str | None) -> bool:
        """Whether the role of this name has Identity Center's path and, if known, this unique id."""
        key, now = (role_name, role_id), self._now()
        answer, until = self._known.get(key, (False, now))
        if now < until:
            return answer
        try:
            role = call(self._iam, "iam:GetRole", RoleName=role_name)["Role"]
        except EkslabError:
            return False
        answer = str(role["Path"]).startswith(DIRECTORY_PATH) and role_id in (None, role["RoleId"])
        self._known[key] = (answer, now + self.KEPT)
        return answer
