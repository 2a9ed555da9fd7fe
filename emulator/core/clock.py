"""The emulator's clock: the instant on its calendar, and the length of its waits.

The two are separate on purpose. `now` is the machine's own time plus a shift, so a test can move to next March;
`scale` shortens every duration, so that ten minutes of AWS take six seconds at 0.01. Moving the calendar does not
end a wait that is under way.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class EmulatorClock:
    """A calendar that can be moved and durations that can be shortened."""

    def __init__(self, scale: float = 1.0) -> None:
        if scale < 0:
            raise ValueError("the scale of time cannot be negative")
        self.scale = scale
        self._shift = timedelta(0)

    def now(self) -> datetime:
        """Return the emulator's instant, aware, in UTC."""
        return datetime.now(UTC) + self._shift

    def set(self, instant: datetime) -> None:
        """Make `now` start again from this aware instant."""
        if instant.tzinfo is None:
            raise ValueError("the clock is set to aware instants only")
        self._shift = instant.astimezone(UTC) - datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        """Move the calendar by this much, forwards or backwards."""
        self._shift += by

    def scaled(self, seconds: float) -> float:
        """Return the seconds of this machine for a number of AWS seconds."""
        return seconds * self.scale
