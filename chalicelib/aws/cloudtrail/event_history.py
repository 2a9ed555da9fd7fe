"""Reads CloudTrail's event history: the adapter of the port `EventHistory`. domain/teardown/creation.py judges the events.

LookupEvents takes one attribute, allows two calls a second per account and region, and returns 50 events a page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.aws.clients.calls import first_pages
from chalicelib.domain.teardown.creation import Event, Lookup

#: Pages of 50 events: more is too much to read for one resource.
_PAGES = 20


def iam_region(region: str) -> str:
    """The region of IAM's events, in the same partition."""
    if region.startswith("cn-"):
        return "cn-north-1"
    return "us-gov-west-1" if region.startswith("us-gov-") else "us-east-1"


class CloudTrailHistory:
    """`global_` is a client of the region of IAM's events."""

    def __init__(self, cloudtrail: Any, global_: Any) -> None:
        self._regional, self._global = cloudtrail, global_

    def events(self, lookup: Lookup) -> tuple[Event, ...] | None:
        """All events that match the lookup, newest first; None if there are more than can be read."""
        found: list[Event] = []
        client = self._global if lookup.global_ else self._regional
        asked = (lookup.attribute, lookup.value, lookup.since, lookup.until)
        for page, is_last in event_pages(client, *asked, most=_PAGES):
            found += map(event_of, page.get("Events", []))
            if is_last:
                break
        else:
            return None
        return tuple(found)


def event_pages(
    client: Any, attribute: str, value: str, since: datetime, until: datetime, most: int
) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Up to `most` answers of LookupEvents, 50 events each, and whether each is the last."""
    asked = [{"AttributeKey": attribute, "AttributeValue": value}]
    return first_pages(
        client,
        "cloudtrail:LookupEvents",
        most,
        LookupAttributes=asked,
        StartTime=since,
        EndTime=until,
        MaxResults=50,
    )


def event_of(row: Any) -> Event:
    """The event as CloudTrail recorded it. An unreadable one is empty: it is counted, and proves nothing."""
    try:
        told = json.loads(row["CloudTrailEvent"])
    except (ValueError, KeyError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}
