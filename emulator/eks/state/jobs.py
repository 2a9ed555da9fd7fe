"""Delayed work of EKS: a function after a number of AWS seconds, under the world's lock.

Each job is a timer thread of its own, so jobs may call the emulator's other services; an exception in one reaches
threading.excepthook like any thread's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from emulator.core.clock import EmulatorClock


class Jobs:
    """Pending work, all of which `cancel` forgets."""

    def __init__(self, clock: EmulatorClock, lock: threading.RLock) -> None:
        self._clock = clock
        self._lock = lock
        self._pending: dict[object, threading.Timer] = {}

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Do this once, after this many unscaled seconds."""
        ticket = object()
        timer = threading.Timer(self._clock.scaled(seconds), self._run, (ticket, work))
        timer.daemon = True
        with self._lock:
            self._pending[ticket] = timer
        timer.start()

    def cancel(self) -> None:
        """Forget everything not yet begun."""
        with self._lock:
            for timer in self._pending.values():
                timer.cancel()
            self._pending.clear()

    def _run(self, ticket: object, work: Callable[[], None]) -> None:
        with self._lock:
            if self._pending.pop(ticket, None) is not None:
                work()
