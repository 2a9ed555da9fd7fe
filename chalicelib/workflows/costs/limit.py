"""Monthly ceilings that are reached: the five-minute run asks each affected owner once to end some labs.

If `atLimit` says so, the next curfew also hibernates labs in use: owners are warned, and can keep them, as usual.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.recipients import recipient_of
from chalicelib.domain.curfew.messages.limit import Limit, is_reached, limit_message
from chalicelib.domain.identity.callers import Caller, shared_role
from chalicelib.domain.identity.person import identity_key
from chalicelib.domain.identity.user_pools import in_a_pool
from chalicelib.domain.labs.lab import ALIVE, Lab
from chalicelib.domain.labs.spending import COST, MonthSum, Scope
from chalicelib.domain.requests.ceilings import AtLimit, Ceilings, highest, micro
from chalicelib.domain.requests.offers import Offers, ceilings_for
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.posts import each_alone, post

#: Mails per run; the next run sends the others.
_AT_ONCE = 20


def ask_at_limits(deps: Deps, now: datetime) -> int:
    """Post the mails that are due; return their number. A failure comes up once all others are posted."""
    offers = deps.store.offers()
    if not _has_ceilings(offers):
        return 0
    month = f"{now.astimezone(ZoneInfo(deps.curfew.zone)):%Y-%m}"
    sums, told, sent = _sums_of(deps, offers, month), deps.store.month_told(month), 0
    with each_alone() as alone:
        for one in sums.people:
            with alone(one.whose):
                limit = next(iter(_limits(deps, offers, sums, one)), None)
                if limit is not None and f"{limit.name}#{one.whose}" not in told and sent < _AT_ONCE:
                    sent += _sent(deps, limit, one, now)
    return sent


def limits_that_sleep(deps: Deps, now: datetime) -> Mapping[str, tuple[Limit, ...]]:
    """The ceilings that each person is at, by person, where the rule hibernates labs in use. Reads no lab."""
    offers = deps.store.offers()
    said = (offers.at_limit, *(rule.at_limit for rule in offers.teams))
    if AtLimit.HIBERNATE not in said or not _has_ceilings(offers):
        return {}
    month = f"{now.astimezone(ZoneInfo(deps.curfew.zone)):%Y-%m}"
    sums = _sums_of(deps, offers, month)
    found = {
        one.whose: tuple(limit for limit in _limits(deps, offers, sums, one) if limit.sleeps) for one in sums.people
    }
    return {whose: limits for whose, limits in found.items() if limits}


def _has_ceilings(offers: Offers) -> bool:
    usual = offers.max_usd_month
    of_teams = (amount for rule in offers.teams for amount in (rule.max_usd_month, rule.max_usd_month_team))
    known = (usual.person, usual.role, usual.team, usual.installation, *of_teams)
    return any(amount is not None for amount in known)


@dataclass(frozen=True)
class _Sums:
    """A month's sums of people, of shared roles and of teams by their names."""

    month: str
    people: tuple[MonthSum, ...]
    roles: Mapping[str, Mapping[str, int]]
    teams: Mapping[str, int]

    @cached_property
    def total(self) -> int:
        """The cost of everybody's labs, in millionths of USD."""
        return _cost(self.people)


def _sums_of(deps: Deps, offers: Offers, month: str) -> _Sums:
    roles = deps.store.month_sums(month, Scope.ROLE) if offers.max_usd_month.role is not None else {}
    people = deps.store.month_people([month])[month]
    teams = {team.name: _cost(one for one in people if team.has(*one.identities)) for team in deps.curfew.teams}
    return _Sums(month, people, roles, teams)


def _cost(people: Iterable[MonthSum]) -> int:
    return sum(each.amounts.get(COST, 0) for each in people)


def _limits(deps: Deps, offers: Offers, sums: _Sums, one: MonthSum) -> tuple[Limit, ...]:
    """The ceilings that this person is at, without those that a group of the user pool, unreadable here, may raise."""
    teams = tuple(team for team in deps.curfew.teams if team.has(*one.identities))
    known = ceilings_for(offers, Caller(one.identities[0], deps.watch.home, None, teams=teams))
    limits, surely = (tuple(_limits_of(sums, one, each)) for each in (known, highest(known, offers.teams)))
    return surely if limits != surely and _may_be_in_groups(deps, one) else limits


def _may_be_in_groups(deps: Deps, one: MonthSum) -> bool:
    if in_a_pool(one.identities):
        return True
    person = deps.people.person_by_key(identity_key(one.whose))
    return person is not None and in_a_pool(person.identities)


def _limits_of(sums: _Sums, one: MonthSum, ceilings: Ceilings) -> Iterator[Limit]:
    """The ceilings that this person is at, narrowest first."""
    month, mine = sums.month, one.amounts.get(COST, 0)
    sleeps = ceilings.at_limit is AtLimit.HIBERNATE
    if is_reached(mine, ceilings.months.person):
        yield Limit(month, Scope.PERSON, one.whose, ceilings.months.person or 0, mine, sleeps)
    for role in sorted({role for identity in one.identities if (role := shared_role(identity)) is not None}):
        used = sums.roles.get(role, {}).get(COST, 0)
        if is_reached(used, ceilings.months.role):
            yield Limit(month, Scope.ROLE, role, ceilings.months.role or 0, used, sleeps)
    for team, ceiling in ceilings.teams:
        used = sums.teams[team.name]
        if is_reached(used, micro(ceiling)):
            yield Limit(month, Scope.TEAM, team.name, micro(ceiling) or 0, used, sleeps)
    if is_reached(sums.total, ceilings.months.installation):
        yield Limit(month, Scope.INSTALLATION, "", ceilings.months.installation or 0, sums.total, sleeps)


def _sent(deps: Deps, limit: Limit, one: MonthSum, now: datetime) -> int:
    labs = [lab for identity in one.identities for lab in _living(deps, identity) if limit.covers(lab)]
    if not labs:
        return 0
    name = f"{limit.name}#{one.whose}"
    post(deps, [limit_message(limit, recipient_of(one.whose), labs, deps.watch.home, now)], f"{limit.month} {name}")
    deps.store.note_month_told(limit.month, name, now)
    return 1


def _living(deps: Deps, owner: str) -> tuple[Lab, ...]:
    return deps.store.list_labs(owner, ALIVE, 100, None).items
