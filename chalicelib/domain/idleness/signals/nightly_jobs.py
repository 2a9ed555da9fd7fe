"""Detects nightly work from pods placed in earlier nights, whichever controller placed them.

Nightly work leaves no trace in the evening, when the verdict is made. But it placed pods last night, or in this night a
week ago, or at the same hour of two nights. Kubernetes lists CronJobs, but not the work of KEDA, Airflow or a workflow engine:
an empty list does not make this signal quiet. A scheduler that runs its work in permanent pods places none: cores
at work at the same hour of two nights reveal it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.signals.nodes import hours_at_work
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import Window
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import Schedule

NIGHTS = "nights"
#: The length of a night from curfew on, and its end after an early curfew, unless the lab is woken before: pods that come
#: back then are nobody's work.
NIGHT, MORNING, NOON = timedelta(hours=8), 5, 12
HOUR = timedelta(hours=1)
#: A night with this many hours without data is unknown.
UNKNOWN_HOURS = 2


def nights_signal(lab: Lab, evidence: Evidence, window: Window) -> Signal:
    """BUSY if pods were placed in earlier nights as nightly work would; never QUIET, since it says nothing about today."""
    schedule = lab.spec.schedule
    tonight = _tonight(schedule, window.end)
    hours, known = _placed_at(schedule, evidence, window)
    clockwork = _clockwork(hours, tonight)
    if clockwork is not None:
        return Signal(
            NIGHTS,
            Sign.BUSY,
            Sentence(
                "pods were scheduled around {time} in earlier nights, as nightly work is",
                time=_clock(schedule, clockwork),
            ),
        )
    at_work = _twice(_nights_of(schedule, hours_at_work(evidence, window)), tonight)
    if at_work is not None:
        worked = Sentence(
            "nodes were at work around {time} in earlier nights, as nightly work is", time=_clock(schedule, at_work)
        )
        return Signal(NIGHTS, Sign.BUSY, worked)
    last = tonight - timedelta(days=1)
    if known[last] < night_length(schedule) // HOUR - UNKNOWN_HOURS and lab.created_at < _curfew_of(schedule, last):
        return Signal(NIGHTS, Sign.MISSING, Sentence("pods scheduled last night: no data"))
    return Signal(NIGHTS, Sign.ABSENT, Sentence("no pods were scheduled at night as nightly work is"))


def night_length(schedule: Schedule) -> timedelta:
    """The time from curfew to waking, in local time, and not longer than a night."""
    longest = NIGHT
    if schedule.curfew.hour >= NOON:
        longest = max(NIGHT, _until(schedule, time(MORNING)))
    return longest if schedule.wake is None else min(_until(schedule, schedule.wake), longest)


def _until(schedule: Schedule, then: time) -> timedelta:
    minutes = (then.hour - schedule.curfew.hour) * 60 + then.minute - schedule.curfew.minute
    return timedelta(minutes=minutes % (24 * 60))


def _clock(schedule: Schedule, hour: int) -> str:
    """An hour of the night, counted from curfew, in the lab's time zone: `01:00 (Asia/Seoul)`."""
    at = datetime.combine(date.min, schedule.curfew) + max(hour, 0) * HOUR
    return Sentence("{time} ({zone})", time=f"{at:%H:%M}", zone=schedule.time_zone)


def _clockwork(hours: dict[date, set[tuple[int, bool]]], tonight: date) -> int | None:
    """The hour of the night at which work is expected. An hour that is partly in the day counts if two nights have it."""
    for night in (tonight - timedelta(days=1), tonight - timedelta(days=7)):
        if whole := {hour for hour, is_whole in hours[night] if is_whole}:
            return min(whole)
    return _twice(hours, tonight)


def _twice(hours: dict[date, set[tuple[int, bool]]], tonight: date) -> int | None:
    """The first hour that two nights share."""
    nights = [{hour for hour, _ in each} for night, each in hours.items() if night < tonight]
    return next((hour for hour in range(-1, 24) if sum(hour in each for each in nights) > 1), None)


def _nights_of(schedule: Schedule, instants: Iterable[datetime]) -> dict[date, set[tuple[int, bool]]]:
    """For each night its hours among these, from curfew on, and whether each is wholly in the night.

    CloudWatch's hours are UTC's: with a curfew at half past, the first one (-1) and the last are partly in the day.
    The hour in which the lab is woken is left out: pods come back then.
    """
    found: dict[date, set[tuple[int, bool]]] = defaultdict(set)
    for at in instants:
        night, into = _night(schedule, at + HOUR)
        begun = into - HOUR
        over = into > night_length(schedule)
        if timedelta() < into and begun < night_length(schedule) and not (over and schedule.wake):
            found[night].add((begun // HOUR, timedelta() <= begun and not over))
    return found


def _placed_at(
    schedule: Schedule, evidence: Evidence, window: Window
) -> tuple[dict[date, set[tuple[int, bool]]], dict[date, int]]:
    """For each night the hours (from curfew) in which pods were placed, and how many of its hours have data."""
    known: dict[date, int] = defaultdict(int)
    points = [(at, value) for at, value in evidence.scheduled_before.points if at < window.start]
    for at, _ in points:
        night, into = _night(schedule, at)
        if into + HOUR <= night_length(schedule):
            known[night] += 1
    return _nights_of(schedule, (at for at, value in points if value > 0)), known


def _night(schedule: Schedule, instant: datetime) -> tuple[date, timedelta]:
    """The day of the last curfew, in local time, and how long ago it was."""
    local = instant.astimezone(ZoneInfo(schedule.time_zone)).replace(tzinfo=None)
    shifted = local - timedelta(hours=schedule.curfew.hour, minutes=schedule.curfew.minute)
    return shifted.date(), shifted - datetime.combine(shifted.date(), time())


def _tonight(schedule: Schedule, now: datetime) -> date:
    """The present or next night."""
    night, into = _night(schedule, now)
    return night if into < night_length(schedule) else night + timedelta(days=1)


def _curfew_of(schedule: Schedule, night: date) -> datetime:
    return datetime.combine(night, schedule.curfew, ZoneInfo(schedule.time_zone)).astimezone(UTC)
