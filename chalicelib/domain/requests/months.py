"""Judges a lab's addition to the months' sums by the ceilings of its owner and of their teams, with the present sums.

Requests, extensions, keep-links and the promises of mails are judged by the same rules. Only the store is exact: it
judges again in the write that reserves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import MonthOverBudget
from chalicelib.domain.identity.callers import Caller, Team, identity_of
from chalicelib.domain.identity.person import Person
from chalicelib.domain.identity.user_pools import in_a_pool
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spending import COST, MonthCeilings, MonthSum, Scope, SumOf, foreseen, spending, sums_of
from chalicelib.domain.requests.ceilings import Ceilings, highest, micro, refuse_dear, refuse_unapproved, team_ceilings
from chalicelib.domain.requests.offers import Offers, ceilings_for


class Sums(Protocol):
    """Access to the store's monthly sums."""

    def month_people(self, months: Sequence[str]) -> Mapping[str, tuple[MonthSum, ...]]:
        """Each person's sums by month."""

    def sums_at(self, wanted: Sequence[SumOf]) -> Mapping[SumOf, Mapping[str, int]]:
        """These sums; nothing for one that does not exist."""


@dataclass(frozen=True)
class Payer:
    """The holder of a lab's months: its owner, with all known identities; and all teams.

    `in_more`: groups of the user pool, which was not asked, may put them into other teams, too.
    """

    owner: str
    identities: frozenset[str]
    teams: tuple[Team, ...]
    in_more: bool = False

    def ceilings(self, offers: Offers) -> Ceilings:
        """The ceilings for their labs, or the highest possible ones."""
        mine = tuple(team for team in self.teams if team.has(*self.identities))
        known = ceilings_for(offers, Caller(self.owner, "", None, teams=mine))
        return highest(known, offers.teams) if self.in_more else known


def payer_of(lab: Lab, person: Person | None, teams: tuple[Team, ...], *, asked: bool = True) -> Payer:
    """`person`: the lab's owner, if known. `asked`: `teams` include those of the user pool."""
    owner = identity_of(lab.owner)
    identities = frozenset({owner, *(person.identities if person else ())})
    return Payer(owner, identities, teams, not asked and in_a_pool(identities))


def judge_longer(lab: Lab, before: Lab, offers: Offers, payer: Payer, sums: Sums) -> None:
    """Raise MonthOverBudget if the lab costs more than before and exceeds its owner's ceilings."""
    if foreseen(lab) <= foreseen(before):
        return
    ceilings = payer.ceilings(offers)
    refuse_dear(0, foreseen(lab), ceilings, at_least=False)
    refuse_unapproved(foreseen(lab), ceilings)
    judge_months(lab, ceilings.months, sums, before)
    judge_teams(lab, offers, payer, sums, before)


def judge_months(lab: Lab, months: MonthCeilings, sums: Sums, before: Lab | None = None) -> None:
    """Raise MonthOverBudget if the addition does not fit into a month of its owner, shared role, or the installation."""
    wanted = {
        (month, scope, whose): (added, most)
        for month, added in _added(lab, before).items()
        for scope, whose in sums_of(lab)
        if (most := months.most(scope)) is not None
    }
    kept = sums.sums_at(tuple(wanted)) if wanted else {}
    for (month, scope, whose), (added, most) in wanted.items():
        there = kept[month, scope, whose].get(COST, 0)
        if there + added > most:
            raise MonthOverBudget(scope, added, most, there, month)


def judge_teams(lab: Lab, offers: Offers, payer: Payer, sums: Sums, before: Lab | None = None) -> None:
    """Raise MonthOverBudget if it does not fit into a month of a team that one of its owner's identities belongs to."""
    together = team_ceilings(offers.max_usd_month, offers.teams, payer.teams)
    added = _added(lab, before)
    people = sums.month_people(tuple(added)) if together and added else {}
    for month, each in people.items():
        known = payer.identities.union(*(one.identities for one in each if one.whose == lab.counted_as))
        for team, ceiling in together:
            if team.has(*known):
                mates = (one for one in each if one.whose == lab.counted_as or team.has(*one.identities))
                _judge_team(ceiling, month, added[month], mates)


def _judge_team(ceiling: float, month: str, added: int, people: Iterable[MonthSum]) -> None:
    """Raise MonthOverBudget if it does not fit into the team's ceiling for labs of these people in the month.

    The owner of the lab is one of them, with all labs of their other identities.
    """
    there = sum(one.amounts.get(COST, 0) for one in people)
    most = micro(ceiling) or 0
    if there + added > most:
        raise MonthOverBudget(Scope.TEAM, added, most, there, month)


def _added(lab: Lab, before: Lab | None) -> Mapping[str, int]:
    """The addition to the lab's reservation by month, without months that it does not change."""
    already = spending(before) if before else {}
    costs = {
        month: amounts.get(COST, 0) - already.get(month, {}).get(COST, 0) for month, amounts in spending(lab).items()
    }
    return {month: added for month, added in costs.items() if added > 0}
