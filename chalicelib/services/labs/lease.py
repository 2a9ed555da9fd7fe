"""Use cases of a lab's lifetime: extend its lease, protect it, change its curfew schedule.

Each sets `due_at` of a resting lab to now, so that the next curfew run decides again. A lab that is ending can't be held.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import format_second
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import Cost, LeasePrice, hourly_cost, keeping_cost, lease_price
from chalicelib.domain.curfew.extension import ExtensionDecision, ExtensionRequest, extend, last_end
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.errors.tree import InvalidRequest, NotYours, WrongPhase
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.lab import ENDING, OVER, RESTING, Lab, Phase, Protection, phase_said
from chalicelib.domain.labs.schedule import Night, Schedule, format_local, next_curfew, next_wake
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.calendar import Calendar
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.budget import judge_price, meter_for
from chalicelib.services.labs.commands import Accepted, own_lab


@dataclass(frozen=True)
class Extension:
    """The lab with its new lease, and the cost of the added hours in USD, None if a price is unknown."""

    lab: Lab
    clamped: bool
    cost: Cost
    usd: float | None


@dataclass(frozen=True)
class Coming:
    """The future of a requested lab. `usd_to_lease_end`: None if a price is unknown."""

    next_curfew: Night | None
    cost: Cost
    price: LeasePrice
    usd_to_lease_end: float | None


def extend_lab(deps: Deps, caller: Caller, lab_id: str, wish: ExtensionRequest, now: datetime) -> Extension:
    """Extend the lease, as far as requested or allowed. Raises InvalidRequest, WrongPhase, OverBudget."""
    lab, rules, decided = own_lab(deps, caller, lab_id), deps.curfew.rules(), list[ExtensionDecision]()
    refuse_ending(lab, Sentence("Its lease can't be extended"))
    fresh = meter_for(deps, lab.spec, deps.cloud(lab.place).clusters.versions())

    def extended(stored: Lab) -> Lab:
        refuse_ending(stored, Sentence("Its lease can't be extended"))
        if stored.phase is Phase.AWAITING_APPROVAL:
            message = Sentence(
                "Approvers were asked about it as it is. Delete it, and ask for one with a longer lease."
            )
            raise WrongPhase(lab_id, stored.phase, message)
        decided.append(extend(stored, wish, rules, now))
        if decided[-1].ends_at == stored.lease_ends_at:
            return stored
        return _touched(stored, stored.priced(fresh, now).leased_until(decided[-1].ends_at, now), now)

    budget = judge_price(deps, caller, extended(lab), deps.store.offers(), before=lab)
    moved = deps.store.change_lab(lab_id, extended, ceilings=budget.months)
    if moved.lease_ends_at != lab.lease_ends_at:
        message = Sentence(
            "The lease was extended to {at} by {who}.",
            at=format_local(moved.spec.schedule, moved.lease_ends_at),
            who=caller.arn,
        )
        deps.store.add_event(lab_id, Event(now, "extended", message, {"by": caller.arn}))
    cost = cost_of(deps, moved, now)
    usd = keeping_cost(cost.certain, max(lab.lease_ends_at, now), moved.lease_ends_at)
    return Extension(moved, decided[-1].clamped, cost, usd)


def protect_lab(deps: Deps, caller: Caller, lab_id: str, until: datetime | None, why: str, now: datetime) -> Accepted:
    """Protect the lab from curfews until then, or (None) end the protection. Raises NotYours, InvalidRequest, WrongPhase."""
    lab, rules = own_lab(deps, caller, lab_id), deps.curfew.rules()
    if not caller.is_admin:
        told = Sentence(
            "Labs are protected by administrators. Its owner can extend the lease, or use the link in a warning."
        )
        raise NotYours(told)
    if until is not None and until <= now:
        raise InvalidRequest([error("until", "past", "It must be later than now, {now}.", now=format_second(now))])

    def protected(stored: Lab) -> Lab:
        refuse_ending(stored, Sentence("It can't be protected"))
        if until is None:
            return _touched(stored, replace(stored, protection=None), now)
        bounded = min(until, last_end(stored, rules).replace(microsecond=0))
        return _touched(stored, replace(stored, protection=Protection(bounded, caller.arn, why)), now)

    moved = deps.store.change_lab(lab_id, protected)
    if moved.protection != lab.protection:
        deps.store.add_event(lab_id, Event(now, "protected", _describe_protection(moved, caller), {"by": caller.arn}))
    return Accepted(moved, _shortened(moved, until))


def set_schedule(deps: Deps, caller: Caller, lab_id: str, schedule: Schedule, now: datetime) -> Accepted:
    """Replace the lab's curfew schedule; a hibernated lab wakes by the new one. Raises LabNotFound, WrongPhase.

    The new schedule begins now: its earlier curfews do not count as missed.
    """
    lab = own_lab(deps, caller, lab_id)

    def changed(stored: Lab) -> Lab:
        refuse_ending(stored, Sentence("Its schedule can't be changed"))
        wakes_at = next_wake(schedule, now, deps.curfew.holidays)
        sleep = replace(stored.hibernation, wake_at=wakes_at) if stored.hibernation else None
        given = replace(stored, spec=replace(stored.spec, schedule=schedule), hibernation=sleep)
        rests = given != stored and stored.phase in RESTING
        return replace(given, due_at=now) if rests else given

    moved = deps.store.change_lab(lab_id, changed)
    if moved.spec.schedule != lab.spec.schedule:
        text = f"{schedule.curfew:%H:%M} ({schedule.time_zone}), to {schedule.at_curfew}"
        message = Sentence("Its schedule is now {schedule}.", schedule=text)
        deps.store.add_event(lab_id, Event(now, "schedule-changed", message, {"by": caller.arn}))
    return Accepted(moved)


def refuse_ending(lab: Lab, what: str) -> None:
    """Raise WrongPhase if the lab is ending or over. `what`: the refused action, as the beginning of a sentence."""
    if lab.phase in OVER | ENDING:
        raise WrongPhase(lab.id, lab.phase, "{what}: the lab is {phase}.", what=what, phase=phase_said(lab.phase))


def coming(deps: Deps, lab: Lab, calendar: Calendar, now: datetime) -> Coming:
    """The future of a requested lab: its next curfew, and its cost until its lease ends."""
    cost = cost_of(deps, lab, now, calendar)
    night = next_curfew(lab.spec.schedule, now, deps.curfew.holidays)
    extended_from = lab.meter.extended_from if lab.meter else None
    price = lease_price(lab.spec, deps.curfew.prices(lab.region), extended_from, now, lab.lasts_until)
    return Coming(night, cost, price, None if cost.unknown else price.lease)


def cost_of(deps: Deps, lab: Lab, now: datetime, known: Calendar | None = None) -> Cost:
    """The lab's present cost an hour, with extended support if it is billed. `known`: the calendar, if already read."""
    calendar = known or deps.cloud(lab.place).clusters.versions()
    support = decide_support(lab.kubernetes_version, str(lab.spec.support_policy), calendar, now)
    return hourly_cost(lab, deps.curfew.prices(lab.region), support.billed_extended)


def _touched(stored: Lab, changed: Lab, now: datetime) -> Lab:
    """The lab due for the curfew run, if it changed and no workflow is running.

    A lab that was due already keeps its time: from it the run knows which curfews were missed.
    """
    if changed == stored or changed.phase not in RESTING:
        return changed
    return replace(changed, due_at=min(stored.due_at or now, now))


def _shortened(lab: Lab, until: datetime | None) -> tuple[Finding, ...]:
    if until is None or lab.protection is None or lab.protection.until == until:
        return ()
    last = format_second(lab.protection.until)
    return (
        warning("until", "clamped", "No lab lasts longer than its allowance: it is protected until {last}.", last=last),
    )


def _describe_protection(lab: Lab, caller: Caller) -> str:
    protection = lab.protection
    if protection is None:
        return Sentence("It is protected no longer: {who}.", who=caller.arn)
    return Sentence(
        "It is protected until {at} by {who}: {why}",
        at=format_local(lab.spec.schedule, protection.until),
        who=caller.arn,
        why=protection.why,
    )
