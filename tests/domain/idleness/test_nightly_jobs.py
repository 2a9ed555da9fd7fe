"""Nights in any zone, with clock changes: a nightly job is found, and work by day is not taken for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.idleness.evidence import Series
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.signals.nightly_jobs import night_length
from chalicelib.domain.idleness.verdict import Sign
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import Schedule, next_curfew
from tests.domain.idleness.world import RULES, a_seoul_lab, sign
from tests.examples import examples
from tests.fakes.builders import a_spec
from tests.fakes.evidence_builders import an_hourly_series, quiet_evidence

ZONES = ["Asia/Seoul", "America/New_York", "Europe/Berlin", "Pacific/Chatham", "Australia/Lord_Howe", "UTC"]
YEAR = 366 * 24 * 4
START = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def some_schedule(draw: st.DrawFn) -> Schedule:
    """A curfew at any quarter of an hour from 19:00 to 23:45."""
    curfew = time(draw(st.integers(19, 23)), draw(st.sampled_from([0, 15, 30, 45])))
    return Schedule(time_zone=draw(st.sampled_from(ZONES)), curfew=curfew)


def a_lab_with(schedule: Schedule) -> Lab:
    """Old enough for a verdict at any time of the year."""
    return a_seoul_lab(spec=a_spec(schedule=schedule), created_at=START - timedelta(days=30))


def before_curfew(schedule: Schedule, quarter: int) -> tuple[datetime, datetime]:
    """An instant of planning, four hours before a curfew, and the curfew of the night before."""
    last = next_curfew(schedule, START + timedelta(minutes=15 * quarter), lambda _country, _year: frozenset())
    assert last is not None
    tonight = next_curfew(schedule, last.at, lambda _country, _year: frozenset())
    assert tonight is not None
    return tonight.at - timedelta(hours=4), last.at


def placed_at(now: datetime, instant: datetime) -> Series:
    """Hours without a pod except the one of `instant`."""
    return an_hourly_series(now, lambda hour: float(hour <= instant < hour + timedelta(hours=1)))


@settings(max_examples=examples(40), deadline=None)
@given(some_schedule(), st.integers(0, YEAR), st.integers(60, 5 * 60))
def test_a_job_of_last_night_is_found_whatever_the_clocks_do(schedule: Schedule, quarter: int, minutes: int) -> None:
    now, last = before_curfew(schedule, quarter)
    evidence = quiet_evidence(now, scheduled_before=placed_at(now, last + timedelta(minutes=minutes)))
    verdict = judge(a_lab_with(schedule), evidence, RULES, now)
    assert sign(verdict, "nights") is Sign.BUSY
    assert not verdict.idle


@settings(max_examples=examples(40), deadline=None)
@given(some_schedule(), st.integers(0, YEAR), st.integers(10 * 60, 16 * 60))
def test_work_by_day_is_no_nightly_job(schedule: Schedule, quarter: int, minutes: int) -> None:
    now, last = before_curfew(schedule, quarter)
    evidence = quiet_evidence(now, scheduled_before=placed_at(now, last + timedelta(minutes=minutes)))
    assert judge(a_lab_with(schedule), evidence, RULES, now).idle


def test_a_night_ends_when_the_lab_is_woken_and_after_eight_hours_at_the_latest() -> None:
    schedule = Schedule(curfew=time(23))
    assert night_length(schedule) == timedelta(hours=8)
    assert night_length(replace(schedule, wake=time(5, 30))) == timedelta(hours=6, minutes=30)
    assert night_length(replace(schedule, wake=time(9))) == timedelta(hours=8)
    assert night_length(replace(schedule, curfew=time(1), wake=time(6))) == timedelta(hours=5)


def test_after_an_early_curfew_a_night_lasts_until_the_morning() -> None:
    """Beside row 1 of issue 12: a job at 03:00 counts as work even though the class ends at 18:00."""
    assert night_length(Schedule(curfew=time(18))) == timedelta(hours=11)
    assert night_length(Schedule(curfew=time(18), wake=time(2))) == timedelta(hours=8)
    assert night_length(Schedule(curfew=time(0, 30))) == timedelta(hours=8)


def by_the_hour(now: datetime, *instants: datetime) -> Series:
    """As in CloudWatch: on whole hours of UTC, for any minutes of curfew."""
    end = (now - timedelta(hours=2)).replace(minute=0)
    hours = [end - timedelta(hours=ago) for ago in range(7 * 24, 0, -1)]
    placed = {at.replace(minute=0) for at in instants}
    return Series(3600, tuple((hour, float(hour in placed)) for hour in hours))


@settings(max_examples=examples(40), deadline=None)
@given(some_schedule(), st.integers(0, YEAR), st.integers(1, 7 * 60 + 59), st.integers(2, 4))
def test_a_job_of_any_minute_of_two_nights_is_found_in_the_hours_of_cloudwatch(
    schedule: Schedule, quarter: int, minutes: int, apart: int
) -> None:
    """Beside row 1 of issue 12: with curfew at half past, or in a zone of half hours, the job's hour is in part of the day."""
    now, last = before_curfew(schedule, quarter)
    job = last + timedelta(minutes=minutes)
    seen = by_the_hour(now, job - timedelta(days=1), job - timedelta(days=apart))
    assert not judge(a_lab_with(schedule), quiet_evidence(now, scheduled_before=seen), RULES, now).idle


def test_an_hour_that_ends_with_curfew_or_of_one_evening_only_is_no_nights() -> None:
    schedule = Schedule(curfew=time(22, 30))
    now, last = before_curfew(schedule, 500)
    for placed in ((last - timedelta(minutes=10),), tuple(last - timedelta(days=ago, hours=1) for ago in range(4))):
        seen = by_the_hour(now, *placed)
        assert judge(a_lab_with(schedule), quiet_evidence(now, scheduled_before=seen), RULES, now).idle
