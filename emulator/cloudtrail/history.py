"""The events of every account and region, their delays, and the rate limit of look-ups.

Sources: API reference of LookupEvents (90 days, newest first, two requests a second per account and region); AWS's FAQ (an
event shows up within 15 minutes, on average in 5). Delay and rate are in seconds of AWS, which the clock's scale shortens.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.core.clock import EmulatorClock

KEPT = timedelta(days=90)
LOOKUPS_A_SECOND = 2
_MOST_EVENTS = 20_000

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the record that CloudTrail keeps, the name and the resources that LookupEvents finds it by."""

    record: Record
    username: str
    resources: tuple[tuple[str, str], ...] = ()
    number: int = 0
    visible_from: float = 0.0
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def described(self) -> dict[str, Any]:
        """The event as LookupEvents shows it."""
        return {
            "EventId": self.record["eventID"],
            "EventName": self.record["eventName"],
            "ReadOnly": str(self.record.get("readOnly", False)).lower(),
            "AccessKeyId": self.record["userIdentity"].get("accessKeyId", ""),
            "EventTime": int(self.at.timestamp()),
            "EventSource": self.record["eventSource"],
            "Username": self.username,
            "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in self.resources],
            "CloudTrailEvent": json.dumps(self.record),
        }


class History:
    """Event history; safe to use from several threads."""

    def __init__(self, clock: EmulatorClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._events: dict[tuple[str, str], deque[Event]] = defaultdict(lambda: deque(maxlen=_MOST_EVENTS))
        self._asked: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._number = 0
        self.delay = 0.0
        """Seconds of AWS until an event can be seen; AWS's are minutes, 0 here unless it is set."""
        self.window = clock.scaled(1.0)
        """Seconds on the wall in which two look-ups of an account and region are answered."""

    def add(
        self,
        place: tuple[str, str],
        record: Mapping[str, Any],
        username: str,
        resources: tuple[tuple[str, str], ...] = (),
        at: datetime | None = None,
        delay: float | None = None,
    ) -> str:
        """Add an event to the account's history in a region; return its id. `delay` replaces the history's own."""
        now = datetime.now(UTC) if at is None else at
        given = {
            "eventVersion": "1.11",
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "awsRegion": place[1],
            "requestID": str(uuid.uuid4()),
            "eventID": str(uuid.uuid4()),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": place[0],
            "eventCategory": "Management",
        }
        wait = self._clock.scaled(self.delay if delay is None else delay)
        with self._lock:
            self._number += 1
            event = Event({**given, **record}, username, resources, self._number, time.monotonic() + wait, now)
            self._events[place].append(event)
        return str(event.record["eventID"])

    def visible(self, place: tuple[str, str]) -> list[Event]:
        """The events of an account and region that are visible by now, newest first."""
        oldest, now = self._clock.now() - KEPT, time.monotonic()
        with self._lock:
            seen = [event for event in self._events[place] if event.visible_from <= now and event.at >= oldest]
        return sorted(seen, key=lambda event: (int(event.at.timestamp()), event.number), reverse=True)

    def may_ask(self, place: tuple[str, str]) -> bool:
        """Count a look-up; return whether the rate limit of the account and region allows it."""
        now = time.monotonic()
        with self._lock:
            asked = self._asked[place]
            while asked and asked[0] <= now - self.window:
                asked.popleft()
            if len(asked) >= LOOKUPS_A_SECOND:
                return False
            asked.append(now)
            return True

    def record_call(self, place: tuple[str, str, str], caller: str, operation: str, at: datetime) -> str:
        """Record a call to EKS about a cluster by the principal with this ARN; `place`: account, region, name."""
        account, region, name = place
        identity = {"type": "AssumedRole" if ":assumed-role/" in caller else "IAMUser", "arn": caller}
        record = {
            "userIdentity": identity | {"accountId": account},
            "eventSource": "eks.amazonaws.com",
            "eventName": operation,
            "requestParameters": {"name": name},
            "readOnly": operation.startswith(("Describe", "List")),
        }
        return self.add((account, region), record, caller.rpartition("/")[2], at=at, delay=0)
