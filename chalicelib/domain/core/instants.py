"""Instants: aware UTC, and how a person reads one."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(instant: datetime) -> datetime:
    """The same instant in UTC: west of Greenwich AWS's midnight is still yesterday. Raises ValueError if it is naive."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; instants are aware.")
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """An instant for people: `2026-11-23T18:00Z`."""
    return f"{instant:%Y-%m-%dT%H:%M}Z"
