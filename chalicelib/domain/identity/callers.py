"""The identity of a caller: the same person keeps it across sessions and ARNs.

IAM Identity Center gives a permission set's role another suffix when it is assigned again: `identity_of` removes it. A
session counts as Identity Center's only if IAM reports that path for its role (`People.caller`): any role may have such a name.
"""

from __future__ import annotations

import re
from functools import cached_property

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.identity.patterns import Patterns, patterns_of

#: Where IAM keeps the roles of permission sets. Source: IAM Identity Center's guide, "Referencing permission sets".
DIRECTORY_PATH = "/aws-reserved/sso.amazonaws.com/"
#: Source: the same page: AWSReservedSSO_<permission set>_<unique suffix>.
_SSO_SESSION = pattern(
    r"(arn:aws[a-z-]*:sts::\d{12}:assumed-role/AWSReservedSSO_[\w+=,.@-]+)_[0-9a-f]{16}(/.+)", re.ASCII
)
_IAM_USER = pattern(r"arn:aws[a-z-]*:iam::\d{12}:user/.+", re.ASCII)
_SESSION = pattern(r"(arn:aws[a-z-]*:sts::\d{12}:assumed-role/.+)/[^/]+", re.ASCII)
_PERSON = pattern(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/AWSReservedSSO_([\w+=,.@-]+)/([\w+=,.@-]+)", re.ASCII)
#: A session whose role is named like one of Identity Center's.
_CALLED_SO = pattern(r"(arn:aws[a-z-]*:sts::\d{12}:assumed-role/)(AWSReservedSSO_[^/]*/.+)", re.ASCII)


def identity_of(arn: str) -> str:
    """The ARN without the role suffix that AWS may change. Any other text is returned unchanged."""
    sso = _SSO_SESSION.fullmatch(arn)
    return f"{sso[1]}{sso[2]}" if sso else arn


def role_to_confirm(arn: str) -> str | None:
    """The role name to look up in IAM, of a session whose role is named like Identity Center's; else None."""
    return arn.split("/")[1] if _SSO_SESSION.fullmatch(arn) else None


@dataclass(frozen=True)
class DirectoryPerson:
    """A user of IAM Identity Center in an account, by a permission set."""

    partition: str
    account: str
    permission_set: str
    user_name: str


def directory_person(owner: str) -> DirectoryPerson | None:
    """The directory user behind an owner, if any: no other caller can own anything by such a name."""
    found = _PERSON.fullmatch(identity_of(owner))
    return DirectoryPerson(*found.groups()) if found else None


def counted_as(owner: str) -> str:
    """The person behind an owner: limits, costs, and the rule that nobody approves their own lab, count by this name.

    A directory user is one person with every permission set, in upper or lower case. A session of another role chooses its own
    name and counts as a person by itself; `shared_role` limits all sessions of such a role together.
    """
    person = directory_person(owner)
    return f"arn:{person.partition}:sts::{person.account}:directory/{person.user_name.lower()}" if person else owner


def is_directory_name(person: str) -> bool:
    """Whether this is the name that a directory person is counted under; nobody owns anything by it."""
    return ":directory/" in person and ":assumed-role/" not in person


def shared_role(owner: str) -> str | None:
    """The role of a session that chose its own name; None for IAM users and directory users.

    Anybody who may assume the role can appear as any number of owners.
    """
    session = _SESSION.fullmatch(owner)
    return session[1] if session and not _CALLED_SO.fullmatch(owner) else None


def plain_name(owner: str) -> str:
    """The last part of an owner's ARN, the local part of a mail address: two identities with the same one may be one person."""
    return owner.rpartition("/")[2].partition("@")[0].casefold()


@dataclass(frozen=True)
class Caller:
    """The caller of a request, as API Gateway's IAM authorizer names it. `arn` may be an assumed-role session.

    `teams`: the caller's teams. A viewer sees everything and changes nothing, not even their own labs.
    `in_directory`: IAM reports the session's role as one of an IAM Identity Center permission set.
    """

    arn: str
    account: str
    source_ip: str | None
    is_admin: bool = False
    is_viewer: bool = False
    teams: tuple[Team, ...] = ()
    in_directory: bool = False

    @property
    def identity(self) -> str:
        """The name under which the caller owns labs. A role that is only named like Identity Center's is marked `unconfirmed`."""
        if self.in_directory:
            return identity_of(self.arn)
        return _CALLED_SO.sub(r"\1unconfirmed/\2", self.arn)

    @property
    def person(self) -> str:
        """The same person with every permission set."""
        return counted_as(self.identity)

    @property
    def given_name(self) -> str | None:
        """The name that IAM or Identity Center assigned; None for sessions of other roles, which choose their names."""
        given = self.in_directory or _IAM_USER.fullmatch(self.arn)
        return self.arn.rpartition("/")[2] if given else None

    @property
    def sees_all(self) -> bool:
        """Whether the caller sees everyone's labs."""
        return self.is_admin or self.is_viewer

    def owns(self, owner: str) -> bool:
        """Whether the caller is this owner of a lab."""
        return identity_of(owner) == self.identity

    def may_be(self, owner: str) -> bool:
        """Whether this owner may be the same person: by another permission set, by another session of a shared role, or by
        another identity of the same name: of an IAM user, the directory, a session or a user pool.
        """
        role = shared_role(owner)
        same_role = role is not None and role == shared_role(self.identity)
        return counted_as(owner) == self.person or same_role or plain_name(owner) == plain_name(self.identity)

    def may_see(self, owner: str) -> bool:
        """Whether the caller sees labs of this owner: their own, their teams', or everyone's."""
        return self.sees_all or self.owns(owner) or any(team.has(identity_of(owner)) for team in self.teams)

    def may_change(self, owner: str) -> bool:
        """Whether the caller may change and end labs of this owner. Team members may only look."""
        return self.is_admin or (self.owns(owner) and not self.is_viewer)


@dataclass(frozen=True)
class Team:
    """Everyone whose identity matches one of the patterns (`patterns.py`). `cut`: it has more members, who were not read."""

    name: str
    patterns: tuple[str, ...]
    cut: bool = False

    def has(self, *identities: str) -> bool:
        """Whether one of these identities of a person is in the team."""
        return self._known.fit(identities)

    @cached_property
    def _known(self) -> Patterns:
        return patterns_of(self.patterns)
