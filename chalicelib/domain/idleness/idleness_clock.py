"""How a verdict tells times: by the clock on the lab's wall, with the day where it is not today."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import dataclass


@dataclass(frozen=True)
class Clock:
    """A time zone by its IANA name, and the instant of telling."""

    zone: str
    now: datetime

    def told(self, instant: datetime) -> str:
        """`18:40` for today, else `Sun 22 Nov 18:40`."""
        local, today = instant.astimezone(ZoneInfo(self.zone)), self.now.astimezone(ZoneInfo(self.zone))
        if local.date() == today.date():
            return f"{local:%H:%M}"
        return f"{local:%a} {local.day} {local:%b %H:%M}"
