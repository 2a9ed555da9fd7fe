"""Decides what the curfew run does about a lab that is due: `decide_look`, read from top to bottom. Pure.

`workflows/night/examine.py` loads the facts (LookContext), and carries out the decision.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.decision import exemption, is_last, is_protected, no_holidays
from chalicelib.domain.curfew.extension import longest_life
from chalicelib.domain.curfew.messages.limit import Limit
from chalicelib.domain.curfew.next_event import (
    DAY,
    SOON,
    NextEvent,
    closing,
    event_after,
    lease_end_event,
    next_event,
    replanning_at,
)
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, PlanLine, Trigger
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Holidays, format_local, next_wake

#: An agreed end is planned at least this long ahead, even if EKS did not return the cluster's protection.
_LATEST = timedelta(hours=2)
#: How long before a possible upgrade by AWS the lab wakes.
_AHEAD_OF_UPGRADE = timedelta(hours=48)


@dataclass(frozen=True)
class Waking:
    """When the lab wakes next (None: only on request), and why. `by_clock`: its next scheduled morning."""

    at: datetime | None
    reason: str
    by_clock: datetime | None


@dataclass(frozen=True)
class LookLater:
    """Look again at `at`. `passed`: why the coming curfew spares the lab, if it does; `waking`: when a sleeping lab wakes."""

    at: datetime
    passed: str = ""
    waking: Waking | None = None


@dataclass(frozen=True)
class FreeEntry:
    """Take the lab off the plan: its entry is settled, or no longer applies. Then decide once more (`without_entry`).

    `reason`: why to skip the entry; empty if it is settled already. `by_people`: a person's change caused it, so no message is
    sent.
    """

    line: PlanLine
    reason: str = ""
    by_people: bool = False


@dataclass(frozen=True)
class ActOnEntry:
    """The lab's entry is due: decide and act on it (`decision.py`)."""

    entry: Entry


@dataclass(frozen=True)
class PlanEvent:
    """Put the lab on the plan for the event. `passed`: as in LookLater."""

    event: NextEvent
    passed: str = ""


@dataclass(frozen=True)
class PutOffEnd:
    """The agreed end `event` is near, but the cluster is protected: tell the owner, and look again at `at`."""

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
    """The facts of one look. `line`: the lab's line of a plan, if it is on one; `event`: its next event, used if it is on none.

    `verdict`: None if the lab's use was not, or could not be, judged. `shield`: the protection of its cluster
    (`decision.shield_of`); `unseen`: EKS did not return the protection. `gone`: EKS has no cluster of this lab. `upgrade_at`: the
    earliest time at which AWS may upgrade the control plane. `limit`: the monthly ceiling that its owner has reached, if that
    ceiling hibernates labs in use.
    """

    lab: Lab
    line: PlanLine | None
    event: NextEvent
    rules: CurfewRules
    now: datetime
    verdict: Verdict | None = None
    shield: str = ""
    unseen: bool = False
    gone: bool = False
    upgrade_at: datetime | None = None
    limit: Limit | None = None
    holidays: Holidays = no_holidays

    @property
    def entry(self) -> Entry | None:
        """The lab's entry on a plan."""
        return self.line.entry if self.line else None


def needs_verdict(context: LookContext) -> bool:
    """Whether the lab's use must be judged: its next event is to be planned now, or its entry for idleness is due."""
    lab, entry = context.lab, context.entry
    if lab.phase is not Phase.READY:
        return False
    if entry is None:
        return context.event.look_at(context.rules) <= context.now
    return entry.trigger is Trigger.IDLE and entry.at <= context.now


def decide_look(context: LookContext) -> LookDecision:
    """Decide for a lab that is due at `now`, after `free_entry` found nothing to take off the plan."""
    lab, entry, rules, now = context.lab, context.entry, context.rules, context.now
    if entry is not None and entry.at <= now:
        return ActOnEntry(entry)
    if lab.phase is Phase.HIBERNATED:
        return _decide_asleep(context)
    if entry is not None:
        return LookLater(entry.at)
    if lab.phase is Phase.LOST or context.gone:
        return PlanEvent(closing(lab, rules, now))
    if context.event.look_at(rules) > now:
        return LookLater(context.event.look_at(rules))
    if context.verdict is None:
        return LookLater(now + SOON)
    return _decide_awake(context, context.verdict)


def free_entry(context: LookContext) -> FreeEntry | None:
    """The decision to take the lab off the plan, which needs no fact from AWS; None if the entry stands, or its act began."""
    if context.line is None:
        return None
    lab, (entry, status) = context.lab, context.line
    if status.outcome in SETTLED:
        return FreeEntry(context.line)
    exempt = exemption(lab, entry, context.holidays) if status.outcome is EntryOutcome.STANDING else ""
    return FreeEntry(context.line, exempt, by_people=not is_protected(lab, entry)) if exempt else None


def without_entry(context: LookContext, freed: Lab) -> LookContext | None:
    """The facts about a lab that came off the plan. None if its next event is not to be planned yet: a later run looks at it."""
    entry, rules, now, holidays = context.entry, context.rules, context.now, context.holidays
    if entry is None or freed.planned is not None or freed.phase is not Phase.READY:
        return None
    if replanning_at(freed, entry, rules, now, holidays) > now:
        return None
    return replace(context, lab=freed, line=None, event=event_after(freed, entry, rules, now, holidays))


def _decide_awake(context: LookContext, verdict: Verdict) -> LookDecision:
    """Plan the next event of a lab in use or idle; if the curfew spares the lab, decide about the event after it."""
    event, rules, now = context.event, context.rules, context.now
    if event.trigger is not Trigger.IDLE:
        return _decide_end(context, event)
    passed = _why_untouched(context, event.act) if verdict.idle else verdict.sentence
    if not passed:
        return PlanEvent(event)
    if context.limit is not None and not _why_untouched(context, AtCurfew.HIBERNATE):
        return PlanEvent(replace(event, act=AtCurfew.HIBERNATE, trigger=Trigger.LIMIT))
    later = next_event(context.lab, rules, now, context.holidays, after=event.at)
    if later.trigger is Trigger.IDLE or later.look_at(rules) > now:
        return LookLater(max(later.look_at(rules), now + SOON), passed)
    return _decide_end(context, later, passed)


def _decide_end(context: LookContext, event: NextEvent, passed: str = "") -> LookDecision:
    """Plan an agreed end, or postpone it while the cluster is protected. `passed`: as in the decisions."""
    if context.unseen and context.now + _LATEST < event.at:
        return LookLater(context.now + SOON)
    if context.shield and not is_last(context.lab, event.trigger, context.rules, event.at):
        return PutOffEnd(event, _after_put_off(context), passed)
    return PlanEvent(event, passed)


def _decide_asleep(context: LookContext) -> LookDecision:
    """Wake a sleeping lab in its morning or ahead of an upgrade; plan its end when its lease ends, or when its cluster is gone."""
    lab, rules, now = context.lab, context.rules, context.now
    ends = lease_end_event(lab, rules, now)
    if context.gone and context.entry is None:
        return PlanEvent(closing(lab, rules, now))
    waking = Waking(None, "", None) if context.gone else _decide_waking(lab, context.upgrade_at, context.holidays)
    if waking.at is not None and waking.at <= now and rules.mode is Mode.ON:
        return WakeLab(waking)
    if context.entry is not None:
        return LookLater(_or_waking(context.entry.at, waking, now), waking=waking)
    if ends.look_at(rules) > now:
        return LookLater(_or_waking(ends.look_at(rules), waking, now), waking=waking)
    if context.shield and not is_last(lab, ends.trigger, rules, ends.at):
        return PutOffEnd(ends, _or_waking(_after_put_off(context), waking, now), waking=waking)
    return PlanEvent(ends)


def _decide_waking(lab: Lab, upgrade_at: datetime | None, holidays: Holidays) -> Waking:
    """The first morning after the lab hibernated, or 48 hours before an upgrade by AWS, which needs nodes, if that is earlier.

    A failed wake is not repeated before the next morning: the owner was told, and can request it.
    """
    since = max(lab.phase_since, lab.hibernation.since) if lab.hibernation else lab.phase_since
    morning = next_wake(lab.spec.schedule, since, holidays)
    early = None if upgrade_at is None else upgrade_at - _AHEAD_OF_UPGRADE
    if early is not None and (morning is None or early < morning) and early > since:
        message = format_local(lab.spec.schedule, upgrade_at or early)
        return Waking(
            early,
            Sentence("AWS may upgrade its control plane from {at} on, which would find no nodes.", at=message),
            morning,
        )
    return Waking(morning, Sentence("Its morning has come."), morning)


def _why_untouched(context: LookContext, act: AtCurfew) -> str:
    """Why the curfew must not do `act` to the lab, even if it is idle; empty if it may."""
    lab, event, rules = context.lab, context.event, context.rules
    if context.shield:
        return context.shield
    if context.now + timedelta(minutes=rules.notice_minutes) > event.at + timedelta(hours=rules.late_hours):
        return Sentence("nobody could be warned in time any more.")
    if act is AtCurfew.HIBERNATE and context.upgrade_at and context.upgrade_at - _AHEAD_OF_UPGRADE <= event.at:
        at = format_local(lab.spec.schedule, context.upgrade_at)
        return Sentence("It stays awake, for AWS may upgrade its control plane from {at} on.", at=at)
    return ""


def _after_put_off(context: LookContext) -> datetime:
    """A day later, but in time to plan the lab's final end, which protection can't delay."""
    last = longest_life(context.lab, context.rules) - timedelta(hours=context.rules.lead_hours)
    return context.now + DAY if last <= context.now else min(context.now + DAY, last)


def _or_waking(at: datetime, waking: Waking, now: datetime) -> datetime:
    """`at`, or the time at which the lab wakes if that is earlier. A dry run wakes no lab: the next run looks again."""
    return at if waking.at is None else min(at, max(waking.at, now + SOON))
