"""Who is who in this installation: administrators, viewers and teams, and callers of its own account only.

Built from settings by the wiring; the API makes a Caller of every request with it. A pattern's `*` may stand for an account,
so callers of other accounts are nobody here before any pattern is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.identity.callers import Caller, Team, role_to_confirm
from chalicelib.domain.identity.patterns import fits


def nobody_confirms(_role_name: str, _role_id: str | None) -> bool:
    """Stands in where IAM cannot be asked: no session is Identity Center's."""
    return False


@dataclass(frozen=True)
class People:
    """`home`: the account that the service runs in. `is_directory_role`: whether IAM says that the role of this name and id
    is a permission set's; no answer is a no. The others are patterns of ARNs.
    """

    home: str
    administrators: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()
    teams: tuple[Team, ...] = field(default=())
    is_directory_role: Callable[[str, str | None], bool] = nobody_confirms

    def caller(self, arn: str, account: str, source_ip: str | None, role_id: str | None = None) -> Caller | None:
        """The caller with what they are here; None for one of another account. An administrator is no viewer."""
        if account != self.home:
            return None
        role = role_to_confirm(arn)
        in_directory = role is not None and self.is_directory_role(role, role_id)
        plain = Caller(arn, account, source_ip, in_directory=in_directory)
        names = (plain.identity,)
        is_admin = fits(names, self.administrators)
        is_viewer = not is_admin and fits(names, self.viewers)
        teams = tuple(team for team in self.teams if team.has(*names))
        return replace(plain, is_admin=is_admin, is_viewer=is_viewer, teams=teams)
