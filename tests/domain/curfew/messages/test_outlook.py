"""The text for an owner about the future of a lab, in each phase; in the terms and the zone of the lab's own evening."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.domain.curfew.messages.outlook import upcoming_events
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.labs.lab import Hibernation, Phase, Planned, Protection
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from tests.fakes import NOW, a_lab, a_spec

TONIGHT = datetime(2026, 11, 23, 13, tzinfo=UTC)
SEOUL = a_spec(schedule=Schedule("Asia/Seoul"))
PLANNED = Planned(date(2026, 11, 23), f"2026-11-23T13:00:00Z#{a_lab().id}", TONIGHT)
DAY = timedelta(days=1)
EXAM = Protection(TONIGHT + DAY, "ops@", "an exam")


def an_entry(act: AtCurfew = AtCurfew.END) -> Entry:
    reason = "idle since 18:40: no user pods scheduled in 5 h"
    return Entry(
        PLANNED.night, a_lab().id, TONIGHT, act, Trigger.IDLE, reason, "learner", "myeks", "ap-northeast-2", NOW
    )


def message(**changes: object) -> tuple[str, ...]:
    entry = changes.pop("entry", None)
    assert entry is None or isinstance(entry, Entry)
    return upcoming_events(a_lab(**{"spec": SEOUL, "phase": "ready", **changes}), (), NOW, entry)


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.DELETED, Phase.FAILED}))
def test_there_is_something_to_say_of_every_lab_that_is_not_over(phase: Phase) -> None:
    lines = message(phase=phase)
    assert lines
    assert all(line.endswith(".") and "\n" not in line for line in lines)


def test_a_planned_lab_says_when_and_why_it_ends() -> None:
    first = message(planned=PLANNED, entry=an_entry())[0]
    assert first == (
        "Tonight's plan: it ends Mon 23 Nov 22:00 (Asia/Seoul). Idle since 18:40: no user pods scheduled in 5 h."
        " Extending it keeps it."
    )


def test_a_lab_planned_for_sleep_does_not_end() -> None:
    sleepy = a_spec(schedule=Schedule("Asia/Seoul", at_curfew=AtCurfew.HIBERNATE))
    line = message(planned=PLANNED, entry=an_entry(AtCurfew.HIBERNATE), spec=sleepy)[0]
    assert "it is hibernated Mon 23 Nov 22:00" in line


def test_without_its_entry_the_time_is_told_all_the_same() -> None:
    line = message(planned=PLANNED)[0]
    assert line.startswith("Tonight's plan: ")
    assert "Mon 23 Nov 22:00 (Asia/Seoul)" in line


@pytest.mark.parametrize(
    ("trigger", "changes", "because"),
    [
        (Trigger.IDLE, {"kept_until": TONIGHT + DAY}, "it is kept until Tue 24 Nov 22:00 (Asia/Seoul)."),
        (Trigger.IDLE, {"lease_ends_at": TONIGHT + DAY}, "its lease was extended to Tue 24 Nov 22:00 (Asia/Seoul)."),
        (Trigger.LEASE, {"lease_ends_at": TONIGHT + DAY}, "its lease was extended to Tue 24 Nov 22:00 (Asia/Seoul)."),
        (Trigger.LEASE, {"protection": EXAM}, "it is protected until Tue 24 Nov 22:00 (Asia/Seoul): an exam."),
        (Trigger.GONE, {"protection": EXAM}, "it is protected until Tue 24 Nov 22:00 (Asia/Seoul): an exam."),
    ],
)
def test_a_planned_lab_that_somebody_spared_is_not_said_to_end(
    trigger: Trigger, changes: dict[str, object], because: str
) -> None:
    planned = replace(PLANNED, lease_ends_at=a_lab().lease_ends_at)
    lines = message(planned=planned, entry=replace(an_entry(), trigger=trigger), **changes)
    assert lines[0] == f"It was on the plan for Mon 23 Nov 22:00 (Asia/Seoul), but lives on: {because}"
    assert not any("Tonight's plan" in line or "Extending" in line for line in lines)


@pytest.mark.parametrize("trigger", [Trigger.LEASE, Trigger.ADOPTED, Trigger.GONE])
def test_keeping_alone_spares_no_lab_whose_lease_ends_it(trigger: Trigger) -> None:
    entry = replace(an_entry(), trigger=trigger)
    lines = message(planned=PLANNED, entry=entry, kept_until=TONIGHT + DAY, lease_ends_at=TONIGHT)
    assert lines[0].startswith("Tonight's plan: it ends Mon 23 Nov 22:00")
    assert ("Extending it keeps it." in lines[0]) is (trigger is not Trigger.GONE)


@pytest.mark.parametrize(
    ("ends_at", "ends"), [(TONIGHT, "ends on Mon 23 Nov 22:00"), (NOW, "ended on Mon 23 Nov 19:00")]
)
def test_protection_that_outlasts_the_lease_is_when_the_lab_ends(ends_at: datetime, ends: str) -> None:
    line = message(protection=EXAM, lease_ends_at=ends_at)[-1]
    assert line == (
        f"The lease {ends} (Asia/Seoul), but it is protected until Tue 24 Nov 22:00 (Asia/Seoul);"
        " then everything is deleted, and the volumes of PersistentVolumeClaims are deleted with it."
    )
    within = message(protection=replace(EXAM, until=ends_at), lease_ends_at=ends_at)[-1]
    assert "protected" not in within


def test_a_plan_whose_time_has_passed_is_not_foretold() -> None:
    assert not any("plan" in line for line in message(planned=Planned(PLANNED.night, "past", NOW)))


def test_keeping_and_protection_are_told_while_they_last() -> None:
    protection = Protection(TONIGHT, "ops@", "an exam")
    kept = message(kept_until=TONIGHT, protection=protection)
    assert "It is kept: no idleness ends it before Mon 23 Nov 22:00 (Asia/Seoul)." in kept
    assert "It is protected until Mon 23 Nov 22:00 (Asia/Seoul), by ops@: an exam." in kept
    over = message(kept_until=NOW, protection=Protection(NOW, "ops@", "an exam"))
    assert over == message()


@pytest.mark.parametrize(
    ("wake_at", "words"),
    [
        (None, "until somebody wakes it: `ekslab wake myeks`"),
        (datetime(2026, 11, 23, 23, 30, tzinfo=UTC), "until Tue 24 Nov 08:30 (Asia/Seoul), or"),
        (NOW - timedelta(minutes=1), "within the hour"),
    ],
)
def test_a_sleeping_lab_says_when_it_wakes(wake_at: datetime | None, words: str) -> None:
    assert words in message(phase="hibernated", hibernation=Hibernation((), NOW, "It is night.", wake_at))[0]


def test_a_lease_that_is_over_is_planned_before_anything_is_deleted() -> None:
    assert message(lease_ends_at=NOW)[-1] == (
        "The lease ended on Mon 23 Nov 19:00 (Asia/Seoul): its end is planned, and its owner warned, within the hour."
    )
