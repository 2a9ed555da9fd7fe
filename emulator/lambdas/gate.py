"""Limits how many functions run at once; the others wait for their turn, because one machine has few cores.

Fifty simultaneous requests would start fifty processes, which share two cores until every answer is late. In turns, eight
processes answer all fifty. A function's own timeout begins after the wait. Functions behind API Gateway have a queue of their own:
on AWS no answer waits for the steps of workflows. Their waits have no end, because no function waits for an answer of API Gateway.
In the other queue a running function may call one that waits, so a standstill of the queue adds a place.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

MOST_AT_ONCE = max(8, 4 * (os.cpu_count() or 1))
LONGEST_STANDSTILL = 20.0
"""Seconds without anyone coming or going, after which one more function runs beside the others."""


class Gate:
    """A number of places. A free place goes to the caller that has waited longest.

    `standstill`: seconds without a change after which there is one more place, until nobody waits; None: never.
    """

    def __init__(self, places: int, standstill: float | None = LONGEST_STANDSTILL) -> None:
        self._free, self._added, self._standstill = places, 0, standstill
        self._lock, self._waiting, self._moved = threading.Lock(), deque[threading.Event](), time.monotonic()

    def enter(self) -> None:
        """Wait for a place."""
        mine = threading.Event()
        with self._lock:
            self._waiting.append(mine)
            self._let_in()
        while not mine.wait(self._patience()):
            self._add_if_still()

    def leave(self) -> None:
        """Give the place to the next; an added one ends if nobody waits."""
        with self._lock:
            self._moved = time.monotonic()
            if self._added and not self._waiting:
                self._added -= 1
            else:
                self._free += 1
            self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._free > 0:
            self._free -= 1
            self._moved = time.monotonic()
            self._waiting.popleft().set()

    def _patience(self) -> float | None:
        return None if self._standstill is None else max(0.0, self._moved + self._standstill - time.monotonic())

    def _add_if_still(self) -> None:
        with self._lock:
            if self._waiting and self._patience() == 0.0:
                self._free += 1
                self._added += 1
                self._let_in()


def in_turn(execute: Callable[..., Any], places: int = MOST_AT_ONCE) -> Callable[..., Any]:
    """Limit concurrent runs of Lambda's function, separately for answers of API Gateway and for all others."""
    answers, others = Gate(places, standstill=None), Gate(places)

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
