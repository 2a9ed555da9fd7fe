"""Whether an entry's act may be done at this moment. Everything that ADR 7 asks for must be there; what is missing spares the lab.

Pure: called by the sweep right before each act, and for entries still to come when somebody touched their lab.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.curfew import CurfewRules, Mode
from chalicelib.domain.evening import local_told
from chalicelib.domain.idleness_verdict import Verdict
from chalicelib.domain.lab import ENDING, OVER, Lab, Phase
from chalicelib.domain.orphans import PROTECTED_TAG
from chalicelib.domain.plan import Entry, Fate, Ground

#: Values of the tag that mean no; anything else on a cluster protects it.
_NO = frozenset({"", "0", "false", "no", "off"})


class Then(StrEnum):
    """ACT: do it now. WAIT: look again at the next run. LIVE: it is over for this entry, the lab lives."""

    ACT = "act"
    WAIT = "wait"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class FateDecision:
    """What becomes of the entry, and why, in a sentence for its owner."""

    then: Then
    reason: str


@dataclass(frozen=True, slots=True)
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


def decide_fate(moment: Moment) -> FateDecision:
    """Decide for an entry that has not been settled. WAIT ends: an idle lab lives on once it is too late."""
    if spared := why_spared(moment.lab, moment.entry, moment.tags):
        return FateDecision(Then.LIVE, spared)
    if held := _why_held(moment):
        return _held(moment, held)
    if _is_late(moment):
        return FateDecision(Then.LIVE, f"It was too late: more than {moment.rules.late_hours} hours after curfew.")
    if changed := _why_not_any_more(moment):
        return FateDecision(Then.LIVE, changed)
    return FateDecision(Then.ACT, moment.entry.reason)


def why_spared(lab: Lab, entry: Entry, tags: Mapping[str, str]) -> str:
    """Why people's word, or what has become of the lab, settles the entry before its time; empty if nothing does."""
    evening = lab.spec.evening
    if lab.phase in OVER or lab.phase in ENDING:
        return "It is being deleted already, or is gone."
    if lab.planned is None or lab.planned.entry_id != entry.id:
        return "It was planned anew."
    if lab.protection is not None and lab.protection.until > entry.at:
        return f"It is protected until {local_told(evening, lab.protection.until)}: {lab.protection.why}"
    if tags.get(PROTECTED_TAG, "").strip().lower() not in _NO:
        return f"Its cluster carries the tag {PROTECTED_TAG}."
    if entry.ground is Ground.IDLE:
        return _why_kept(lab, entry)
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
    """For idleness only: what was agreed, and what is gone, is closed at any later time."""
    late = moment.entry.at + timedelta(hours=moment.rules.late_hours)
    return moment.entry.ground is Ground.IDLE and moment.now > late


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
