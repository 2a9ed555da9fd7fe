"""People of a user pool: their names as owners, the claims of the pool's ID tokens, and the groups with a meaning here.

The name holds `sub`, which Cognito never reuses, and the user name for people to read. It holds no mail address: identities are
never joined by an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.identity.callers import Team

#: Groups of the pool with a meaning: these two, and one for each team.
ADMINISTRATORS, VIEWERS, TEAM = "administrators", "viewers", "team-"
_USER = pattern(
    r"(arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool/[0-9A-Za-z_-]+)/([0-9a-zA-Z-]{1,64})/((?:[\w@.-]|=[0-9A-F]{2})+)"
)
_SUB = pattern(r"[0-9a-zA-Z-]{1,64}")
#: Characters of a user name that are kept, besides letters and digits; the others become `=XX`.
_PLAIN = "@._-"
#: The longest value of a tag.
_LONGEST = 256


@dataclass(frozen=True)
class PoolUser:
    """A user of a pool. `sub` is theirs alone, for ever; a user name may be reused after its user was deleted."""

    pool_arn: str
    sub: str
    username: str

    @property
    def arn(self) -> str:
        """The ARN by which they own labs."""
        return f"{self.pool_arn}/{self.sub}/{_escaped(self.username)}"


@dataclass(frozen=True)
class Standing:
    """The pool's present facts of a user: the groups, and the teams of those groups, with at least this user."""

    groups: tuple[str, ...] = ()
    teams: tuple[Team, ...] = ()


def all_teams(*known: Iterable[Team]) -> tuple[Team, ...]:
    """Teams of the setting and of groups; those of one name are one team with all their people."""
    patterns: dict[str, dict[str, None]] = {}
    cut: set[str] = set()
    for team in (team for teams in known for team in teams):
        patterns.setdefault(team.name, {}).update(dict.fromkeys(team.patterns))
        cut |= {team.name} if team.cut else set()
    return tuple(Team(name, tuple(of), name in cut) for name, of in patterns.items())


def pool_user(arn: str) -> PoolUser | None:
    """The user of an ARN; None for every other caller."""
    found = _USER.fullmatch(arn)
    return PoolUser(found[1], found[2], _unescaped(found[3])) if found else None


def in_a_pool(identities: Iterable[str]) -> bool:
    """Whether one of a person's identities is a pool user's: groups may put them into teams beyond the setting's."""
    return any(pool_user(identity) is not None for identity in identities)


def user_in(claims: Mapping[str, object], pool_arn: str) -> PoolUser | None:
    """The user of an ID token; None if it names none, or a name that is too long."""
    sub, username = claims.get("sub"), claims.get("cognito:username")
    if not (isinstance(sub, str) and _SUB.fullmatch(sub) and isinstance(username, str) and username):
        return None
    user = PoolUser(pool_arn, sub, username)
    return user if len(user.arn) <= _LONGEST else None


def why_refused(claims: Mapping[str, object], issuer: str, client_id: str, nonce: str, now: datetime) -> str | None:
    """Why an ID token is refused; None for a valid one. Only the channel that it came by proves its issuer.

    Source: OpenID Connect Core 1.0, 3.1.3.7; Cognito's guide, "Verifying JSON web tokens".
    """
    expires, made = _seconds(claims.get("exp")), _seconds(claims.get("iat"))
    wrong = {
        "it is of another issuer": claims.get("iss") != issuer,
        "it is for another client": claims.get("aud") != client_id,
        "it is no ID token": claims.get("token_use") != "id",
        "it answers another login": not nonce or claims.get("nonce") != nonce,
        "it has expired": expires is None or not expires > now.timestamp(),
        "it is of the future": made is None or not made < now.timestamp() + 300,
    }
    return next((reason for reason, is_so in wrong.items() if is_so), None)


def _seconds(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _escaped(username: str) -> str:
    return "".join(
        each if each.isalnum() or each in _PLAIN else "".join(f"={byte:02X}" for byte in each.encode())
        for each in username
    )


def _unescaped(text: str) -> str:
    parts = text.split("=")
    whole = parts[0].encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in parts[1:])
    return whole.decode(errors="replace")
