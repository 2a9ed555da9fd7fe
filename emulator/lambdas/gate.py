"""Limits how many functions run at once; the others wait for their turn, because one machine has few cores.

Fifty simultaneous requests would start fifty processes, which share two cores until every answer is late. In turns, eight
processes answer all fifty. Waits are short, because a running function may call one that waits. Functions behind API Gateway have
a queue of their own: on AWS no answer waits for the steps of workflows.
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
    """Limit concurrent runs of Lambda's function, separately for answers of API Gateway and for all others."""
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
