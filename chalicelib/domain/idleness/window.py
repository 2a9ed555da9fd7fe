"""The window that signals must agree over, and tests of a series of numbers within it: covered or not, risen or not.

Every test is monotonic in the window's numbers: baselines come from before the window, or are constants. More activity can never
make a cluster look quieter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.idleness.evidence import Series

#: The most periods that may be missing in a row; CloudWatch is also late by one or two at the end.
PERIODS_APART = 3
PERIODS_LATE = 4
#: The least number of hours for a baseline.
BASELINE_POINTS = 6


@dataclass(frozen=True)
class Window:
    """From `start` to `end`, both aware UTC."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> float:
        """The length in hours."""
        return (self.end - self.start) / timedelta(hours=1)


def within(series: Series, window: Window) -> tuple[float, ...]:
    """The values of periods that reach into the window, or begin in it."""
    period = timedelta(seconds=series.period)
    return tuple(value for at, value in series.points if at + period > window.start)


def before(series: Series, window: Window) -> Series:
    """The part of a series that ended before the window."""
    period = timedelta(seconds=series.period)
    return Series(series.period, tuple(point for point in series.points if point[0] + period <= window.start))


def begun_after(series: Series, instant: datetime) -> Series:
    """The part of a series that began at an instant or later."""
    return Series(series.period, tuple(point for point in series.points if point[0] >= instant))


def gap(series: Series, window: Window) -> str:
    """The missing time, as `no data for 40 min`; empty if the series covers the window."""
    period = timedelta(seconds=series.period)
    times = [at for at, _ in series.points if at + period > window.start]
    if not times:
        return Sentence("no data")
    silences = [later - earlier for earlier, later in pairwise(times)]
    longest = max(
        [times[0] - window.start, *silences, window.end - times[-1] - (PERIODS_LATE - PERIODS_APART) * period]
    )
    if longest <= PERIODS_APART * period:
        return ""
    return Sentence("no data for {minutes} min", minutes=longest // timedelta(minutes=1))


def per_minute(series: Series, value: float) -> float:
    """A sum over a period as a rate."""
    return value * 60 / series.period


def stands_out(values: Sequence[float], limit: float, far: float) -> bool:
    """Whether two periods exceed `limit`, or one exceeds `far`: one small peak is not use."""
    return sum(value > limit for value in values) > 1 or any(value > far for value in values)


def usual(values: Sequence[float]) -> float | None:
    """The lower quartile: the level without users, if people rest in a quarter of the hours. None if there are too few."""
    return sorted(values)[len(values) // 4] if len(values) >= BASELINE_POINTS else None


def quiet_since(hourly: Series, window: Window, is_busy: Callable[[float], bool]) -> datetime:
    """The time since when an hourly series has been quiet up to the window. A gap is not quiet."""
    period, since = timedelta(seconds=hourly.period), window.start
    for at, value in reversed([point for point in hourly.points if point[0] < window.start]):
        if at + period < since or is_busy(value):
            break
        since = at
    return since


class JudgingRules(Protocol):
    """The rules that the judge needs, in hours: the length of the window, and the age from which a lab is judged."""

    @property
    def window_hours(self) -> int: ...

    @property
    def young_hours(self) -> int: ...
