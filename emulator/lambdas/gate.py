"""How many functions run at once: those beyond it wait for their turn, as one machine has a few cores and AWS has many.

Fifty learners who ask at once would start fifty processes, which share two cores until the first answer is late. In turns, eight
processes answer all fifty. A function that waits for another one that it calls would keep it waiting, so nobody waits for long.
What API Gateway calls has a queue of its own: on AWS no answer waits for the steps of workflows.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

MOST_AT_ONCE = max(8, 4 * (os.cpu_count() or 1))
LONGEST_WAIT = 20.0
"""Seconds after which a function runs beside the others."""


class Gate:
    """A number of places. A free place goes to the caller that has waited longest."""

    def __init__(self, places: int, longest: float = LONGEST_WAIT) -> None:
        self._free, self._longest = places, longest
        self._lock, self._waiting = threading.Lock(), deque[threading.Event]()

    def enter(self) -> None:
        """Wait for a place, at most so long."""
        mine = threading.Event()
        with self._lock:
            self._waiting.append(mine)
            self._let_in()
        if not mine.wait(self._longest):
            with self._lock:
                if not mine.is_set():
                    self._waiting.remove(mine)
                    self._free -= 1

    def leave(self) -> None:
        """Give the place to the next."""
        with self._lock:
            self._free += 1
            self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._free > 0:
            self._free -= 1
            self._waiting.popleft().set()


def in_turn(execute: Callable[..., Any], places: int = MOST_AT_ONCE) -> Callable[..., Any]:
    """The same function of Lambda's service, so many at once: answers of API Gateway among themselves, all others, too."""
    answers, others = Gate(places), Gate(places)

    def execute_in_turn(function: dict[str, Any], event: Any, request_id: str) -> Any:
        gate = answers if isinstance(event, dict) and "requestContext" in event else others
        gate.enter()
        try:
            return execute(function, event, request_id)
        finally:
            gate.leave()

    return execute_in_turn


def install() -> None:
    """Put the gates before the functions of this emulator."""
    lambda_svc._execute_function_warm = in_turn(lambda_svc._execute_function_warm)
