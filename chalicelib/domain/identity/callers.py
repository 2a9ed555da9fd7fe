"""Who is asking. A person keeps their identity across sessions and their ARNs.

IAM Identity Center gives a permission set's role another suffix when it is assigned anew: `identity_of` leaves it out. A
session counts as Identity Center's only if IAM says so of its role (`People.caller`): a role of any path may be called like one.
"""

from __future__ import annotations

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.identity.patterns import fits

#: Where IAM keeps the roles of permission sets. Source: IAM Identity Center's guide, "Referencing permission sets".
DIRECTORY_PATH = "/aws-reserved/sso.amazonaws.com/"
#: Source: the same page: AWSReservedSSO_<permission set>_<unique suffix>.
_SSO_SESSION = pattern(r"(arn:aws[a-z-]*:sts::\d{12}:assumed-role/AWSReservedSSO_[\w+=,.@-]+)_[0-9a-f]{16}(/.+)")
_IAM_USER = pattern(r"arn:aws[a-z-]*:iam::\d{12}:user/.+")
_SESSION = pattern(r"(arn:aws[a-z-]*:sts::\d{12}:assumed-role/.+)/[^/]+")
_PERSON = pattern(r"(?a:arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/AWSReservedSSO_([\w+=,.@-]+)/([\w+=,.@-]+))")
#: A session whose role is called like one of Identity Center's.
_CALLED_SO = pattern(r"(arn:aws[a-z-]*:sts::\d{12}:assumed-role/)(AWSReservedSSO_[^/]*/.+)")


def identity_of(arn: str) -> str:
    """The ARN without what AWS may change behind a person's back. Anything else, a tag's text too, is returned as it is."""
    sso = _SSO_SESSION.fullmatch(arn)
    return f"{sso[1]}{sso[2]}" if sso else arn


def role_to_confirm(arn: str) -> str | None:
    """The name of the role that IAM must be asked about: that of a session called like Identity Center's; else None."""
    return arn.split("/")[1] if _SSO_SESSION.fullmatch(arn) else None


@dataclass(frozen=True)
class DirectoryPerson:
    """A user of IAM Identity Center in an account, by a permission set."""

    partition: str
    account: str
    permission_set: str
    user_name: str


def directory_person(owner: str) -> DirectoryPerson | None:
    """The person that an owner is, if they are of the directory: no other caller owns anything by such a name."""
    found = _PERSON.fullmatch(identity_of(owner))
    return DirectoryPerson(*found.groups()) if found else None


def counted_as(owner: str) -> str:
    """The person that an owner is: the one rule by which labs are counted, costs summed, and approvers told from owners.

    A user of the directory is one person, by whatever permission set they come, in any case of letters. A session of another
    role is a person by itself, for it chooses its name: what such sessions have together is kept by `shared_role`.
    """
    person = directory_person(owner)
    return f"arn:{person.partition}:sts::{person.account}:directory/{person.user_name.lower()}" if person else owner


def shared_role(owner: str) -> str | None:
    """The role whose sessions choose their names, of an owner who is such a session; None for users and people of the directory.

    Whoever may assume it can be as many owners as they like.
    """
    session = _SESSION.fullmatch(owner)
    return session[1] if session and not _CALLED_SO.fullmatch(owner) else None


@dataclass(frozen=True)
class Caller:
    """Who is asking, as API Gateway's IAM authorizer tells it. `arn` may be an assumed-role session.

    `teams`: those the caller is in. A viewer sees everything and changes nothing, not even what is theirs.
    `in_directory`: IAM says that the session's role is a permission set's of IAM Identity Center.
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
        """As whom the caller owns labs. One who is only called like a person of the directory is nobody of it."""
        if self.in_directory:
            return identity_of(self.arn)
        return _CALLED_SO.sub(r"\1unconfirmed/\2", self.arn)

    @property
    def person(self) -> str:
        """Who the caller is, by whatever permission set they come."""
        return counted_as(self.identity)

    @property
    def given_name(self) -> str | None:
        """The name that IAM gave a user, or Identity Center a session. None where the caller chose it: other roles' sessions."""
        given = self.in_directory or _IAM_USER.fullmatch(self.arn)
        return self.arn.rpartition("/")[2] if given else None

    @property
    def sees_all(self) -> bool:
        """Whether everyone's labs are there for this caller."""
        return self.is_admin or self.is_viewer

    def owns(self, owner: str) -> bool:
        """Whether this owner, as a lab keeps it, is the caller."""
        return identity_of(owner) == self.identity

    def may_be(self, owner: str) -> bool:
        """Whether this owner may be the same person: by another permission set, or by another session of a shared role."""
        role = shared_role(owner)
        return counted_as(owner) == self.person or (role is not None and role == shared_role(self.identity))

    def may_see(self, owner: str) -> bool:
        """Whether labs of this owner are there for the caller: their own, their teams', everyone's."""
        return self.sees_all or self.owns(owner) or any(team.has(identity_of(owner)) for team in self.teams)

    def may_change(self, owner: str) -> bool:
        """Whether the caller may change and end labs of this owner. A team may not: it looks."""
        return self.is_admin or (self.owns(owner) and not self.is_viewer)


@dataclass(frozen=True)
class Team:
    """Everyone whom one of the patterns fits (`patterns.py`)."""

    name: str
    patterns: tuple[str, ...]

    def has(self, *identities: str) -> bool:
        """Whether someone who goes by one of these identities is in it."""
        return fits(identities, self.patterns)
