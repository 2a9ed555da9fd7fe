"""Who is asking. A person stays the same person, whatever the ARN of today's session looks like.

IAM Identity Center gives a permission set's role another suffix when it is assigned anew: `identity_of` leaves it out. The
rest of a session's ARN (account, role, session name) is who owns a lab; labs kept with a whole ARN are known by it, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from chalicelib.domain.core.deferred import dataclass

#: Source: IAM Identity Center's guide, "Referencing permission sets": AWSReservedSSO_<permission set>_<unique suffix>.
_SSO_SESSION = re.compile(r"(arn:aws[a-z-]*:sts::\d{12}:assumed-role/AWSReservedSSO_[\w+=,.@-]+)_[0-9a-f]{16}(/.+)")
_IAM_USER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:user/.+")
_SSO_SUFFIX = re.compile(r"(?<=AWSReservedSSO_)([^/]+?)_(?:[0-9a-f]{16}|\*)(?=/)")


def identity_of(arn: str) -> str:
    """The ARN without what AWS may change behind a person's back. Anything else, a tag's text too, is returned as it is."""
    sso = _SSO_SESSION.fullmatch(arn)
    return f"{sso[1]}{sso[2]}" if sso else arn


@dataclass(frozen=True)
class Caller:
    """Who is asking, as API Gateway's IAM authorizer tells it. `arn` may be an assumed-role session.

    `teams`: those the caller is in. A viewer sees everything and changes nothing, not even what is theirs.
    """

    arn: str
    account: str
    source_ip: str | None
    is_admin: bool = False
    is_viewer: bool = False
    teams: tuple[Team, ...] = ()

    @property
    def identity(self) -> str:
        """As whom the caller owns labs."""
        return identity_of(self.arn)

    @property
    def given_name(self) -> str | None:
        """The name that IAM gave a user, or Identity Center a session. None where the caller chose it: other roles' sessions."""
        given = _IAM_USER.fullmatch(self.arn) or _SSO_SESSION.fullmatch(self.arn)
        return self.arn.rpartition("/")[2] if given else None

    @property
    def sees_all(self) -> bool:
        """Whether everyone's labs are there for this caller."""
        return self.is_admin or self.is_viewer

    def owns(self, owner: str) -> bool:
        """Whether this owner, as a lab keeps it, is the caller."""
        return identity_of(owner) == self.identity

    def may_see(self, owner: str) -> bool:
        """Whether labs of this owner are there for the caller: their own, their teams', everyone's."""
        return self.sees_all or self.owns(owner) or any(team.has(identity_of(owner)) for team in self.teams)

    def may_change(self, owner: str) -> bool:
        """Whether the caller may change and end labs of this owner. A team may not: it looks."""
        return self.is_admin or (self.owns(owner) and not self.is_viewer)


@dataclass(frozen=True)
class Team:
    """Everyone whom one of the patterns fits. `*` stands for any text."""

    name: str
    patterns: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Whether someone who goes by these names (an ARN, an identity) is in it."""
        return fits(names, self.patterns)


def fits(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether a pattern fits one of the names."""
    wanted = {form for pattern in patterns for form in (pattern, _SSO_SUFFIX.sub(r"\1", pattern))}
    return any(fnmatchcase(name, form) for name in names for form in wanted)
