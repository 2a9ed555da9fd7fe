"""Instants: aware UTC, and their form for people."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.domain.core.sentence import Moment, Style


def utc(instant: datetime) -> datetime:
    """The same instant in UTC: west of Greenwich AWS's midnight is still yesterday. Raises ValueError if it is naive."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; instants are aware.")
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> Moment:
    """An instant for people: `2026-11-23T18:00Z`."""
    return Moment(instant, "UTC", Style.INSTANT)


def format_second(instant: datetime) -> Moment:
    """An instant in the form that a request accepts: `2026-11-23T18:00:00Z`."""
    return Moment(instant, "UTC", Style.SECOND)
