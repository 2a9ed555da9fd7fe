"""Reads CloudTrail's event history: the adapter of the port `EventHistory`. What an event proves is domain/teardown/creation.py's.

LookupEvents takes one attribute, two questions a second of everybody in an account's region, and answers 50 events a page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.domain.teardown.creation import Event, Lookup

#: Pages of 50 events: what has more is too much to be read for one thing.
_PAGES = 20


def iam_region(region: str) -> str:
    """The region that IAM's events are in, in the same partition."""
    if region.startswith("cn-"):
        return "cn-north-1"
    return "us-gov-west-1" if region.startswith("us-gov-") else "us-east-1"


class CloudTrailHistory:
    """`global_` is a client of the region that IAM's events are in."""

    def __init__(self, cloudtrail: Any, global_: Any) -> None:
        self._regional, self._global = cloudtrail, global_

    def events(self, lookup: Lookup) -> tuple[Event, ...] | None:
        """All events that answer the question, newest first; None when there are more than can be read."""
        found: list[Event] = []
        client = self._global if lookup.global_ else self._regional
        for number, page in enumerate(_pages(client, lookup)):
            if number >= _PAGES:
                return None
            found += map(_told, page.get("Events", []))
        return tuple(found)


def _pages(client: Any, lookup: Lookup) -> Iterator[Mapping[str, Any]]:
    request: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": lookup.attribute, "AttributeValue": lookup.value}],
        "StartTime": lookup.since,
        "EndTime": lookup.until,
        "MaxResults": 50,
    }
    while True:
        with translate("cloudtrail:LookupEvents"):
            page = client.lookup_events(**request)
        yield page
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _told(row: Any) -> Event:
    """The event itself, as CloudTrail wrote it down. One that can't be read is empty: it is counted, and proves nothing."""
    try:
        told = json.loads(row["CloudTrailEvent"])
    except (ValueError, KeyError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}
