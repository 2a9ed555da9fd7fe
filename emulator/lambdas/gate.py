"""How many functions run at once: those beyond it wait for their turn, as one machine has a few cores and AWS has many.

Fifty learners who ask at once would start fifty processes, which share two cores until the first answer is late. In turns, eight
processes answer all fifty. A function that waits for another one that it calls would keep it waiting, so nobody waits for long.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from ministack.services import lambda_svc

MOST_AT_ONCE = max(8, 4 * (os.cpu_count() or 1))
LONGEST_WAIT = 20.0
"""Seconds after which a function runs beside the others."""


class Gate:
    """Lets so many in; a place that becomes free goes to one who waits."""

    def __init__(self, places: int, longest: float = LONGEST_WAIT) -> None:
        self._places, self._longest = places, longest
        self._inside, self._freed = 0, threading.Condition()

    def enter(self) -> None:
        """Wait for a place, at most so long."""
        with self._freed:
            self._freed.wait_for(lambda: self._inside < self._places, self._longest)
            self._inside += 1

    def leave(self) -> None:
        """Give the place to the next."""
        with self._freed:
            self._inside -= 1
            self._freed.notify()


def install() -> None:
    """Put the gate before the functions of this emulator."""
    gate, execute = Gate(MOST_AT_ONCE), lambda_svc._execute_function_warm

    def execute_in_turn(*arguments: Any) -> Any:
        gate.enter()
        try:
            return execute(*arguments)
        finally:
            gate.leave()

    lambda_svc._execute_function_warm = execute_in_turn
