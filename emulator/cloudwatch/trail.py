"""CloudTrail's event history, to which calls can be added that people are said to have made."""

from __future__ import annotations

import json
import uuid
from collections import deque
from datetime import datetime

from ministack.services import cloudtrail


def record_call(place: tuple[str, str, str], caller: str, operation: str, at: datetime) -> str:
    """Let somebody have called EKS about a cluster; return the event's id. `place`: account, region, name."""
    account, region, name = place
    event_id, source = str(uuid.uuid4()), "eks.amazonaws.com"
    record = {
        "eventVersion": "1.11",
        "userIdentity": {"arn": caller, "accountId": account},
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source,
        "eventName": operation,
        "awsRegion": region,
        "requestParameters": {"name": name},
        "eventID": event_id,
    }
    events = cloudtrail._events.get_scoped(account, region, "events") or ()
    event = {
        "EventId": event_id,
        "EventName": operation,
        "EventSource": source,
        "EventTime": at.timestamp(),
        "Username": caller.rpartition("/")[2],
        "Resources": [],
        "CloudTrailEvent": json.dumps(record),
    }
    in_order = sorted([*events, event], key=lambda each: float(each["EventTime"]))
    cloudtrail._events.set_scoped(account, region, "events", deque(in_order, maxlen=cloudtrail._MAX_EVENTS))
    return event_id
