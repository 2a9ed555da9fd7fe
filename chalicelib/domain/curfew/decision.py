"""Whether an entry's act may be done at this moment. Everything that ADR 7 asks for must be there; what is missing spares the lab.

Pure: called by the sweep right before each act, and for entries still to come when somebody touched their lab.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.plan import Entry, Fate, Ground, Outcome, Plan
from chalicelib.domain.curfew.rules import CurfewRules, Mode, allowance
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import ENDING, OVER, Lab, Phase
from chalicelib.domain.labs.schedule import Holidays, local_told, next_curfew
from chalicelib.domain.teardown.adoption import PROTECTED_TAG

#: Values of the tag that mean no; anything else on a cluster protects it.
_NO = frozenset({"", "0", "false", "no", "off"})
_TICK = timedelta(microseconds=1)
TAGGED = f"Its cluster carries the tag {PROTECTED_TAG}."
#: Fates that count: done, being done, still to be done.
_COUNTS = frozenset({Outcome.STANDING, Outcome.ACTING, Outcome.ENDED, Outcome.HIBERNATED})


def no_holidays(_country: str, _year: int) -> frozenset[date]:
    """For labs whose evenings know none."""
    return frozenset()


class Then(StrEnum):
    """ACT: do it now. WAIT: look again at the next run. LIVE: it is over for this entry, the lab lives."""

    ACT = "act"
    WAIT = "wait"
    LIVE = "live"


@dataclass(frozen=True)
class FateDecision:
    """What becomes of the entry, and why, in a sentence for its owner."""

    then: Then
    reason: str


@dataclass(frozen=True)
class Moment:
    """Everything an act is decided from. `held`: why nothing of the whole night may be touched (the brake, a broken hash).

    `tags` are its cluster's now, `gone` whether EKS knows no such cluster; `verdict` the last one kept.
    """

    entry: Entry
    fate: Fate
    lab: Lab
    rules: CurfewRules
    now: datetime
    held: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    gone: bool = False
    verdict: Verdict | None = None
    holidays: Holidays = no_holidays


def decide_fate(moment: Moment) -> FateDecision:
    """Decide for an entry that has not been settled. WAIT ends: the lab lives on once it is too late."""
    if spared := why_spared(moment.lab, moment.entry, moment.tags, moment.holidays):
        return FateDecision(Then.LIVE, spared)
    if held := _why_held(moment):
        return _held(moment, held)
    if _is_late(moment):
        return FateDecision(Then.LIVE, f"It was too late: more than {moment.rules.late_hours} hours after its time.")
    if changed := _why_not_any_more(moment):
        return FateDecision(Then.LIVE, changed)
    return FateDecision(Then.ACT, moment.entry.reason)


def is_tagged(tags: Mapping[str, str]) -> bool:
    """Whether a tag on the cluster protects it."""
    return tags.get(PROTECTED_TAG, "").strip().lower() not in _NO


def why_spared(lab: Lab, entry: Entry, tags: Mapping[str, str], holidays: Holidays) -> str:
    """Why people's word, or what has become of the lab, settles the entry before its time; empty if nothing does."""
    evening = lab.spec.evening
    if lab.phase in OVER or lab.phase in ENDING:
        return "It is being deleted already, or is gone."
    if lab.planned is None or lab.planned.entry_id != entry.id:
        return "It was planned anew."
    if lab.protection is not None and lab.protection.until > entry.at:
        return f"It is protected until {local_told(evening, lab.protection.until)}: {lab.protection.why}"
    if is_tagged(tags):
        return TAGGED
    if entry.ground is Ground.IDLE:
        return _why_kept(lab, entry) or _why_no_curfew(lab, entry, holidays)
    if entry.ground is not Ground.GONE and lab.lease_ends_at > entry.at:
        return f"Its lease was extended to {local_told(evening, lab.lease_ends_at)}."
    return ""


def _why_kept(lab: Lab, entry: Entry) -> str:
    evening, planned = lab.spec.evening, lab.planned
    if lab.kept_until is not None and lab.kept_until > entry.at:
        return f"It is kept until {local_told(evening, lab.kept_until)}."
    agreed = planned.lease_ends_at if planned else None
    if agreed is not None and lab.lease_ends_at > agreed:
        return f"Its lease was extended to {local_told(evening, lab.lease_ends_at)}."
    if lab.phase in (Phase.HIBERNATED, Phase.HIBERNATING):
        return "It sleeps already."
    if evening.at_curfew is not entry.act:
        return f"Its owner chose meanwhile that curfew is to {evening.at_curfew} it."
    return ""


def _why_no_curfew(lab: Lab, entry: Entry, holidays: Holidays) -> str:
    """Who moves curfew, or makes the day a quiet one, has been told of a time that is not theirs any more."""
    evening = lab.spec.evening
    night = next_curfew(evening, entry.at - _TICK, holidays)
    if night is not None and night.at == entry.at:
        return ""
    told = f"curfew is on {local_told(evening, night.at)} next" if night else "there is no curfew any more"
    return f"Its evening was changed: {told}."


def _why_held(moment: Moment) -> str:
    entry, fate, rules = moment.entry, moment.fate, moment.rules
    if moment.now < entry.at:
        return "Its time has not come."
    if rules.mode is not Mode.ON:
        return "Curfew is switched off." if rules.mode is Mode.OFF else "This is a dry run: nothing is touched."
    if fate.warned_at is None or fate.message_id is None:
        return f"Its warning was not delivered{f': {fate.trouble}' if fate.trouble else '.'}"
    if moment.now - fate.warned_at < timedelta(minutes=rules.notice_minutes):
        return f"Its warning was delivered less than {rules.notice_minutes} minutes before."
    if moment.held:
        return moment.held
    awake = moment.lab.phase is Phase.READY
    if not awake and (entry.ground is Ground.IDLE or moment.lab.phase is not Phase.HIBERNATED):
        return f"It is {moment.lab.phase}."
    return ""


def _held(moment: Moment, why: str) -> FateDecision:
    """A dry run settles what it would have done, so that the night's report says it; the rest waits as long as it may."""
    idle, due = moment.entry.ground is Ground.IDLE, moment.now >= moment.entry.at
    if idle and due and moment.rules.mode is Mode.DRY_RUN:
        return FateDecision(Then.LIVE, why)
    return FateDecision(Then.LIVE if _is_late(moment) else Then.WAIT, why)


def _is_late(moment: Moment) -> bool:
    """What nobody could do for hours is nothing that people still expect: they are warned anew of another time.

    From a curfew on, or from when it could have been done, where people do not sleep by it.
    """
    possible_at, fate = moment.entry.at, moment.fate
    if moment.entry.ground is not Ground.IDLE and fate.warned_at is not None:
        possible_at = max(possible_at, fate.warned_at + timedelta(minutes=moment.rules.notice_minutes))
    return moment.now > possible_at + timedelta(hours=moment.rules.late_hours)


def _why_not_any_more(moment: Moment) -> str:
    ground, verdict = moment.entry.ground, moment.verdict
    if ground is Ground.GONE:
        return "" if moment.gone else "Its cluster is there after all."
    if ground is not Ground.IDLE:
        return ""
    if moment.gone:
        return "Its cluster is gone: it is closed in another way."
    if verdict is None or verdict.at < moment.now:
        return "Its use could not be judged at the moment."
    return "" if verdict.idle else verdict.sentence


@dataclass(frozen=True)
class Braking:
    """`held`: why nothing of the night may be touched, empty if it may. `over`: it is the brake that holds it."""

    held: str
    over: bool
    counted: int
    allowed: int


def decide_brake(plan: Plan, rules: CurfewRules, alive: int) -> Braking:
    """Hold a night whose plan is not the one that was published, or which would take more labs than it may."""
    counted, allowed = sum(fate.outcome in _COUNTS for _, fate in plan.lines), allowance(rules, alive)
    if not plan.is_whole:
        return Braking("The night's plan is not the one that was published.", False, counted, allowed)
    if counted > allowed:
        told = f"The brake held the night: {counted} labs were to go, and {allowed} may."
        return Braking(told, True, counted, allowed)
    return Braking("", False, counted, allowed)
