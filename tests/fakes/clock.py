"""A clock that only moves on request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class FakeClock:
    """Implements the Clock port; `advance(minutes=15)` moves it."""

    instant: datetime = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def advance(self, **delta: float) -> datetime:
        """Move on by a timedelta's keyword arguments; return the new time."""
        self.instant += timedelta(**delta)
        return self.instant
