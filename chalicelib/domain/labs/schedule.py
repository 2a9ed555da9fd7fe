"""A lab's evening: the local time of its curfew, the days, and the act.

The only rules with time zones. Local times are wall-clock: 22:00 is 22:00 on both sides of a change of
clocks. A time that a spring night skips is shifted by the skipped hour; of a time that an autumn
night has twice, the first counts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Moment

#: (country as in ISO 3166, with `-` and a subdivision if needed; year) -> that year's public holidays.
Holidays = Callable[[str, int], frozenset[date]]
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
#: The number of days to search for an evening; a later one counts as never.
HORIZON = 400
NOON = time(12)


class AtCurfew(StrEnum):
    """The act at curfew on an idle lab."""

    END = "end"
    HIBERNATE = "hibernate"


@dataclass(frozen=True)
class Schedule:
    """`weekdays`: 0 is Monday. On a quiet day (a holiday of `holidays`, or one of `quiet_dates`) there is no curfew and no waking.

    `wake`: when a hibernated lab gets its nodes back by schedule; None: only on request.
    """

    time_zone: str = "UTC"
    curfew: time = time(22)
    weekdays: tuple[int, ...] = EVERY_DAY
    holidays: str | None = None
    quiet_dates: tuple[date, ...] = ()
    at_curfew: AtCurfew = AtCurfew.END
    wake: time | None = None


#: Every evening at 22:00 UTC, to the end.
USUAL_EVENING = Schedule()


@dataclass(frozen=True)
class Night:
    """One curfew: the local day whose evening it belongs to, and the instant in UTC."""

    day: date
    at: datetime


def is_quiet(schedule: Schedule, day: date, holidays: Holidays) -> bool:
    """Whether this local day has neither curfew nor waking."""
    if day.weekday() not in schedule.weekdays or day in schedule.quiet_dates:
        return True
    return schedule.holidays is not None and day in holidays(schedule.holidays, day.year)


def next_curfew(schedule: Schedule, after: datetime, holidays: Holidays) -> Night | None:
    """The first curfew later than `after`; None if there is none within HORIZON days.

    A curfew before noon ends the evening of the day before: 00:30 on a Saturday is Friday's.
    """
    return _next(schedule, schedule.curfew, after, holidays, evening=True)


def next_wake(schedule: Schedule, after: datetime, holidays: Holidays) -> datetime | None:
    """The time at which a hibernated lab is woken next, later than `after`; None if only people wake it."""
    night = None if schedule.wake is None else _next(schedule, schedule.wake, after, holidays)
    return night.at if night else None


def local_date(schedule: Schedule, instant: datetime) -> date:
    """The date in the lab's zone."""
    return instant.astimezone(ZoneInfo(schedule.time_zone)).date()


def format_local(schedule: Schedule, instant: datetime) -> Moment:
    """An instant for the owner: `Mon 23 Nov 22:00 (Asia/Seoul)`."""
    return Moment(instant, schedule.time_zone)


def _next(schedule: Schedule, at: time, after: datetime, holidays: Holidays, evening: bool = False) -> Night | None:
    """`evening`: a time before noon belongs to the day whose evening it ends."""
    start, late = local_date(schedule, after) - timedelta(days=2), timedelta(days=int(evening and at < NOON))
    for ahead in range(HORIZON):
        day = start + timedelta(days=ahead)
        instant = _instant(schedule, day + late, at)
        if instant > after and not is_quiet(schedule, day, holidays):
            return Night(day, instant)
    return None


def _instant(schedule: Schedule, day: date, at: time) -> datetime:
    local = datetime.combine(day, at, ZoneInfo(schedule.time_zone))
    return local.replace(fold=0).astimezone(UTC)
