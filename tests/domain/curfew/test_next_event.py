"""A lab's next event: curfew or the end of its lease; exemptions by a keep; missed curfews."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.curfew.messages.report import nights_to_report
from chalicelib.domain.curfew.messages.warning import recipient_of
from chalicelib.domain.curfew.next_event import curfew_to_come, missed_curfews, next_event
from chalicelib.domain.curfew.plan import Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from tests.fakes import a_lab, a_spec

NOON = datetime(2026, 11, 23, 3, tzinfo=UTC)
CURFEW = datetime(2026, 11, 23, 13, tzinfo=UTC)
SEOUL = Schedule(time_zone="Asia/Seoul", at_curfew=AtCurfew.HIBERNATE)
RULES = CurfewRules()


def no_holidays(country: str, year: int) -> frozenset[date]:
    return frozenset()


def ready(**changes: object) -> Lab:
    lab = a_lab(phase=Phase.READY, spec=a_spec(schedule=SEOUL), lease_ends_at=NOON + timedelta(days=3), due_at=NOON)
    return replace(lab, **changes)  # type: ignore[arg-type]  # Fields by name, as tests give them.


def test_curfew_comes_first_and_does_what_the_evening_says() -> None:
    faces = next_event(ready(), RULES, NOON, no_holidays)
    assert (faces.at, faces.act, faces.trigger, faces.night) == (
        CURFEW,
        AtCurfew.HIBERNATE,
        Trigger.IDLE,
        date(2026, 11, 23),
    )
    assert faces.look_at(RULES) == CURFEW - timedelta(hours=4)


def test_a_lease_that_ends_at_curfew_ends_the_lab_and_is_no_question_of_idleness() -> None:
    faces = next_event(ready(lease_ends_at=CURFEW), RULES, NOON, no_holidays)
    assert (faces.trigger, faces.act) == (Trigger.LEASE, AtCurfew.END)
    assert next_event(ready(lease_ends_at=CURFEW, adopted=True), RULES, NOON, no_holidays).trigger is Trigger.ADOPTED


def test_a_kept_lab_faces_the_curfew_until_which_it_is_kept() -> None:
    night = curfew_to_come(ready(kept_until=CURFEW + timedelta(days=1)), NOON, no_holidays)
    assert night is not None
    assert night.at == CURFEW + timedelta(days=1)


def test_curfews_that_came_and_went_are_named_each() -> None:
    missed = missed_curfews(ready(), CURFEW + timedelta(days=2), no_holidays)
    assert [night.day.day for night in missed] == [23, 24, 25]
    assert missed_curfews(ready(), CURFEW - timedelta(seconds=1), no_holidays) == ()
    assert len(missed_curfews(ready(), CURFEW + timedelta(days=365), no_holidays)) == 14


@given(
    st.sampled_from(("Asia/Seoul", "America/New_York", "Europe/Berlin", "Pacific/Chatham", "Australia/Lord_Howe")),
    st.times(),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
)
def test_what_a_lab_faces_is_always_ahead_and_looked_at_before(zone: str, at: time, now: datetime) -> None:
    schedule = Schedule(time_zone=zone, curfew=at.replace(tzinfo=None, fold=0))
    lab = replace(ready(), spec=a_spec(schedule=schedule))
    instant = now.replace(tzinfo=UTC)
    faces = next_event(lab, RULES, instant, no_holidays)
    assert faces.at > instant
    assert faces.look_at(RULES) < faces.at


def test_a_report_is_due_after_its_hour_in_the_installations_zone() -> None:
    assert nights_to_report(datetime(2026, 11, 23, 21, 59, tzinfo=UTC), "Asia/Seoul", 7)[0] == date(2026, 11, 22)
    assert nights_to_report(datetime(2026, 11, 23, 22, 0, tzinfo=UTC), "Asia/Seoul", 7)[0] == date(2026, 11, 23)


def test_mail_goes_to_the_last_part_of_the_owners_name() -> None:
    for owner, name in {
        "arn:aws:iam::111122223333:user/class/learner": "learner",
        "arn:aws:sts::111122223333:assumed-role/Student/shop@example.com": "shop@example.com",
        "arn:aws:iam::111122223333:root": "root",
        "admins@example.com": "admins@example.com",
        "": "nobody",
    }.items():
        assert recipient_of(ready(owner=owner), "nobody") == name
