"""A lease can be extended within its allowance, never shortened, and never without an end; a link keeps for one night."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.domain.curfew.extension import ExtensionDecision, ExtensionRequest, extend, last_end, latest_end
from chalicelib.domain.curfew.keep import keep, wanted_until
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import InvalidRequest, NotKept
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from tests.fakes import NOW, a_lab, a_spec

RULES = CurfewRules(max_ahead_hours=72, max_total_hours=336)
SEOUL = Schedule("Asia/Seoul")
WORKDAYS = Schedule("Asia/Seoul", weekdays=(0, 1, 2, 3, 4))
#: Monday 23 November, 22:00 in Seoul.
CURFEW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def no_holidays(country: str, year: int) -> frozenset[date]:
    return frozenset()


def an_entry(**changes: Any) -> Entry:
    entry = Entry(
        date(2026, 11, 23),
        "lab-7f3k2m9x",
        CURFEW,
        AtCurfew.END,
        Trigger.IDLE,
        "idle",
        "o",
        "myeks",
        "ap-northeast-2",
        NOW,
    )
    return replace(entry, **changes)


def test_hours_are_added_to_the_lease_as_it_is() -> None:
    lab = a_lab(lease_ends_at=NOW + hours(5))
    assert extend(lab, ExtensionRequest(hours=4), RULES, NOW) == ExtensionDecision(NOW + hours(9), clamped=False)


def test_hours_are_added_to_now_when_the_lease_is_over() -> None:
    lab = a_lab(lease_ends_at=NOW - hours(2))
    assert extend(lab, ExtensionRequest(hours=4), RULES, NOW).ends_at == NOW + hours(4)


def test_more_than_the_allowance_is_clamped_to_it() -> None:
    lab = a_lab(lease_ends_at=NOW + hours(5))
    assert extend(lab, ExtensionRequest(until=NOW + hours(100)), RULES, NOW) == ExtensionDecision(
        NOW + hours(72), clamped=True
    )
    old = a_lab(lease_ends_at=NOW + hours(5), created_at=NOW - hours(330))
    assert extend(old, ExtensionRequest(until=NOW + hours(48)), RULES, NOW) == ExtensionDecision(
        NOW + hours(6), clamped=True
    )
    bound = a_lab(lease_ends_at=NOW + hours(5), ends_by=NOW + hours(10))
    assert extend(bound, ExtensionRequest(hours=24), RULES, NOW) == ExtensionDecision(NOW + hours(10), clamped=True)


def test_the_same_instant_twice_is_the_same_lease() -> None:
    lab = a_lab(lease_ends_at=NOW + hours(5) + timedelta(microseconds=7))
    assert extend(lab, ExtensionRequest(until=NOW + hours(5)), RULES, NOW) == ExtensionDecision(
        lab.lease_ends_at, clamped=False
    )


@pytest.mark.parametrize(
    ("wish", "lab", "code", "text"),
    [
        (ExtensionRequest(until=NOW + hours(1)), {}, "not-later", "2026-11-23T15:00:00Z"),
        (
            ExtensionRequest(until=NOW - hours(1)),
            {"lease_ends_at": NOW - hours(2)},
            "not-later",
            "2026-11-23T08:00:00Z",
        ),
        (ExtensionRequest(hours=1), {"lease_ends_at": NOW + hours(72)}, "allowance-used-up", "2026-12-07T10:00:00Z"),
        (ExtensionRequest(hours=1), {"ends_by": NOW + hours(5)}, "allowance-used-up", "ask for a new one"),
        (
            ExtensionRequest(until=NOW + hours(9)),
            {"ends_by": NOW + hours(5)},
            "allowance-used-up",
            "2026-11-23T15:00:00Z",
        ),
    ],
)
def test_what_can_not_be_is_refused_with_the_instant_that_counts(
    wish: ExtensionRequest, lab: dict[str, Any], code: str, text: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        extend(a_lab(**{"lease_ends_at": NOW + hours(5), **lab}), wish, RULES, NOW)
    (finding,) = refusal.value.findings
    assert (finding.path, finding.code) == (wish.field, code)
    assert text in finding.message


SOME_HOURS = st.integers(-400, 800).map(hours)


@given(SOME_HOURS, SOME_HOURS, st.integers(1, 400), st.integers(1, 200), st.integers(1, 800))
def test_no_lease_passes_its_allowance_or_moves_in(
    lease: timedelta, until: timedelta, age: int, ahead: int, total: int
) -> None:
    rules = CurfewRules(max_ahead_hours=ahead, max_total_hours=total)
    lab = a_lab(lease_ends_at=NOW + lease, created_at=NOW - hours(age))
    try:
        decision = extend(lab, ExtensionRequest(until=NOW + until), rules, NOW)
    except InvalidRequest:
        return
    assert decision.ends_at >= lab.lease_ends_at
    if decision.ends_at != lab.lease_ends_at:
        assert NOW < decision.ends_at <= latest_end(lab, rules, NOW) <= last_end(lab, rules)
        assert decision.clamped == (decision.ends_at < NOW + until)


def test_a_link_keeps_until_the_next_days_curfew() -> None:
    lab = a_lab(phase="ready", spec=a_spec(schedule=SEOUL), lease_ends_at=CURFEW + hours(1))
    keeping = keep(lab, an_entry(), RULES, no_holidays, NOW)
    assert keeping.lab.kept_until == keeping.until == keeping.lab.lease_ends_at == CURFEW + hours(24)
    assert not keeping.clamped


def test_where_the_owner_is_at_a_ceiling_a_link_promises_no_longer_lease() -> None:
    lab = a_lab(phase="ready", spec=a_spec(schedule=SEOUL), lease_ends_at=CURFEW + hours(1))
    keeping = keep(lab, an_entry(trigger=Trigger.LIMIT, act=AtCurfew.HIBERNATE), RULES, no_holidays, NOW)
    assert keeping.until == keeping.lab.lease_ends_at == CURFEW + hours(1)
    assert keeping.clamped


def test_a_longer_lease_stays_as_it_is() -> None:
    lab = a_lab(phase="ready", spec=a_spec(schedule=SEOUL), lease_ends_at=NOW + hours(60))
    keeping = keep(lab, an_entry(), RULES, no_holidays, NOW)
    assert (keeping.lab.lease_ends_at, keeping.lab.kept_until) == (NOW + hours(60), CURFEW + hours(24))


@pytest.mark.parametrize(
    ("schedule", "at", "until"),
    [
        (SEOUL, CURFEW, CURFEW + hours(24)),
        (SEOUL, CURFEW - hours(5), CURFEW + hours(24)),
        (SEOUL, CURFEW + hours(1), CURFEW + hours(24)),
        (replace(SEOUL, quiet_dates=(date(2026, 11, 24),)), CURFEW, CURFEW + hours(48)),
    ],
)
def test_tomorrows_curfew_is_the_first_on_a_later_day_than_the_entrys(
    schedule: Schedule, at: datetime, until: datetime
) -> None:
    assert wanted_until(an_entry(at=at), schedule, no_holidays) == until


def test_over_a_weekend_a_link_keeps_as_far_as_the_allowance_reaches() -> None:
    friday = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    lab = a_lab(phase="ready", spec=a_spec(schedule=WORKDAYS), lease_ends_at=friday + hours(4))
    entry = an_entry(night=date(2026, 11, 27), at=friday + hours(4))
    keeping = keep(lab, entry, RULES, no_holidays, friday)
    assert keeping.wanted == datetime(2026, 11, 30, 13, 0, tzinfo=UTC)
    assert keeping.until == keeping.lab.lease_ends_at == friday + hours(72)
    assert keeping.clamped


def test_a_lab_that_has_been_kept_as_long_as_it_may_is_not_kept_again() -> None:
    lab = a_lab(phase="ready", ends_by=CURFEW, lease_ends_at=CURFEW)
    with pytest.raises(NotKept, match="as long as it may"):
        keep(lab, an_entry(trigger=Trigger.LEASE), RULES, no_holidays, NOW)


@pytest.mark.parametrize(
    ("phase", "text"), [("releasing", "being deleted"), ("blocked", "being deleted"), ("deleted", "gone")]
)
def test_a_lab_that_ends_is_not_kept(phase: str, text: str) -> None:
    with pytest.raises(NotKept, match=text):
        keep(a_lab(phase=phase), an_entry(), RULES, no_holidays, NOW)


def test_a_lab_whose_cluster_is_gone_is_not_kept() -> None:
    with pytest.raises(NotKept, match="nothing to keep"):
        keep(a_lab(phase="ready"), an_entry(trigger=Trigger.GONE), RULES, no_holidays, NOW)


def test_a_lab_kept_from_idleness_can_be_kept_from_its_leases_end_in_the_same_night() -> None:
    rules = CurfewRules(max_ahead_hours=5)
    lab = a_lab(phase="ready", spec=a_spec(schedule=SEOUL), lease_ends_at=CURFEW + timedelta(minutes=90))
    idle, lease = an_entry(), an_entry(at=lab.lease_ends_at, trigger=Trigger.LEASE)
    kept = keep(lab, idle, rules, no_holidays, CURFEW - hours(4))
    assert (kept.lab.lease_ends_at, kept.lab.kept_until) == (lab.lease_ends_at, CURFEW + hours(24))
    again = keep(kept.lab, lease, rules, no_holidays, CURFEW)
    assert again.lab.lease_ends_at == CURFEW + hours(5)


def test_a_lab_that_sleeps_by_now_is_to_be_woken_instead() -> None:
    entry = an_entry(act=AtCurfew.HIBERNATE)
    with pytest.raises(NotKept, match="ekslab wake myeks"):
        keep(a_lab(phase="hibernated"), entry, RULES, no_holidays, NOW)


def test_the_lease_of_a_lab_that_sleeps_can_be_kept_from_ending() -> None:
    lab = a_lab(phase="hibernated", lease_ends_at=CURFEW)
    assert keep(lab, an_entry(trigger=Trigger.LEASE), RULES, no_holidays, NOW).lab.lease_ends_at > CURFEW


@given(
    st.sampled_from(["Asia/Seoul", "America/New_York", "Pacific/Chatham", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 400 * 24),
    st.integers(-48, 100),
    st.integers(0, 30),
)
def test_keeping_twice_is_keeping_once_and_never_passes_the_allowance(
    zone: str, at: int, lease: int, later: int
) -> None:
    entry = an_entry(at=NOW + hours(at), night=(NOW + hours(at)).date())
    now = entry.at - hours(4)
    lab = a_lab(
        phase=Phase.READY,
        created_at=now - hours(24),
        lease_ends_at=now + hours(lease),
        spec=a_spec(schedule=Schedule(zone)),
    )
    try:
        once = keep(lab, entry, RULES, no_holidays, now)
    except NotKept:
        assume(False)
    assert once.lab.lease_ends_at <= max(lab.lease_ends_at, latest_end(lab, RULES, now))
    again = keep(once.lab, entry, RULES, no_holidays, now + timedelta(minutes=later))
    assert again == once
