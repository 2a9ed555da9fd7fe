"""The people of this installation: administrators, viewers and teams; callers of its own account only.

Built from settings by the wiring; the API makes a Caller of every request with it. A pattern's `*` may stand for an account,
so callers of other accounts are rejected before any pattern is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.identity.callers import Caller, Team, role_to_confirm
from chalicelib.domain.identity.patterns import fits
from chalicelib.domain.identity.user_pools import ADMINISTRATORS, VIEWERS, Standing, pool_user


def nobody_confirms(_role_name: str, _role_id: str | None) -> bool:
    """Used where IAM can't be asked: no session is Identity Center's."""
    return False


def nobody_stands(_arn: str) -> Standing | None:
    """Used without a user pool: nobody is one of its users."""
    return None


@dataclass(frozen=True)
class People:
    """`home`: the account that the service runs in. `is_directory_role`: whether IAM says that the role of this name and id
    is a permission set's; no answer means no. `standing_of`: the user pool's present facts of one of its users; None: not one of
    its users. The others are patterns of ARNs.
    """

    home: str
    administrators: tuple[str, ...] = ()
    viewers: tuple[str, ...] = ()
    teams: tuple[Team, ...] = field(default=())
    is_directory_role: Callable[[str, str | None], bool] = nobody_confirms
    standing_of: Callable[[str], Standing | None] = nobody_stands

    def caller(self, arn: str, account: str, source_ip: str | None, role_id: str | None = None) -> Caller | None:
        """The caller with roles and teams; None for a caller of another account, and for a former user of the pool.

        An administrator is not a viewer.
        """
        if account != self.home:
            return None
        standing = Standing()
        if pool_user(arn) is not None:
            found = self.standing_of(arn)
            if found is None:
                return None
            standing = found
        role = role_to_confirm(arn)
        in_directory = role is not None and self.is_directory_role(role, role_id)
        return self._placed(Caller(arn, account, source_ip, in_directory=in_directory), standing)

    def _placed(self, plain: Caller, standing: Standing) -> Caller:
        names = (plain.identity,)
        is_admin = ADMINISTRATORS in standing.groups or fits(names, self.administrators)
        is_viewer = not is_admin and (VIEWERS in standing.groups or fits(names, self.viewers))
        teams = (*(team for team in self.teams if team.has(*names)), *standing.teams)
        return replace(plain, is_admin=is_admin, is_viewer=is_viewer, teams=teams)
