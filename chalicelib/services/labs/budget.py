"""Judges a lab's cost before it is stored: its own ceilings here, those of months in the store as it reserves.

A team's ceiling is compared with a sum that is read: two concurrent requests may exceed it together by one lab. A lab's teams
follow from its owner, with all known identities, not from the identity of the request (`domain/requests/months.py`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import meter_of, most_hourly
from chalicelib.domain.errors.findings import Finding, warning
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.identity.person import Person, identity_key
from chalicelib.domain.identity.user_pools import all_teams, pool_user
from chalicelib.domain.labs.approval import awaiting
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO, Meter
from chalicelib.domain.labs.spec import LabSpec, SupportPolicy
from chalicelib.domain.labs.spending import MonthCeilings, foreseen
from chalicelib.domain.requests.ceilings import Ceilings, refuse_dear, refuse_unapproved, why_ask
from chalicelib.domain.requests.months import Payer, judge_longer, judge_months, judge_teams, payer_of
from chalicelib.domain.requests.offers import Offers
from chalicelib.domain.support.calendar import Calendar
from chalicelib.ports.deps import Deps


@dataclass(frozen=True)
class Budget:
    """The result of judging a lab's price. `months`: the ceilings that the store applies."""

    ceilings: Ceilings
    months: MonthCeilings


def meter_for(deps: Deps, spec: LabSpec, calendar: Calendar) -> Meter:
    """The meter of a lab that is requested now, at present prices."""
    entry = calendar.get(spec.version)
    billed = spec.support_policy is SupportPolicy.EXTENDED and entry is not None
    extended_from = entry.end_of_standard if billed and entry else None
    return meter_of(spec, deps.curfew.prices(spec.region), extended_from, deps.curfew.zone)


def judge_price(
    deps: Deps, caller: Caller, lab: Lab, offers: Offers, before: Lab | None = None, person: Person | None = None
) -> Budget:
    """The owner's budget for the lab. `before`: the stored lab; `person`: its owner, if already read.

    A change that does not raise the cost is never refused. Raises OverBudget of the lab, or of a team.
    """
    payer = _payer(deps, lab, caller, person, known=before is None)
    ceilings = payer.ceilings(offers)
    if before is not None and foreseen(lab) <= foreseen(before):
        return Budget(ceilings, ceilings.months)
    extended = lab.spec.support_policy is SupportPolicy.EXTENDED
    hour = round(most_hourly(lab.spec, deps.curfew.prices(lab.region), extended) * MICRO)
    refuse_dear(hour, foreseen(lab), ceilings, at_least=bool(lab.meter and lab.meter.unknown))
    # An approver may, but not for their own labs, under any of their names.
    if before is not None and not (caller.is_admin and not any(map(caller.may_be, payer.identities))):
        refuse_unapproved(foreseen(lab), ceilings)
    judge_teams(lab, offers, payer, deps.store, before)
    return Budget(ceilings, ceilings.months)


def judge_keeping(deps: Deps, lab: Lab, before: Lab) -> MonthCeilings | None:
    """The months' ceilings of the lab's owner, who need not be the caller; None if the lease gets no longer. Raises OverBudget."""
    if foreseen(lab) <= foreseen(before):
        return None
    offers, payer = deps.store.offers(), _payer(deps, lab)
    judge_longer(lab, before, offers, payer, deps.store)
    return payer.ceilings(offers).months


def judge_approved(deps: Deps, lab: Lab, before: Lab) -> MonthCeilings:
    """The months' ceilings of an approved lab. Its lease begins now, maybe in another month. Raises OverBudget."""
    offers, payer = deps.store.offers(), _payer(deps, lab)
    months = payer.ceilings(offers).months
    judge_months(lab, months, deps.store, before)
    judge_teams(lab, offers, payer, deps.store, before)
    return months


def with_approval(
    deps: Deps, caller: Caller, lab: Lab, budget: Budget, now: datetime
) -> tuple[Lab, tuple[Finding, ...]]:
    """The lab waiting for an approver, with the reason, if its price requires one; else unchanged."""
    unknown = lab.meter.unknown if lab.meter else ()
    live = deps.curfew.prices(lab.region).live
    why = why_ask(foreseen(lab), budget.ceilings, unknown, live=live)
    if why is None:
        return lab, ()
    message = Sentence("An approver must agree first: {why}. Nothing is made before.", why=why)
    return awaiting(lab, why, caller.is_admin, now), (warning("", "needs-approval", message),)


def _payer(
    deps: Deps, lab: Lab, caller: Caller | None = None, person: Person | None = None, *, known: bool = False
) -> Payer:
    """The person whose months the lab is in. `known`: the owner was read before, and is `person`."""
    owner = person if person or known else deps.people.person_by_key(identity_key(lab.owner))
    payer = payer_of(lab, owner, deps.curfew.teams)
    groups = (_teams_of(deps, each, caller) for each in sorted(payer.identities))
    return replace(payer, teams=all_teams(payer.teams, caller.teams if caller else (), *groups))


def _teams_of(deps: Deps, identity: str, caller: Caller | None) -> tuple[Team, ...]:
    """The teams of the user pool's groups for one identity; the caller's own teams are known already.

    None while the pool does not answer: an action on an existing lab must not fail for a sum that is only read.
    """
    if deps.user_pool is None or pool_user(identity) is None or (caller and caller.owns(identity)):
        return ()
    try:
        standing = deps.user_pool.standing(identity)
    except (AwsRefused, Transient):
        return ()
    return standing.teams if standing else ()
