"""The input of an evening: accepted as a whole, or refused field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.labs.schedule import AtCurfew, Schedule, next_curfew
from chalicelib.domain.requests.schedule_input import ScheduleDraft, ScheduleRules, read_schedule
from tests.fakes import NOW

USUAL = Schedule("Asia/Seoul", time(22), (0, 1, 2, 3, 4), "KR", (date(2026, 12, 24),), AtCurfew.HIBERNATE, time(8, 30))
RULES = ScheduleRules(USUAL, {"KR", "DE-BY"}.__contains__)


def test_what_is_left_out_is_as_the_installation_has_it() -> None:
    assert read_schedule(ScheduleDraft(), RULES, "schedule") == (USUAL, ())


def test_every_field_can_be_said() -> None:
    draft = ScheduleDraft(
        "Europe/Berlin", "19:30", ("sat", "mon", "sat"), "DE-BY", ("2026-12-31", "2026-12-30"), AtCurfew.END, "07:05"
    )
    days = (date(2026, 12, 30), date(2026, 12, 31))
    said = Schedule("Europe/Berlin", time(19, 30), (0, 5), "DE-BY", days, AtCurfew.END, time(7, 5))
    assert read_schedule(draft, RULES, "") == (said, ())


def test_holidays_waking_and_quiet_dates_can_be_left_off() -> None:
    draft = ScheduleDraft(quiet_dates=(), without=frozenset({"holidays", "wake"}))
    assert read_schedule(draft, RULES, "") == (replace(USUAL, holidays=None, wake=None, quiet_dates=()), ())


@pytest.mark.parametrize(
    ("draft", "path", "code", "wording"),
    [
        (ScheduleDraft(time_zone="Asia/Seol"), "timeZone", "unknown-time-zone", "Did you mean Asia/Seoul?"),
        (ScheduleDraft(time_zone="Seoul"), "timeZone", "unknown-time-zone", "Asia/Seoul"),
        (ScheduleDraft(time_zone=""), "timeZone", "unknown-time-zone", "Asia/Seoul"),
        (ScheduleDraft(time_zone="../etc/passwd"), "timeZone", "unknown-time-zone", "no time zone"),
        (ScheduleDraft(curfew="24:00"), "curfew", "invalid-time", "22:00"),
        (ScheduleDraft(curfew="22:00:00"), "curfew", "invalid-time", "22:00"),
        (ScheduleDraft(wake="8:30"), "wake", "invalid-time", "22:00"),
        (ScheduleDraft(weekdays=()), "weekdays", "empty", "at least one"),
        (ScheduleDraft(weekdays=("mon", "Tuesday")), "weekdays[1]", "unknown-weekday", "tue"),
        (ScheduleDraft(holidays="Korea"), "holidays", "unknown-country", "KR"),
        (ScheduleDraft(holidays=""), "holidays", "unknown-country", "KR"),
        (ScheduleDraft(quiet_dates=("2026-12-24", "2026-02-30")), "quietDates[1]", "invalid-date", "2026-02-30"),
        (ScheduleDraft(quiet_dates=("20261224",)), "quietDates[0]", "invalid-date", "2026-12-24"),
        (ScheduleDraft(quiet_dates=("2026-12-24",) * 101), "quietDates", "too-many", "100"),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(
    draft: ScheduleDraft, path: str, code: str, wording: str
) -> None:
    for beginning in ("", "schedule"):
        schedule, (finding,) = read_schedule(draft, RULES, beginning)
        assert (finding.path, finding.code) == (f"{beginning}.{path}".lstrip("."), code)
        assert wording in finding.message
        assert schedule.time_zone == "Asia/Seoul"


def test_all_that_is_wrong_is_told_at_once() -> None:
    draft = ScheduleDraft("Mars/Olympus", "late", ("someday",), "Atlantis", ("soon",), None, "early")
    _, findings = read_schedule(draft, RULES, "schedule")
    assert {finding.path.removeprefix("schedule.") for finding in findings} == {
        "timeZone",
        "curfew",
        "weekdays[0]",
        "holidays",
        "quietDates[0]",
        "wake",
    }


TEXTS = st.text(max_size=12)


@given(
    st.builds(
        ScheduleDraft,
        st.none() | TEXTS | st.sampled_from(["Asia/Seoul", "UTC", "Pacific/Chatham"]),
        st.none() | TEXTS | st.sampled_from(["22:00", "02:30"]),
        st.none() | st.lists(st.sampled_from(["mon", "sun"]) | TEXTS, max_size=4).map(tuple),
        st.none() | TEXTS | st.just("KR"),
        st.none() | st.lists(TEXTS | st.just("2026-12-24"), max_size=4).map(tuple),
        st.none() | st.sampled_from(AtCurfew),
        st.none() | TEXTS | st.just("08:30"),
    )
)
def test_whatever_is_written_there_is_an_evening_that_comes(draft: ScheduleDraft) -> None:
    schedule, _ = read_schedule(draft, RULES, "schedule")
    assert next_curfew(schedule, NOW, lambda country, year: frozenset()) is not None


def test_an_empty_text_is_shown_as_one() -> None:
    _, findings = read_schedule(ScheduleDraft("", "", None, "", ("",), None, ""), RULES, "")
    assert [finding.path for finding in findings] == ["timeZone", "curfew", "holidays", "quietDates[0]", "wake"]
    assert all('""' in finding.message for finding in findings)
