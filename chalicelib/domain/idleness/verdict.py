"""The shape of a verdict on a cluster's use: kept with its numbers, told in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Moment, Style


class Sign(StrEnum):
    """The result of one signal over the window. MISSING: the data was requested and is not there; never taken for quiet."""

    QUIET = "quiet"
    BUSY = "busy"
    MISSING = "missing"
    ABSENT = "not-applicable"


@dataclass(frozen=True)
class Signal:
    """One signal, its sign, a half-sentence with numbers (`CPU 3 % (baseline 3 %)`), the numbers themselves."""

    name: str
    sign: Sign
    message: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    quiet_since: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """`idle`: every applicable signal agrees on quiet. `gone`: EKS knows no such cluster. `since`: quiet since, when idle.

    `sentence`: why, as people read it: "idle since 18:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %), ...".
    """

    lab_id: str
    at: datetime
    window_from: datetime
    idle: bool
    sentence: str
    gone: bool = False
    since: datetime | None = None
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True)
class LocalTime:
    """A time zone by its IANA name, and the time of the sentence."""

    zone: str
    now: datetime

    def message(self, instant: datetime) -> Moment:
        """`18:40` for today, else `Sun 22 Nov 18:40`."""
        local, today = instant.astimezone(ZoneInfo(self.zone)), self.now.astimezone(ZoneInfo(self.zone))
        return Moment(instant, self.zone, Style.CLOCK if local.date() == today.date() else Style.SHORT)
