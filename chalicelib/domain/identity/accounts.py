"""The accounts and regions that labs may be in: the service's own, and every registered one that takes labs.

Built from the registry by `Deps.lab_accounts` for a request and for the nightly search for orphans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import Place


@dataclass(frozen=True)
class LabAccounts:
    """`home` is the service's own account, `home_regions` those of its labs; `members` maps other accounts to their regions."""

    home: str
    home_regions: tuple[str, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def takes_labs(self, account: str) -> bool:
        """Whether labs may be in the account at all."""
        return account == self.home or account in self.members

    def offers(self, account: str, region: str) -> bool:
        """Whether labs may be in this region of an account that takes labs; other rules limit the home account."""
        return account == self.home or region in self.members.get(account, ())

    def usual_region(self, account: str, usual: str) -> str:
        """The region of a lab that names none: `usual` where the account has it, else the account's first."""
        regions = self.members.get(account, ())
        return usual if account == self.home or not regions or usual in regions else regions[0]

    def places(self) -> tuple[Place, ...]:
        """Every place, the home account's first."""
        own = tuple(Place(self.home, region) for region in self.home_regions)
        others = sorted(self.members.items())
        return (*own, *(Place(account, region) for account, regions in others for region in regions))


def lab_accounts(home: str, home_regions: tuple[str, ...], registered: Iterable[Registration]) -> LabAccounts:
    """The accounts that take labs, by the registry."""
    members = {r.account: r.regions for r in registered if r.labs and r.account != home and r.role_arn}
    return LabAccounts(home, home_regions, members)


@dataclass(frozen=True)
class Registration:
    """A watched account. `owner`, `team`: recipients for clusters whose tags name nobody (mail or ARN, as text).

    `labs`: whether labs may be created in it, in its regions.
    """

    account: str
    name: str
    regions: tuple[str, ...]
    role_arn: str | None = None
    owner: str | None = None
    team: str | None = None
    labs: bool = False
