"""Reads a schedule as a person wrote it, with all faults, field by field.

Used by `POST /labs` and `PUT /labs/{id}/evening`. Omitted fields take the installation's values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, time
from functools import cache
from zoneinfo import available_timezones

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.names import meant_by
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.labs.schedule import USUAL_EVENING, AtCurfew, Schedule

#: Monday first, in the request's spelling.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_QUIET_DATES = 100
_TIME = pattern(r"([01]\d|2[0-3]):[0-5]\d")
_DATE = pattern(r"\d{4}-\d\d-\d\d")
#: Names in the zone database that are no places.
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})


@dataclass(frozen=True)
class ScheduleDraft:
    """The fields as written; None: not given. `without`: fields (`holidays`, `wake`) given as none."""

    time_zone: str | None = None
    curfew: str | None = None
    weekdays: tuple[str, ...] | None = None
    holidays: str | None = None
    quiet_dates: tuple[str, ...] | None = None
    at_curfew: AtCurfew | None = None
    wake: str | None = None
    without: frozenset[str] = frozenset()


#: Nothing given.
UNSAID = ScheduleDraft()


@dataclass(frozen=True)
class ScheduleRules:
    """The installation's rules: the default evening, and the countries with known holidays."""

    usual: Schedule = USUAL_EVENING
    is_known_country: Callable[[str], bool] = bool


#: Every evening at 22:00 UTC, and any country.
USUAL_RULES = ScheduleRules()


def read_schedule(draft: ScheduleDraft, rules: ScheduleRules, path: str) -> tuple[Schedule, tuple[Finding, ...]]:
    """The evening, and its faults; faulty fields get the default. `path` is its place in the body."""
    reading = _Reading(rules, path)
    usual = rules.usual
    schedule = Schedule(
        time_zone=reading.zone(draft.time_zone) or usual.time_zone,
        curfew=reading.time("curfew", draft.curfew) or usual.curfew,
        weekdays=reading.weekdays(draft.weekdays) or usual.weekdays,
        holidays=None if "holidays" in draft.without else reading.country(draft.holidays) or usual.holidays,
        quiet_dates=usual.quiet_dates if draft.quiet_dates is None else reading.dates(draft.quiet_dates),
        at_curfew=draft.at_curfew or usual.at_curfew,
        wake=None if "wake" in draft.without else reading.time("wake", draft.wake) or usual.wake,
    )
    return schedule, tuple(reading.findings)


@cache
def time_zones() -> frozenset[str]:
    """Every IANA zone known here."""
    return frozenset(available_timezones()) - _NO_ZONES


def no_such_zone(name: str) -> Sentence:
    """The sentence for an unknown time zone, with the one that was probably meant."""
    meant = meant_by(name, time_zones(), Sentence("They look like Asia/Seoul."))
    return Sentence("{name} is no time zone of the IANA's. {meant}", name=_shown(name), meant=meant)


def date_in(text: str) -> date | None:
    """The day, written as 2026-12-24; None if it is none."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


class _Reading:
    """Reads one field after the other; None if it was not given, or is faulty."""

    def __init__(self, rules: ScheduleRules, path: str) -> None:
        self.findings: list[Finding] = []
        self._rules, self._path = rules, path

    def zone(self, name: str | None) -> str | None:
        if name is None or name in time_zones():
            return name
        self._refuse("timeZone", "unknown-time-zone", no_such_zone(name))
        return None

    def time(self, field: str, text: str | None) -> time | None:
        if text is None or _TIME.fullmatch(text):
            return None if text is None else time.fromisoformat(text)
        self._refuse(
            field,
            "invalid-time",
            Sentence('{shown} is no time of day. They look like "22:00", in quotes.', shown=_shown(text)),
        )
        return None

    def weekdays(self, names: tuple[str, ...] | None) -> tuple[int, ...] | None:
        if names is None:
            return None
        known = {name: number for number, name in enumerate(WEEKDAYS)}
        for index, name in enumerate(names):
            if name not in known:
                self._refuse(
                    f"weekdays[{index}]",
                    "unknown-weekday",
                    Sentence("Weekdays are {names}.", names=", ".join(WEEKDAYS)),
                )
        if not names:
            message = Sentence(
                "Name at least one: an evening that never comes is no evening. quietDates and holidays leave days out."
            )
            self._refuse("weekdays", "empty", message)
        return tuple(sorted({known[name] for name in names if name in known}))

    def country(self, code: str | None) -> str | None:
        if code is None or self._rules.is_known_country(code):
            return code
        message = Sentence(
            "No holidays are known of {shown}. Countries are named as in ISO 3166: KR, or DE-BY with a subdivision.",
            shown=_shown(code),
        )
        self._refuse("holidays", "unknown-country", message)
        return None

    def dates(self, texts: tuple[str, ...]) -> tuple[date, ...]:
        if len(texts) > MOST_QUIET_DATES:
            self._refuse(
                "quietDates",
                "too-many",
                Sentence(
                    "At most {most_quiet_dates} days, not {count}.", most_quiet_dates=MOST_QUIET_DATES, count=len(texts)
                ),
            )
        return tuple(sorted(set(self._each_date(texts[:MOST_QUIET_DATES]))))

    def _each_date(self, texts: Iterable[str]) -> Iterable[date]:
        for index, text in enumerate(texts):
            day = date_in(text)
            if day is not None:
                yield day
            else:
                message = Sentence("{shown} is no day. They look like 2026-12-24, in quotes.", shown=_shown(text))
                self._refuse(f"quietDates[{index}]", "invalid-date", message)

    def _refuse(self, field: str, code: str, message: str) -> None:
        at = f"{self._path}.{field}" if self._path else field
        self.findings.append(error(at, code, message))


def _shown(text: str) -> str:
    """The written text, cut for people; an empty text is marked."""
    return text[:60] or '""'
