"""The answers after which a request is retried, and the seconds between attempts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

from ekslab.client.http import Answer, NoAnswer, Transport

#: How often one request is sent at most.
ATTEMPTS = 5
#: The gateway did not forward the request, so any request may be sent again.
_NOT_DONE = frozenset({429})
#: The request may have been carried out, so it is repeated only if that changes nothing.
_PASSING = frozenset({500, 502, 503, 504})
_IDEMPOTENT = frozenset({"GET", "PUT", "DELETE", "PATCH"})
_LONGEST = 20.0


def delays(first: float = 0.5) -> Iterator[float]:
    """Seconds to wait before each further attempt: doubled each time, with jitter."""
    seconds = first
    while True:
        yield seconds * random.uniform(0.5, 1.0)
        seconds = min(seconds * 2, _LONGEST)


def is_passing(answer: Answer) -> bool:
    """Whether the same request may get another answer in a moment."""
    return answer.status in _NOT_DONE | _PASSING


def may_repeat(method: str, headers: Mapping[str, str] | None) -> bool:
    """Whether sending it twice is sending it once: by its method, or by its idempotency key."""
    return method in _IDEMPOTENT or any(name.lower() == "idempotency-key" for name in headers or {})


def send(
    transport: Transport,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str] | None,
    sleep: Callable[[float], None],
) -> Answer:
    """Send a request until it gets a lasting answer, at most ATTEMPTS times. Raises NoAnswer."""
    repeatable = may_repeat(method, headers)
    waiting = delays()
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS
        try:
            answer = transport.call(method, path, body, headers)
        except NoAnswer:
            if last or not repeatable:
                raise
            sleep(next(waiting))
            continue
        again = answer.status in _NOT_DONE or (repeatable and answer.status in _PASSING)
        if last or not again:
            return answer
        sleep(max(next(waiting), _asked_to_wait(answer)))
    raise AssertionError("unreachable")


def _asked_to_wait(answer: Answer) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said), _LONGEST) if said.isdecimal() else 0.0
