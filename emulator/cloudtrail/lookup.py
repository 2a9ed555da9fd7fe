"""LookupEvents as AWS answers it: one attribute, 50 a page, newest first, two requests a second.

Source: API reference of LookupEvents and its errors in botocore's model.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudtrail

from emulator.cloudtrail.history import Event, History
from emulator.core.scope import scope
from emulator.eks.http.errors import EksError
from emulator.eks.state.faults import Faults

FAULT = "LookupEvents"
_PAGE = 50
_LOOKS: Mapping[str, Callable[[Event, str], bool]] = {
    "EventId": lambda event, value: event.record["eventID"] == value,
    "EventName": lambda event, value: event.record["eventName"] == value,
    "EventSource": lambda event, value: event.record["eventSource"] == value,
    "ReadOnly": lambda event, value: str(event.record["readOnly"]).lower() == value,
    "AccessKeyId": lambda event, value: event.record["userIdentity"].get("accessKeyId") == value,
    "Username": lambda event, value: event.username == value,
    "ResourceName": lambda event, value: any(name == value for _, name in event.resources),
    "ResourceType": lambda event, value: any(kind == value for kind, _ in event.resources),
}


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def install_lookup(history: History, faults: Faults) -> None:
    """Answer LookupEvents of this process's emulator from the history, or as a fault says."""

    def lookup_events(given: dict[str, Any]) -> Any:
        place = scope()
        if not history.may_ask(place):
            return cloudtrail._err("ThrottlingException", "Rate exceeded")
        try:
            faults.refuse(FAULT, "")
            return cloudtrail._ok(_answer(given, history.visible(place)))
        except (_Refused, EksError) as refused:
            return cloudtrail._err(refused.code, refused.message)

    cloudtrail._DISPATCH["LookupEvents"] = lookup_events


def _answer(given: Mapping[str, Any], events: list[Event]) -> dict[str, Any]:
    wanted, most = _wanted(given), given.get("MaxResults", _PAGE)
    if not 1 <= most <= _PAGE:
        raise _Refused("InvalidMaxResultsException", f"MaxResults must be between 1 and {_PAGE}.")
    start, end = given.get("StartTime"), given.get("EndTime")
    if start is not None and end is not None and start > end:
        raise _Refused("InvalidTimeRangeException", "The start time cannot be after the end time.")
    found = [
        event
        for event in events
        if (start is None or int(event.at.timestamp()) >= start)
        and (end is None or int(event.at.timestamp()) <= end)
        and wanted(event)
    ]
    skip = _skipped(given)
    page = {"Events": [event.described() for event in found[skip : skip + most]]}
    return page | ({"NextToken": _token(given, skip + most)} if len(found) > skip + most else {})


def _wanted(given: Mapping[str, Any]) -> Callable[[Event], bool]:
    attributes = given.get("LookupAttributes") or []
    if len(attributes) > 1 or any(each.get("AttributeKey") not in _LOOKS for each in attributes):
        raise _Refused("InvalidLookupAttributesException", "One valid lookup attribute can be given.")
    if not attributes:
        return lambda _event: True
    [attribute] = attributes
    return lambda event: _LOOKS[attribute["AttributeKey"]](event, attribute["AttributeValue"])


def _token(given: Mapping[str, Any], skip: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([_of_request(given), skip]).encode()).decode()


def _skipped(given: Mapping[str, Any]) -> int:
    """The offset in a token, which is valid only for the request that returned it."""
    if not (token := given.get("NextToken")):
        return 0
    try:
        request, skip = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        request, skip = "", 0
    if request != _of_request(given):
        raise _Refused("InvalidNextTokenException", "The token is invalid, or was given for another request.")
    return int(skip)


def _of_request(given: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in given.items() if key not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:16]
