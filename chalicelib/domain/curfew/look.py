"""Decides the hourly run's act on a due lab that is at rest. Pure; read it from top to bottom.

`workflows/night/examine.py` loads the facts of a LookContext before, and carries the decision out after.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.decision import lifts_shield, no_holidays
from chalicelib.domain.curfew.extension import longest_life
from chalicelib.domain.curfew.messages.limit import Limit
from chalicelib.domain.curfew.next_event import DAY, SOON, NextEvent, closing, lease_end_event, next_event
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.curfew.wakeup import Waking, decide_waking, stays_awake
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Holidays, format_local

#: An agreed end is announced this long before it at the latest, even if EKS did not tell the cluster's protection.
_LATEST = timedelta(hours=2)


@dataclass(frozen=True)
class LookLater:
    """Look again at `at`. `passed`: why the lab is not on the plan for the curfew that it faced; `waking`: when it wakes."""

    at: datetime
    passed: str = ""
    waking: Waking | None = None


@dataclass(frozen=True)
class ActOnEntry:
    """The time of the lab's entry has come."""

    entry: Entry


@dataclass(frozen=True)
class PlanEvent:
    """Publish an entry for the event."""

    event: NextEvent
    passed: str = ""


@dataclass(frozen=True)
class PutOffEnd:
    """The event is near, and something protects the cluster: tell its owner, and look again at `at`."""

    event: NextEvent
    at: datetime
    passed: str = ""
    waking: Waking | None = None


@dataclass(frozen=True)
class WakeLab:
    """Bring back the nodes of a sleeping lab."""

    waking: Waking


LookDecision = LookLater | ActOnEntry | PlanEvent | PutOffEnd | WakeLab


@dataclass(frozen=True)
class LookContext:
    """The facts of one look. `entry`: the lab's entry on a plan, if one stands; `faces`: the next event of a lab without one.

    `verdict`: None if the lab's use was not, or could not be, judged. `shield`: the protection of its cluster
    (`decision.shield_of`); `unseen`: EKS did not tell the protection. `gone`: EKS has no cluster of this lab. `upgrade_at`: the
    earliest time at which AWS may upgrade the control plane. `limit`: the month's ceiling that its owner has reached,
    if labs in use sleep for it.
    """

    lab: Lab
    entry: Entry | None
    faces: NextEvent
    rules: CurfewRules
    now: datetime
    verdict: Verdict | None = None
    shield: str = ""
    unseen: bool = False
    gone: bool = False
    upgrade_at: datetime | None = None
    limit: Limit | None = None
    holidays: Holidays = no_holidays


def decide_look(context: LookContext) -> LookDecision:
    """Decide for a lab that is due at `now`."""
    lab, entry, rules, now = context.lab, context.entry, context.rules, context.now
    if entry is not None and entry.at <= now:
        return ActOnEntry(entry)
    if lab.phase is Phase.HIBERNATED:
        return _decide_asleep(context)
    if entry is not None:
        return LookLater(entry.at)
    if lab.phase is Phase.LOST or context.gone:
        return PlanEvent(closing(lab, rules, now))
    if context.faces.look_at(rules) > now:
        return LookLater(context.faces.look_at(rules))
    if context.verdict is None:
        return LookLater(now + SOON)
    return _decide_awake(context, context.verdict)


def _decide_awake(context: LookContext, verdict: Verdict) -> LookDecision:
    """Plan the event that the lab faces, or the one after it where the curfew spares the lab."""
    lab, event, rules, now = context.lab, context.faces, context.rules, context.now
    passed = _why_spared(context, verdict) if event.trigger is Trigger.IDLE else ""
    if passed and context.limit is not None and not _why_untouched(context, AtCurfew.HIBERNATE):
        return PlanEvent(replace(event, act=AtCurfew.HIBERNATE, trigger=Trigger.LIMIT))
    if passed:
        event = next_event(lab, rules, now, context.holidays, after=event.at)
        if event.trigger is Trigger.IDLE or event.look_at(rules) > now:
            return LookLater(max(event.look_at(rules), now + SOON), passed=passed)
    if event.trigger is not Trigger.IDLE and context.unseen and now + _LATEST < event.at:
        return LookLater(now + SOON)
    if event.trigger is not Trigger.IDLE and context.shield and not lifts_shield(lab, event.trigger, rules, event.at):
        return PutOffEnd(event, _after_put_off(context), passed)
    return PlanEvent(event, passed)


def _decide_asleep(context: LookContext) -> LookDecision:
    """Wake the lab in its morning or ahead of an upgrade; its lease ends it like any other. Without a cluster it never wakes."""
    lab, rules, now = context.lab, context.rules, context.now
    ends = lease_end_event(lab, rules, now)
    if context.gone and context.entry is None:
        return PlanEvent(closing(lab, rules, now))
    waking = Waking(None, "", None) if context.gone else decide_waking(lab, context.upgrade_at, context.holidays)
    if waking.at is not None and waking.at <= now and rules.mode is Mode.ON:
        return WakeLab(waking)
    if context.entry is not None:
        return LookLater(_or_waking(context.entry.at, waking, now), waking=waking)
    if ends.look_at(rules) > now:
        return LookLater(_or_waking(ends.look_at(rules), waking, now), waking=waking)
    if context.shield and not lifts_shield(lab, ends.trigger, rules, ends.at):
        return PutOffEnd(ends, _or_waking(_after_put_off(context), waking, now), waking=waking)
    return PlanEvent(ends)


def _why_spared(context: LookContext, verdict: Verdict) -> str:
    """Why the curfew that the lab faces does not affect it; empty if it is planned for."""
    return _why_untouched(context, context.faces.act) if verdict.idle else verdict.sentence


def _why_untouched(context: LookContext, act: AtCurfew) -> str:
    """The reason why a curfew may not touch the lab, idle or not; empty if it may."""
    lab, event, rules = context.lab, context.faces, context.rules
    if context.shield:
        return context.shield
    if context.now + timedelta(minutes=rules.notice_minutes) > event.at + timedelta(hours=rules.late_hours):
        return Sentence("nobody could be warned in time any more.")
    if act is AtCurfew.HIBERNATE and context.upgrade_at and stays_awake(context.upgrade_at, event.at):
        at = format_local(lab.spec.schedule, context.upgrade_at)
        return Sentence("It stays awake, for AWS may upgrade its control plane from {at} on.", at=at)
    return ""


def _after_put_off(context: LookContext) -> datetime:
    """A day later, but in time to plan the lab's last end, which no protection puts off."""
    last = longest_life(context.lab, context.rules) - timedelta(hours=context.rules.lead_hours)
    return context.now + DAY if last <= context.now else min(context.now + DAY, last)


def _or_waking(at: datetime, waking: Waking, now: datetime) -> datetime:
    """The time at which the lab wakes, if that is earlier. A dry run leaves a due waking to the next run."""
    return at if waking.at is None else min(at, max(waking.at, now + SOON))
