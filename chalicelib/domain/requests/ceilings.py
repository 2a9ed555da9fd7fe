"""Ceilings on a lab's cost: per hour, per lease and per month, and the cost that needs an approver. USD; None: no ceiling.

Part of the list of offers. A team's rule replaces the general one for its members; a member of several teams has the most
generous one. Months are judged by the store, in the write that reserves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import ApproverNeeded, LabTooDear
from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import MonthCeilings

#: USD; a larger amount is a typing error, not a budget.
MOST_USD = 1_000_000.0


class AtLimit(StrEnum):
    """The effect of reaching a month's ceiling, besides no new labs. HIBERNATE: labs in use sleep, after a warning."""

    ASK = "ask"
    HIBERNATE = "hibernate"


@dataclass(frozen=True)
class MonthLimits:
    """`person`: each person; `role`: all sessions of a shared role together; `team`: each team's people together."""

    person: float | None = None
    role: float | None = None
    team: float | None = None
    installation: float | None = None


@dataclass(frozen=True)
class TeamRule:
    """A team's differing ceilings. `max_usd_month`: each person; `max_usd_month_team`: all together."""

    team: str
    max_usd_hour: float | None = None
    max_usd_lease: float | None = None
    max_usd_month: float | None = None
    max_usd_month_team: float | None = None
    ask_usd: float | None = None
    instance_types: tuple[str, ...] = ()
    at_limit: AtLimit | None = None


@dataclass(frozen=True)
class Ceilings:
    """The ceilings for one caller. `teams`: the caller's teams that have a ceiling of their own, with it."""

    hour: float | None = None
    lease: float | None = None
    ask: float | None = None
    month: MonthLimits = MonthLimits()
    teams: tuple[tuple[Team, float], ...] = ()
    at_limit: AtLimit = AtLimit.ASK

    @property
    def months(self) -> MonthCeilings:
        """The ceilings that the store applies when it reserves."""
        return MonthCeilings(micro(self.month.person), micro(self.month.role), micro(self.month.installation))


def ceilings_of(usual: Ceilings, rules: Iterable[TeamRule], caller: Caller) -> Ceilings:
    """The ceilings for this caller, by the general rule and by the rules of the caller's teams."""
    mine = {team.name: team for team in caller.teams}
    theirs = [rule for rule in rules if rule.team in mine]

    def most(get: Callable[[TeamRule], float | None], otherwise: float | None) -> float | None:
        said = [value for rule in theirs if (value := get(rule)) is not None]
        return max(said) if said else otherwise

    person = most(lambda rule: rule.max_usd_month, usual.month.person)
    return Ceilings(
        most(lambda rule: rule.max_usd_hour, usual.hour),
        most(lambda rule: rule.max_usd_lease, usual.lease),
        most(lambda rule: rule.ask_usd, usual.ask),
        MonthLimits(person, usual.month.role, usual.month.team, usual.month.installation),
        team_ceilings(usual.month, theirs, mine.values()),
        min((rule.at_limit for rule in theirs if rule.at_limit is not None), default=usual.at_limit),
    )


def highest(known: Ceilings, rules: Iterable[TeamRule]) -> Ceilings:
    """The highest ceilings for somebody who may be in more teams than are known: an unknown team is no reason to act."""
    rules = tuple(rules)

    def most(get: Callable[[TeamRule], float | None], now: float | None) -> float | None:
        said = (value for rule in rules if (value := get(rule)) is not None)
        return None if now is None else max((now, *said))

    return replace(
        known,
        hour=most(lambda rule: rule.max_usd_hour, known.hour),
        lease=most(lambda rule: rule.max_usd_lease, known.lease),
        ask=most(lambda rule: rule.ask_usd, known.ask),
        month=replace(known.month, person=most(lambda rule: rule.max_usd_month, known.month.person)),
        at_limit=min((known.at_limit, *(rule.at_limit for rule in rules if rule.at_limit is not None))),
    )


def team_ceilings(
    usual: MonthLimits, rules: Iterable[TeamRule], teams: Iterable[Team]
) -> tuple[tuple[Team, float], ...]:
    """The teams with a common ceiling, by their own rule or by the general one, with it."""
    own = {rule.team: rule.max_usd_month_team for rule in rules}
    together = ((team, own.get(team.name) if own.get(team.name) is not None else usual.team) for team in teams)
    return tuple((team, ceiling) for team, ceiling in together if ceiling is not None)


def types_of(usual: tuple[str, ...], rules: Iterable[TeamRule], caller: Caller) -> tuple[str, ...]:
    """The instance types and families that the caller may request."""
    mine = {team.name for team in caller.teams}
    more = (kind for rule in rules if rule.team in mine for kind in rule.instance_types)
    return tuple(dict.fromkeys((*usual, *more)))


def refuse_dear(hour: int, lease: int, ceilings: Ceilings, *, at_least: bool) -> None:
    """Raise LabTooDear if a lab costs more an hour, with all nodes it may grow to, or for its lease. Millionths of USD."""
    of = (
        (hour, ceilings.hour, Sentence("an hour with all its nodes")),
        (lease, ceilings.lease, Sentence("to its lease's end")),
    )
    for asked, ceiling, what in of:
        most = micro(ceiling)
        if most is not None and asked > most:
            raise LabTooDear(asked, most, what, at_least=at_least)


def refuse_unapproved(lease: int, ceilings: Ceilings) -> None:
    """Raise ApproverNeeded if an existing lab would cost more to its end than is allowed without an approver."""
    ask = micro(ceilings.ask)
    if ask is not None and lease > ask:
        raise ApproverNeeded(lease, ask)


def why_ask(lease: int, ceilings: Ceilings, unknown: tuple[str, ...], *, live: bool) -> str | None:
    """Why an approver must agree to a lab; None if nobody must. `live`: the prices are from the price list itself."""
    if unknown:
        return Sentence("no price is known for {types}", types=", ".join(unknown))
    ask = micro(ceilings.ask)
    if ask is not None and lease > ask:
        return Sentence("it costs more than {amount}", amount=f"${ask / MICRO:,.2f}")
    if not live and ceilings.lease is not None and lease > (micro(ceilings.lease) or 0) // 2:
        return Sentence(
            "the price list can't be read, and by the bundled prices it costs more than half of the most that a lab may cost"
        )
    return None


def micro(amount: float | None) -> int | None:
    """USD in millionths."""
    return None if amount is None else round(amount * MICRO)
