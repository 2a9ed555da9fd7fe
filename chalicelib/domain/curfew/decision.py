"""Decides whether a planned act is carried out now: `decide_entry`, read from top to bottom. Pure.

All conditions of ADR 7 must hold; missing data spares the lab. The curfew run calls it right before each act.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.extension import longest_life
from chalicelib.domain.curfew.plan import AT_CURFEW, Basis, Entry, EntryStatus, Trigger
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import ENDING, OVER, RESTING, Lab, Phase, phase_said
from chalicelib.domain.labs.schedule import AtCurfew, Holidays, format_local, next_curfew
from chalicelib.domain.teardown.adoption import PROTECTED_TAG

#: Values of the tag that mean no; anything else on a cluster protects it.
_NO = frozenset({"", "0", "false", "no", "off"})
_TICK = timedelta(microseconds=1)
#: The time between two curfew runs.
_A_RUN = timedelta(hours=1)
TAGGED = Sentence("Its cluster carries the tag {tag}.", tag=PROTECTED_TAG)
PROTECTED = Sentence("EKS deletion protection is switched on for its cluster.")


def no_holidays(_country: str, _year: int) -> frozenset[date]:
    """For labs whose schedule has no holidays."""
    return frozenset()


class NextAction(StrEnum):
    """ACT: carry it out now. WAIT: the next run decides again. LIVE: skip the entry; the lab lives on."""

    ACT = "act"
    WAIT = "wait"
    LIVE = "live"


@dataclass(frozen=True)
class EntryDecision:
    """The action for an entry, with the reason as a sentence. `by_people`: a person's change caused it, so no message is sent."""

    then: NextAction
    reason: str
    by_people: bool = False


@dataclass(frozen=True)
class DecisionContext:
    """The facts of one decision. `held`: why the brake, the guard or a wrong plan hash holds the entry; empty if none does.

    `suspect`: the same without the brake, because damaged data holds even a lab's last end. `free_at`: when the guard releases the
    night; an agreed end is late only after that. `shield`: the protection of the cluster (`shield_of`). `gone`: EKS has no such
    cluster. `verdict`: the stored one. `at_limit`: whether the ceiling that hibernates the lab is still reached.
    """

    entry: Entry
    status: EntryStatus
    lab: Lab
    rules: CurfewRules
    now: datetime
    held: str = ""
    suspect: str = ""
    free_at: datetime | None = None
    shield: str = ""
    gone: bool = False
    verdict: Verdict | None = None
    at_limit: bool = False
    holidays: Holidays = no_holidays


def decide_entry(context: DecisionContext) -> EntryDecision:
    """Decide for an entry that is not settled. It waits until `late_after` at most; then the lab lives on."""
    if exempt := exemption(context.lab, context.entry, context.holidays):
        return EntryDecision(NextAction.LIVE, exempt, by_people=not is_protected(context.lab, context.entry))
    if context.shield and not is_last(context.lab, context.entry.trigger, context.rules, context.now):
        return EntryDecision(NextAction.LIVE, context.shield)
    if held := _why_held(context):
        return _held(context, held)
    if _is_late(context):
        return EntryDecision(
            NextAction.LIVE,
            Sentence("It was too late: more than {hours} hours after its time.", hours=context.rules.late_hours),
        )
    if changed := _why_not_any_more(context):
        return EntryDecision(NextAction.LIVE, changed)
    return EntryDecision(NextAction.ACT, context.entry.reason)


def shield_of(tags: Mapping[str, str], deletion_protection: bool) -> str:
    """The protection of a cluster: a tag, or EKS's deletion protection; empty without one."""
    if tags.get(PROTECTED_TAG, "").strip().lower() not in _NO:
        return TAGGED
    return PROTECTED if deletion_protection else ""


def is_last(lab: Lab, trigger: Trigger, rules: CurfewRules, at: datetime) -> bool:
    """Whether an end at `at` is the lab's last one: the lab reaches `endsBy` or `maxTotalHours`.

    A last end happens although the cluster is protected, its warning reached nobody, or the brake holds the night. Curfew's mode,
    an administrator's protection and the guard against damaged data stop it. It waits for its first warning, up to `late_after`.
    """
    return trigger in (Trigger.LEASE, Trigger.ADOPTED) and at >= longest_life(lab, rules).replace(microsecond=0)


def is_protected(lab: Lab, entry: Entry) -> bool:
    """Whether an administrator's protection spares the lab. The owner may not know of it, and gets a message."""
    return lab.phase in RESTING and lab.protection is not None and lab.protection.until > entry.at


def exemption(lab: Lab, entry: Entry, holidays: Holidays) -> str:
    """Why the entry no longer applies: the lab's phase, or a change by a person; empty if it applies."""
    schedule = lab.spec.schedule
    if lab.phase in OVER or lab.phase in ENDING:
        return Sentence("It is being deleted already, or is gone.")
    if lab.planned is None or lab.planned.entry_id != entry.id:
        return Sentence("It was planned anew.")
    if lab.protection is not None and lab.protection.until > entry.at:
        return Sentence(
            "It is protected until {at}: {why}", at=format_local(schedule, lab.protection.until), why=lab.protection.why
        )
    if entry.trigger in AT_CURFEW:
        return _why_kept(lab, entry) or _why_no_curfew(lab, entry, holidays)
    if entry.trigger is not Trigger.GONE and lab.lease_until > entry.at:
        return Sentence("Its lease was extended to {at}.", at=format_local(schedule, lab.lease_ends_at))
    return ""


def _why_kept(lab: Lab, entry: Entry) -> str:
    schedule, planned = lab.spec.schedule, lab.planned
    if lab.kept_until is not None and lab.kept_until > entry.at:
        return Sentence("It is kept until {at}.", at=format_local(schedule, lab.kept_until))
    agreed = planned.lease_ends_at if planned else None
    if agreed is not None and lab.lease_ends_at > agreed:
        return Sentence("Its lease was extended to {at}.", at=format_local(schedule, lab.lease_ends_at))
    if lab.phase in (Phase.HIBERNATED, Phase.HIBERNATING):
        return Sentence("It sleeps already.")
    if entry.trigger is Trigger.IDLE and schedule.at_curfew is not entry.act:
        if schedule.at_curfew is AtCurfew.HIBERNATE:
            return Sentence("Its owner chose meanwhile that curfew is to hibernate it.")
        return Sentence("Its owner chose meanwhile that curfew is to end it.")
    return ""


def _why_no_curfew(lab: Lab, entry: Entry, holidays: Holidays) -> str:
    """Why the announced curfew no longer takes place: the owner moved it, or exempted the day."""
    schedule = lab.spec.schedule
    night = next_curfew(schedule, entry.at - _TICK, holidays)
    if night is not None and night.at == entry.at:
        return ""
    if night is None:
        return Sentence("Its schedule was changed: there is no curfew any more.")
    return Sentence("Its schedule was changed: curfew is on {at} next.", at=format_local(schedule, night.at))


def _why_held(context: DecisionContext) -> str:
    entry, status, rules = context.entry, context.status, context.rules
    if context.now < entry.at:
        return Sentence("Its time has not come.")
    if rules.mode is not Mode.ON:
        if rules.mode is Mode.OFF:
            return Sentence("Curfew is switched off.")
        return Sentence("This is a dry run: nothing is touched.")
    last = is_last(context.lab, entry.trigger, rules, entry.at)
    if status.warned_at is None or status.message_id is None:
        if not last or _may_be_warned(context):
            if status.trouble:
                return Sentence("Its warning was not delivered: {trouble}", trouble=status.trouble)
            return Sentence("Its warning was not delivered.")
    elif context.now - status.warned_at < timedelta(minutes=rules.notice_minutes):
        return Sentence("Its warning was delivered less than {minutes} minutes before.", minutes=rules.notice_minutes)
    if held := context.suspect if last else context.held:
        return held
    awake = context.lab.phase is Phase.READY
    if not awake and (entry.trigger in AT_CURFEW or context.lab.phase not in (Phase.HIBERNATED, Phase.LOST)):
        return Sentence("It is {phase}.", phase=phase_said(context.lab.phase))
    return ""


def _may_be_warned(context: DecisionContext) -> bool:
    """Whether no warning was tried yet, and another run comes before the act is too late."""
    entry, status = context.entry, context.status
    never_tried = status.warned_at is None and not status.trouble
    return never_tried and context.now + _A_RUN <= entry.at + timedelta(hours=context.rules.late_hours)


def _held(context: DecisionContext, why: str) -> EntryDecision:
    """Wait until the act is too late. A dry run skips the entry at its time, so that the night's report lists it."""
    at_curfew, due = context.entry.trigger in AT_CURFEW, context.now >= context.entry.at
    if at_curfew and due and context.rules.mode is Mode.DRY_RUN:
        return EntryDecision(NextAction.LIVE, why)
    return EntryDecision(NextAction.LIVE if _is_late(context) else NextAction.WAIT, why)


def _is_late(context: DecisionContext) -> bool:
    """Whether the act is overdue by more than `late_hours`: it is dropped, and the owner is warned again with a new time."""
    return context.now > late_after(context)


def late_after(context: DecisionContext) -> datetime:
    """The time after which the act is too late: `late_hours` after its curfew.

    An act that does not wait for a curfew counts from the time at which it became possible: the end of its notice period, or of
    the guard's hold.
    """
    possible_at, status = context.entry.at, context.status
    if context.entry.trigger not in AT_CURFEW and status.warned_at is not None:
        possible_at = max(possible_at, status.warned_at + timedelta(minutes=context.rules.notice_minutes))
    if context.entry.basis is Basis.AGREED and context.free_at is not None:
        possible_at = max(possible_at, context.free_at)
    return possible_at + timedelta(hours=context.rules.late_hours)


def _why_not_any_more(context: DecisionContext) -> str:
    trigger, verdict = context.entry.trigger, context.verdict
    if trigger is Trigger.GONE:
        return "" if context.gone else Sentence("Its cluster is there after all.")
    if trigger not in AT_CURFEW:
        return ""
    if context.gone:
        return Sentence("Its cluster is gone: it is closed in another way.")
    if trigger is Trigger.LIMIT:
        return "" if context.at_limit else Sentence("There is room below the ceiling of the month again.")
    if verdict is None or verdict.at < context.now:
        return Sentence("Its use could not be judged at the moment.")
    return "" if verdict.idle else verdict.sentence
