"""What a lab may cost, judged before it is stored: its own ceilings here, those of months by the store as it reserves.

A team's ceiling is a sum that is read: two requests at one moment may pass it together by one lab. Which teams a lab is of
follows from who its owner is, by all the identities they are known by, not from the one that asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.costs import meter_of, most_hourly
from chalicelib.domain.errors.findings import Finding, warning
from chalicelib.domain.errors.tree import OverBudget
from chalicelib.domain.identity.callers import Caller, Team, identity_of
from chalicelib.domain.identity.person import Person, identity_key
from chalicelib.domain.labs.approval import awaiting
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO, Meter
from chalicelib.domain.labs.spec import LabSpec, SupportPolicy
from chalicelib.domain.labs.spending import COST, MonthCeilings, Scope, foreseen, spending, sums_of
from chalicelib.domain.requests.ceilings import Ceilings, micro, refuse_dear, team_ceilings, why_ask
from chalicelib.domain.requests.offers import Offers, ceilings_for
from chalicelib.domain.support.calendar import Calendar
from chalicelib.ports.deps import Deps


@dataclass(frozen=True)
class Budget:
    """What was judged of a lab's price. `months`: the ceilings that the store judges."""

    ceilings: Ceilings
    months: MonthCeilings


def meter_for(deps: Deps, spec: LabSpec, calendar: Calendar) -> Meter:
    """The meter of a lab that is asked for now, at the prices of now."""
    entry = calendar.get(spec.version)
    billed = spec.support_policy is SupportPolicy.EXTENDED and entry is not None
    extended_from = entry.end_of_standard if billed and entry else None
    return meter_of(spec, deps.curfew.prices(spec.region), extended_from, deps.curfew.zone)


def judge_price(
    deps: Deps, caller: Caller, lab: Lab, offers: Offers, before: Lab | None = None, person: Person | None = None
) -> Budget:
    """What the caller's labs may cost. `before`: the lab as it is stored; `person`: its owner, where they were read before.

    Raises OverBudget of the lab, or of a team.
    """
    ceilings = ceilings_for(offers, caller)
    extended = lab.spec.support_policy is SupportPolicy.EXTENDED
    hour = round(most_hourly(lab.spec, deps.curfew.prices(lab.region), extended) * MICRO)
    refuse_dear(hour, foreseen(lab), ceilings, at_least=bool(lab.meter and lab.meter.unknown))
    every = {team.name: team for team in (*deps.curfew.teams, *caller.teams)}
    if together := team_ceilings(offers.max_usd_month, offers.teams, every.values()):
        _judge_teams(deps, lab, together, before, person)
    return Budget(ceilings, ceilings.months)


def owners_ceilings(deps: Deps, lab: Lab, before: Lab) -> MonthCeilings | None:
    """The months' ceilings of the lab's own owner, whoever has it last longer; None if it doesn't. Raises OverBudget."""
    if foreseen(lab) <= foreseen(before):
        return None
    offers, owner = deps.store.offers(), identity_of(lab.owner)
    teams = tuple(team for team in deps.curfew.teams if team.has(owner))
    if together := team_ceilings(offers.max_usd_month, offers.teams, deps.curfew.teams):
        _judge_teams(deps, lab, together, before, None)
    return ceilings_for(offers, Caller(owner, deps.watch.home, None, teams=teams)).months


def with_approval(
    deps: Deps, caller: Caller, lab: Lab, budget: Budget, now: datetime
) -> tuple[Lab, tuple[Finding, ...]]:
    """The lab waiting for an approver, and why, if its price asks for one; else as it is."""
    unknown = lab.meter.unknown if lab.meter else ()
    live = deps.curfew.prices(lab.region).live
    why = why_ask(foreseen(lab), budget.ceilings, unknown, live=live)
    if why is None:
        return lab, ()
    message = f"An approver must agree first: {why}. Nothing is made before."
    return awaiting(lab, why, caller.is_admin, now), (warning("", "needs-approval", message),)


def judge_months(deps: Deps, lab: Lab, months: MonthCeilings) -> None:
    """For a dry run: judge by the sums as they are now what the store would judge. Raises OverBudget."""
    for month, amounts in spending(lab).items():
        for scope, whose in sums_of(lab):
            most, added = months.most(scope), amounts[COST]
            there = deps.store.month_sums(month, scope).get(whose, {}).get(COST, 0) if most is not None else 0
            if most is not None and there + added > most:
                raise OverBudget(scope, added, most, there, month)


def _judge_teams(
    deps: Deps, lab: Lab, together: Sequence[tuple[Team, float]], before: Lab | None, person: Person | None
) -> None:
    """By every team that one of the owner's identities makes them a member of, whichever of them they call by."""
    known = person or (deps.people.person_by_key(identity_key(lab.owner)) if before else None)
    mine = {identity_of(lab.owner), *(known.identities if known else ())}
    already = spending(before) if before else {}
    for month, amounts in spending(lab).items():
        added = amounts[COST] - already.get(month, {}).get(COST, 0)
        people = deps.store.month_people(month) if added > 0 else ()
        here = mine.union(*(one.identities for one in people if one.whose == lab.counted_as))
        for team, ceiling in together:
            there = sum(one.amounts.get(COST, 0) for one in people if team.has(*one.identities))
            most = micro(ceiling) or 0
            if added > 0 and team.has(*here) and there + added > most:
                raise OverBudget(Scope.TEAM, added, most, there, month)
