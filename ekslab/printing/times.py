"""Instants on the clock of the lab's owner."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from ekslab.words import ENGLISH, language

_WEEKDAYS = "월화수목금토일"


def zone_of(name: str | None) -> tzinfo:
    """An IANA zone; UTC where this machine does not know it (Windows without tzdata)."""
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def at_local(instant: str | None, zone: tzinfo) -> str | None:
    """The day and time of an instant: `Mon 23 Nov 22:00`."""
    return None if instant is None else at_second(instant, zone)[:-3]


def at_second(instant: str, zone: tzinfo) -> str:
    """The day and time of an instant: `Mon 23 Nov 22:00:07`."""
    local = datetime.fromisoformat(instant).astimezone(zone)
    if language() == ENGLISH:
        return f"{local:%a} {local.day} {local:%b %H:%M:%S}"
    return f"{local.month}월 {local.day}일({_WEEKDAYS[local.weekday()]}) {_clock(local)}"


def at_clock(instant: str | None, zone: tzinfo) -> str | None:
    """The time of day of an instant, short in any language: `22:00:07`."""
    return None if instant is None else f"{datetime.fromisoformat(instant).astimezone(zone):%H:%M:%S}"


def month_of(month: str) -> str:
    """`2026-11` in words: `2026년 11월`."""
    year, number = month.split("-")
    return month if language() == ENGLISH else f"{year}년 {int(number)}월"


def _clock(local: datetime) -> str:
    """`오후 10:00:07`."""
    return f"{'오전' if local.hour < 12 else '오후'} {local.hour % 12 or 12}:{local:%M:%S}"
