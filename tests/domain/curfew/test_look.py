"""The curfew run's decision for a due lab, one changed fact at a time; and two decisions at once, near a lease's end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.curfew.decision import PROTECTED
from chalicelib.domain.curfew.look import (
    ActOnEntry,
    FreeEntry,
    LookContext,
    LookDecision,
    LookLater,
    PlanEvent,
    PutOffEnd,
    WakeLab,
    decide_look,
    free_entry,
    without_entry,
)
from chalicelib.domain.curfew.next_event import DAY, SOON, next_event
from chalicelib.domain.curfew.plan import SETTLED, EntryOutcome, EntryStatus, PlanLine, Trigger
from chalicelib.domain.curfew.plan_entry import plan_entry, planned_for
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Hibernation, Lab, Phase, Protection
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from tests.domain.curfew.test_next_event import CURFEW, NOON, RULES, no_holidays, ready
from tests.fakes import a_spec
from tests.fakes.curfew import a_price_list

HOUR = timedelta(hours=1)
LOOK = CURFEW - timedelta(hours=4)
IDLE = Verdict("lab", LOOK, LOOK - timedelta(hours=3), idle=True, sentence="idle since 12:00")
BUSY = replace(IDLE, idle=False, sentence="busy: 3 pods")
MORNING = Schedule(time_zone="Asia/Seoul", at_curfew=AtCurfew.HIBERNATE, wake=time(8))


def a_look(lab: Lab, now: datetime = LOOK, planned: bool = False, **facts: Any) -> LookContext:
    event = next_event(lab, RULES, now, no_holidays)
    context = LookContext(lab, None, event, RULES, now, holidays=no_holidays)
    if planned:
        entry = plan_entry(replace(context, now=LOOK), event, a_price_list())
        line = PlanLine(entry, EntryStatus(entry.night, entry.id, entry.lab_id))
        context = replace(context, lab=planned_for(lab, entry), line=line)
    return replace(context, **facts)


def with_outcome(context: LookContext, outcome: EntryOutcome) -> LookContext:
    assert context.line is not None
    return replace(context, line=context.line._replace(status=replace(context.line.status, outcome=outcome)))


def changed(context: LookContext, **changes: Any) -> LookContext:
    return replace(context, lab=replace(context.lab, **changes))


def asleep(**changes: Any) -> Lab:
    hibernation = Hibernation((), CURFEW - DAY, "curfew")
    return ready(phase=Phase.HIBERNATED, phase_since=CURFEW - DAY, hibernation=hibernation, **changes)


@pytest.mark.parametrize(
    ("context", "decision"),
    [
        (a_look(ready(), NOON), LookLater(LOOK)),
        (a_look(ready()), LookLater(LOOK + SOON)),
        (a_look(ready(), verdict=IDLE), PlanEvent(next_event(ready(), RULES, LOOK, no_holidays))),
        (a_look(ready(), verdict=BUSY), LookLater(LOOK + DAY, "busy: 3 pods")),
        (a_look(ready(), verdict=IDLE, shield=PROTECTED), LookLater(LOOK + DAY, PROTECTED)),
        (a_look(ready(), planned=True), LookLater(CURFEW)),
        (a_look(asleep(), NOON), LookLater(NOON + timedelta(days=3) - timedelta(hours=4))),
    ],
    ids=["early", "not judged", "idle", "busy", "protected", "planned", "asleep"],
)
def test_one_fact_decides(context: LookContext, decision: LookDecision) -> None:
    decided = decide_look(context)
    if isinstance(decided, LookLater):
        decided = replace(decided, waking=None)
    assert decided == decision


@pytest.mark.parametrize("phase", [Phase.READY, Phase.HIBERNATED, Phase.LOST])
def test_the_entry_of_a_lab_is_acted_on_once_its_time_has_come(phase: Phase) -> None:
    context = a_look(ready(phase=phase, lease_ends_at=CURFEW + HOUR), CURFEW, planned=True)
    assert context.entry is not None
    assert decide_look(replace(context, now=context.entry.at)) == ActOnEntry(context.entry)


@pytest.mark.parametrize(
    ("changes", "by_people"),
    [
        ({"kept_until": CURFEW + HOUR}, True),
        ({"protection": Protection(CURFEW + HOUR, "ops@example.com", "a demonstration")}, False),
    ],
    ids=["kept", "protected by an administrator"],
)
@pytest.mark.parametrize("now", [LOOK, CURFEW], ids=["before its time", "at its time"])
def test_an_entry_that_no_longer_applies_is_freed(now: datetime, changes: dict[str, Any], by_people: bool) -> None:
    context = changed(a_look(ready(), planned=True), **changes)
    decided = free_entry(replace(context, now=now))
    assert decided is not None
    assert (decided.line, bool(decided.reason), decided.by_people) == (context.line, True, by_people)


@pytest.mark.parametrize("outcome", sorted(SETTLED))
def test_a_settled_entry_is_freed_without_a_reason(outcome: EntryOutcome) -> None:
    context = with_outcome(changed(a_look(ready(), planned=True), kept_until=CURFEW + HOUR), outcome)
    assert context.line is not None
    assert free_entry(context) == FreeEntry(context.line)


def test_an_entry_whose_act_began_is_not_freed() -> None:
    context = replace(changed(a_look(ready(), planned=True), kept_until=CURFEW + HOUR), now=CURFEW)
    assert free_entry(context) is not None
    acting = with_outcome(context, EntryOutcome.ACTING)
    assert free_entry(acting) is None
    assert isinstance(decide_look(acting), ActOnEntry)


def test_a_freed_lab_is_decided_once_more_if_its_next_event_is_near_and_never_for_the_same_curfew() -> None:
    skipped = with_outcome(a_look(ready(), planned=True), EntryOutcome.SKIPPED)
    assert without_entry(skipped, ready()) is None
    freed = ready(lease_ends_at=CURFEW + HOUR, adopted=True)
    assert without_entry(skipped, freed) is None
    near = without_entry(replace(skipped, now=LOOK + HOUR), freed)
    assert near is not None
    assert (near.lab, near.line, near.event.trigger) == (freed, None, Trigger.ADOPTED)
    assert isinstance(decide_look(replace(near, verdict=BUSY)), PlanEvent)


def test_a_freed_lab_waits_for_a_later_run_if_it_sleeps_or_was_planned_again_meanwhile() -> None:
    context = replace(with_outcome(a_look(ready(), planned=True), EntryOutcome.SKIPPED), now=LOOK + DAY)
    assert without_entry(context, ready()) is not None
    assert without_entry(context, asleep()) is None
    assert without_entry(context, ready(phase=Phase.LOST)) is None
    assert without_entry(context, context.lab) is None


def test_a_lease_end_that_was_skipped_is_planned_again_a_day_later() -> None:
    ends_at = LOOK + timedelta(hours=3)
    context = with_outcome(a_look(ready(lease_ends_at=ends_at), planned=True), EntryOutcome.SKIPPED)
    assert context.entry is not None
    assert context.entry.trigger is Trigger.LEASE
    again = ends_at + DAY - timedelta(hours=RULES.lead_hours)
    assert without_entry(replace(context, now=again - SOON), ready(lease_ends_at=ends_at)) is None
    assert without_entry(replace(context, now=again), ready(lease_ends_at=ends_at)) is not None


def test_an_agreed_end_is_not_announced_while_nobody_knows_what_protects_the_cluster_until_it_is_near() -> None:
    ends_at = LOOK + timedelta(hours=3)
    lab = ready(lease_ends_at=ends_at)
    unread = a_look(lab, verdict=BUSY, unseen=True)
    assert unread.event.trigger is Trigger.LEASE
    assert isinstance(decide_look(unread), LookLater)
    assert isinstance(decide_look(replace(unread, unseen=False)), PlanEvent)
    assert isinstance(decide_look(replace(unread, unseen=False, shield=PROTECTED)), PutOffEnd)
    assert isinstance(decide_look(replace(unread, now=ends_at - timedelta(hours=2))), PlanEvent)


@pytest.mark.parametrize("lab", [ready(), asleep()], ids=["awake", "asleep"])
def test_a_lab_without_a_cluster_is_planned_to_be_closed(lab: Lab) -> None:
    decided = decide_look(a_look(lab, gone=True, verdict=replace(IDLE, gone=True)))
    assert isinstance(decided, PlanEvent)
    assert decided.event.trigger is Trigger.GONE


def test_a_sleeping_lab_wakes_in_its_morning_and_never_in_a_dry_run() -> None:
    lab = asleep(spec=a_spec(schedule=MORNING))
    context = a_look(lab, datetime(2026, 11, 23, 0, tzinfo=UTC))
    assert isinstance(decide_look(context), WakeLab)
    dry = decide_look(replace(context, rules=CurfewRules(mode=Mode.DRY_RUN)))
    assert isinstance(dry, LookLater)
    assert dry.at == context.now + SOON


@pytest.mark.parametrize("make", [ready, asleep], ids=["awake", "asleep"])
def test_a_protection_puts_an_agreed_end_off_and_gives_way_to_the_last_one(make: Callable[..., Lab]) -> None:
    soon, facts = LOOK + timedelta(hours=1), {"verdict": IDLE, "shield": PROTECTED}
    put_off = decide_look(a_look(make(lease_ends_at=soon), **facts))
    assert isinstance(put_off, PutOffEnd)
    assert put_off.at <= LOOK + DAY
    last = make(lease_ends_at=soon, ends_by=soon, created_at=LOOK - DAY)
    assert isinstance(decide_look(a_look(last, **facts)), PlanEvent)


@pytest.mark.parametrize("verdict", [IDLE, BUSY], ids=["idle", "busy"])
def test_a_lab_that_its_curfew_spares_is_not_planned_for_an_end_that_its_protection_puts_off(verdict: Verdict) -> None:
    """Its owner was warned of an end "whose protection is lifted", and nothing happened: only one event lifted the protection."""
    lab, now = ready(lease_ends_at=CURFEW + timedelta(minutes=30)), LOOK + timedelta(minutes=31)
    decided = decide_look(a_look(lab, now, verdict=verdict, shield=PROTECTED))
    assert isinstance(decided, PutOffEnd)
    assert (decided.event.trigger, bool(decided.passed)) == (Trigger.LEASE, True)


@given(
    st.sampled_from((Phase.READY, Phase.HIBERNATED, Phase.LOST)),
    st.sampled_from((None, IDLE, BUSY, replace(IDLE, gone=True))),
    st.sampled_from(("", PROTECTED)),
    st.booleans(),
    st.integers(0, 400),
    st.integers(0, 400),
)
def test_every_look_ends_in_an_act_a_plan_or_a_later_look(
    phase: Phase, verdict: Verdict | None, shield: str, planned: bool, hours: int, lease: int
) -> None:
    now = NOON + timedelta(hours=hours)
    lab = ready(phase=phase, phase_since=NOON, lease_ends_at=NOON + timedelta(hours=lease))
    gone = verdict is not None and verdict.gone
    decided = decide_look(a_look(lab, now, planned, verdict=verdict, shield=shield, gone=gone))
    if isinstance(decided, LookLater | PutOffEnd):
        assert decided.at > now
    if isinstance(decided, PlanEvent):
        assert decided.event.at > now - timedelta(hours=RULES.late_hours)
