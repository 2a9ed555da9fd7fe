"""The holds of a night: the brake counts judged ends only, the guard unforeseen ones; a release covers the known entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.curfew.brake import GUARDED_FOR, decide_brake
from chalicelib.domain.curfew.look import LookContext
from chalicelib.domain.curfew.next_event import NextEvent
from chalicelib.domain.curfew.plan import (
    Basis,
    Entry,
    EntryOutcome,
    EntryStatus,
    Plan,
    PlanHeader,
    Trigger,
    plan_hash,
)
from chalicelib.domain.curfew.plan_entry import plan_entry
from chalicelib.domain.curfew.rules import CurfewRules, allowance
from chalicelib.domain.labs.lab import Lab, LeaseChange
from chalicelib.domain.labs.schedule import AtCurfew
from tests.fakes import NOW, a_lab
from tests.fakes.curfew import a_price_list

AT = datetime(2026, 11, 23, 22, tzinfo=UTC)
NIGHT = date(2026, 11, 23)
RULES = CurfewRules()


def an_entry(number: int, trigger: Trigger = Trigger.IDLE, foreseen: bool = True) -> Entry:
    lab = a_lab(id=f"lab-{number:03d}")
    event = NextEvent(NIGHT, AT, AtCurfew.END, trigger)
    entry = plan_entry(LookContext(lab, None, event, RULES, AT), event, a_price_list())
    return replace(entry, foreseen=foreseen)


def a_plan(*entries: Entry, outcome: EntryOutcome = EntryOutcome.STANDING, **header: object) -> Plan:
    lines = tuple((entry, EntryStatus(NIGHT, entry.id, entry.lab_id, outcome)) for entry in entries)
    kept = PlanHeader(NIGHT, 1, plan_hash(entries), AT, len(entries))
    return Plan(replace(kept, **header), lines)  # type: ignore[arg-type]


def idle(number: int) -> tuple[Entry, ...]:
    return tuple(an_entry(each) for each in range(number))


def leases(number: int, foreseen: bool = True) -> tuple[Entry, ...]:
    return tuple(an_entry(100 + each, Trigger.LEASE, foreseen) for each in range(number))


@pytest.mark.parametrize("outcome", EntryOutcome)
def test_the_brake_counts_what_was_done_and_what_still_stands_and_not_what_lives(outcome: EntryOutcome) -> None:
    braking = decide_brake(a_plan(*idle(4), outcome=outcome), CurfewRules(max_percent=100, max_count=3), 100, AT)
    counted = 0 if outcome is EntryOutcome.SKIPPED else 4
    assert (braking.counted, braking.allowed, bool(braking.braked)) == (counted, 3, counted > 3)


@pytest.mark.parametrize("trigger", Trigger)
def test_an_end_is_agreed_when_its_lease_ends_and_judged_otherwise(trigger: Trigger) -> None:
    assert an_entry(1, trigger).basis is (Basis.AGREED if trigger is Trigger.LEASE else Basis.JUDGED)


def test_row_8_agreed_ends_are_neither_counted_nor_held() -> None:
    plan = a_plan(*leases(3))
    assert decide_brake(plan, RULES, 4, AT).held == ""
    both = a_plan(*leases(3), *idle(2))
    braking = decide_brake(both, RULES, 4, AT)
    assert (braking.counted, braking.allowed) == (2, 1)
    assert [bool(braking.holds(entry)) for entry, _ in both.lines] == [False] * 3 + [True] * 2


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 200))
def test_agreed_ends_never_change_what_is_judged(judged: int, agreed: int, alive: int) -> None:
    alive = max(alive, judged + agreed)
    alone = decide_brake(a_plan(*idle(judged)), RULES, alive, AT)
    beside = decide_brake(a_plan(*idle(judged), *leases(agreed)), RULES, alive, AT)
    assert (alone.braked, alone.counted) == (beside.braked, beside.counted)
    assert bool(alone.braked) is (judged > allowance(RULES, alive))
    assert not beside.guarded


@pytest.mark.parametrize(
    ("sudden", "alive", "held"),
    [(3, 3, False), (4, 4, True), (4, 40, False), (4, 39, True), (10, 100, False), (11, 100, True)],
)
def test_many_ends_that_nobody_foresaw_hold_the_whole_night(sudden: int, alive: int, held: bool) -> None:
    plan = a_plan(*leases(sudden, foreseen=False), *idle(1))
    braking = decide_brake(plan, RULES, alive, AT)
    assert bool(braking.guarded) is held
    assert all(bool(braking.holds(entry)) is held for entry, _ in plan.lines)


def test_a_guarded_night_goes_on_by_itself_after_a_day() -> None:
    plan = a_plan(*leases(9, foreseen=False), guarded_at=AT)
    assert decide_brake(plan, RULES, 9, AT + GUARDED_FOR - timedelta(seconds=1)).guarded
    after = decide_brake(plan, RULES, 9, AT + GUARDED_FOR)
    assert (after.held, after.free_at) == ("", AT + GUARDED_FOR)


def test_a_release_lets_go_what_was_published_and_nothing_that_came_later() -> None:
    seen, later = (*idle(4), *leases(9, foreseen=False)), an_entry(50)
    released = tuple(entry.id for entry in seen)
    plan = a_plan(*seen, guarded_at=AT, released_at=AT + timedelta(hours=1), released=released)
    assert decide_brake(plan, RULES, 13, AT).held == ""
    assert decide_brake(plan, RULES, 13, AT).free_at == AT + timedelta(hours=1)
    grown = decide_brake(a_plan(*seen, later, released_at=AT, released=released), RULES, 13, AT)
    assert [bool(grown.holds(entry)) for entry in (*seen, later)] == [False] * 13 + [True]


def test_a_plan_with_another_hash_is_held_and_no_release_lets_it_go() -> None:
    entry = an_entry(1)
    braking = decide_brake(a_plan(entry, hash="0" * 64, released_at=AT, released=(entry.id,)), RULES, 100, AT)
    assert (bool(braking.broken), braking.braked, braking.guarded) == (True, "", "")
    assert braking.holds(entry)


def planned(lab: Lab) -> Entry:
    at = lab.lease_ends_at
    event = NextEvent(at.date(), at, AtCurfew.END, Trigger.LEASE)
    return plan_entry(LookContext(lab, None, event, RULES, at), event, a_price_list())


def test_a_lease_that_ends_as_asked_for_or_later_was_foreseen() -> None:
    lab = a_lab()
    assert planned(lab).foreseen
    assert planned(lab.leased_until(lab.lease_ends_at + timedelta(hours=2), NOW + timedelta(hours=7))).foreseen
    assert planned(replace(lab, ends_by=NOW + timedelta(hours=2), lease_ends_at=NOW + timedelta(hours=2))).foreseen


def test_a_lease_that_ends_earlier_than_was_known_a_day_before_was_not_foreseen() -> None:
    lab = a_lab()
    assert not planned(replace(lab, lease_ends_at=lab.lease_ends_at - timedelta(hours=1))).foreseen
    extended = lab.leased_until(NOW + timedelta(days=3), NOW)
    assert planned(extended).foreseen
    assert not planned(replace(extended, lease_ends_at=NOW + timedelta(days=2))).foreseen


def test_of_many_changes_the_last_are_kept() -> None:
    lab = a_lab()
    for hours in range(30):
        lab = lab.leased_until(NOW + timedelta(hours=hours), NOW)
    assert len(lab.lease_changes) == 10
    assert lab.lease_changes[-1] == LeaseChange(NOW, NOW + timedelta(hours=29))
