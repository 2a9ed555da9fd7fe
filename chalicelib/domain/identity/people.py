"""Who is who in this installation: administrators, viewers and teams, and callers of its own account only.

Built from settings by the wiring; the API makes a Caller of every request with it. A pattern's `*` may stand for an account,
so callers of other accounts are nobody here before any pattern is looked at.
"""

from __future__ import annotations

from dataclasses import field

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.identity.callers import Caller, Team, fits, identity_of


@dataclass(frozen=True)
class People:
    """`home`: the account that the service runs in. The others are patterns of ARNs."""

    home: str
    administrators: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()
    teams: tuple[Team, ...] = field(default=())

    def caller(self, arn: str, account: str, source_ip: str | None) -> Caller | None:
        """The caller with what they are here; None for one of another account. An administrator is no viewer."""
        if account != self.home:
            return None
        names = (arn, identity_of(arn))
        is_admin = fits(names, self.administrators)
        is_viewer = not is_admin and fits(names, self.viewers)
        return Caller(
            arn, account, source_ip, is_admin, is_viewer, tuple(team for team in self.teams if team.has(*names))
        )
