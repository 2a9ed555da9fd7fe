"""Instants on the clock of the lab's owner."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


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
    return f"{local:%a} {local.day} {local:%b %H:%M:%S}"


def at_clock(instant: str | None, zone: tzinfo) -> str | None:
    """The time of day of an instant: `22:00:07`."""
    return None if instant is None else f"{datetime.fromisoformat(instant).astimezone(zone):%H:%M:%S}"
