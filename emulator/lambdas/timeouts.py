"""A function's timeout counts the seconds in which this machine runs: a standstill, as of a laptop that sleeps, counts as one.

ministack waits for a function's answer by joining the thread that reads it, for the whole timeout at once.
"""

from __future__ import annotations

import threading
from types import SimpleNamespace

from ministack.core import lambda_runtime

_SLICE = 1.0


class PatientThread(threading.Thread):
    """A thread that is waited for in slices of a second."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for at most this many slices."""
        if timeout is None:
            return super().join()
        while timeout > 0 and self.is_alive():
            super().join(min(_SLICE, timeout))
            timeout -= _SLICE
        return None


def install() -> None:
    """Have this process's functions waited for in slices."""
    names = {name: getattr(threading, name) for name in ("Lock", "Event", "current_thread")}
    lambda_runtime.threading = SimpleNamespace(**names, Thread=PatientThread)
