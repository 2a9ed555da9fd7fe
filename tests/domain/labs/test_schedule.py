"""Evenings: the time of curfew in its owner's zone, around clock changes, and the days without curfew."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.labs.schedule import EVERY_DAY, Night, Schedule, format_local, next_curfew, next_wake

ZONES = (
    "Asia/Seoul",
    "America/New_York",
    "Europe/Berlin",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "UTC",
)


def no_holidays(_country: str, _year: int) -> frozenset[date]:
    return frozenset()


def christmas(country: str, year: int) -> frozenset[date]:
    return frozenset({date(year, 12, 25)}) if country == "DE" else frozenset()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "after", "expected"),
    [
        ("Asia/Seoul", "2026-11-23T12:59:59+00:00", "2026-11-23T13:00:00+00:00"),
        ("Asia/Seoul", "2026-11-23T13:00:00+00:00", "2026-11-24T13:00:00+00:00"),
        ("America/New_York", "2026-03-07T12:00:00+00:00", "2026-03-08T03:00:00+00:00"),
        ("America/New_York", "2026-03-08T12:00:00+00:00", "2026-03-09T02:00:00+00:00"),
        ("Europe/Berlin", "2026-10-24T21:00:00+00:00", "2026-10-25T21:00:00+00:00"),
    ],
    ids=["before", "the-instant-itself-is-over", "winter", "the-day-clocks-go-forward", "the-day-clocks-go-back"],
)
def test_curfew_is_the_wall_clocks_ten_in_the_evening(zone: str, after: str, expected: str) -> None:
    night = next_curfew(Schedule(time_zone=zone), at(after), no_holidays)
    assert night is not None
    assert night.at == at(expected)


def test_a_time_that_a_spring_night_leaves_out_comes_as_long_after_midnight() -> None:
    night = next_curfew(Schedule("America/New_York", time(2, 30)), at("2026-03-08T05:30:00+00:00"), no_holidays)
    assert night == Night(date(2026, 3, 7), at("2026-03-08T07:30:00+00:00"))


def test_a_time_that_an_autumn_night_has_twice_comes_once_and_first() -> None:
    schedule = Schedule("America/New_York", time(1, 30))
    first = next_curfew(schedule, at("2026-11-01T05:00:00+00:00"), no_holidays)
    assert first == Night(date(2026, 10, 31), at("2026-11-01T05:30:00+00:00"))
    assert next_curfew(schedule, first.at, no_holidays) == Night(date(2026, 11, 1), at("2026-11-02T06:30:00+00:00"))


def test_weekends_holidays_and_days_of_ones_own_are_quiet() -> None:
    schedule = Schedule("Europe/Berlin", weekdays=(0, 1, 2, 3, 4), holidays="DE", quiet_dates=(date(2026, 12, 24),))
    night = next_curfew(schedule, at("2026-12-23T22:00:00+00:00"), christmas)
    assert night is not None
    assert night.day == date(2026, 12, 28)


def test_a_lab_that_is_never_to_be_asleep_has_no_curfew() -> None:
    assert next_curfew(Schedule(weekdays=()), at("2026-12-23T22:00:00+00:00"), no_holidays) is None


def test_waking_follows_the_same_days() -> None:
    schedule = Schedule("Asia/Seoul", weekdays=(0, 1, 2, 3, 4), wake=time(8, 30))
    assert next_wake(schedule, at("2026-11-27T13:00:00+00:00"), no_holidays) == at("2026-11-29T23:30:00+00:00")
    assert next_wake(Schedule("Asia/Seoul"), at("2026-11-27T13:00:00+00:00"), no_holidays) is None


def test_an_instant_is_told_as_its_owners_clock_shows_it() -> None:
    assert format_local(Schedule("Asia/Seoul"), at("2026-11-23T13:00:00+00:00")) == "Mon 23 Nov 22:00 (Asia/Seoul)"


instants = st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))
evenings = st.builds(
    Schedule,
    time_zone=st.sampled_from(ZONES),
    curfew=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    weekdays=st.sets(st.sampled_from(EVERY_DAY), min_size=1).map(lambda days: tuple(sorted(days))),
)


def test_row_16_a_curfew_after_midnight_belongs_to_the_evening_before() -> None:
    """2026-11-23 is a Monday. The night from Friday to Saturday has its curfew, Sunday's has none."""
    schedule, night, found = Schedule(curfew=time(0, 30), weekdays=(0, 1, 2, 3, 4)), at("2026-11-22T12:00:00+00:00"), []
    for _ in range(6):
        following = next_curfew(schedule, night, no_holidays)
        assert following is not None
        night = following.at
        found.append((f"{following.day:%a}", f"{following.at:%a %H:%M}"))
    assert found == [
        ("Mon", "Tue 00:30"),
        ("Tue", "Wed 00:30"),
        ("Wed", "Thu 00:30"),
        ("Thu", "Fri 00:30"),
        ("Fri", "Sat 00:30"),
        ("Mon", "Tue 00:30"),
    ]


def test_row_16_a_waking_is_on_the_morning_of_a_chosen_day() -> None:
    schedule = Schedule(curfew=time(0, 30), weekdays=(0, 1, 2, 3, 4), wake=time(8, 30))
    assert next_wake(schedule, at("2026-11-28T00:30:00+00:00"), no_holidays) == at("2026-11-30T08:30:00+00:00")


def test_row_16_a_quiet_date_is_quiet_in_its_own_evening() -> None:
    schedule = Schedule(curfew=time(0, 30), quiet_dates=(date(2026, 12, 24),))
    christmas_eve = next_curfew(schedule, at("2026-12-24T12:00:00+00:00"), no_holidays)
    assert christmas_eve == Night(date(2026, 12, 25), at("2026-12-26T00:30:00+00:00"))


@given(evenings, instants)
def test_the_next_curfew_is_later_on_a_chosen_day_and_none_is_passed_over(schedule: Schedule, after: datetime) -> None:
    night = next_curfew(schedule, after, no_holidays)
    assert night is not None
    assert night.at > after
    assert night.day.weekday() in schedule.weekdays
    between = after + (night.at - after) / 2
    assert next_curfew(schedule, between, no_holidays) == night


@given(evenings, instants)
def test_every_chosen_day_has_one_curfew_at_its_wall_clock_time(schedule: Schedule, after: datetime) -> None:
    nights = [next_curfew(schedule, after, no_holidays)]
    for _ in range(8):
        assert nights[-1] is not None
        nights.append(next_curfew(schedule, nights[-1].at, no_holidays))
    days = [night.day for night in nights if night]
    assert days == sorted(set(days))
    assert days[-1] - days[0] <= timedelta(days=58)
    for night in nights:
        assert night is not None
        local = night.at.astimezone(ZoneInfo(schedule.time_zone))
        after_midnight = timedelta(days=int(schedule.curfew < time(12)))
        asked = datetime.combine(night.day + after_midnight, schedule.curfew, ZoneInfo(schedule.time_zone))
        assert (
            local.time() == schedule.curfew or asked.astimezone(UTC).astimezone(asked.tzinfo).time() != schedule.curfew
        )
