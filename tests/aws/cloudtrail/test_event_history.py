"""LookupEvents answers, page by page, with unreadable rows among them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.aws.cloudtrail.event_history import CloudTrailHistory
from chalicelib.domain.teardown.creation import Lookup, unreadable

LOOKUP = Lookup("ResourceName", "vol-1", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
TOLD = {"eventName": "CreateVolume", "eventTime": "2026-11-01T00:00:00Z"}


def a_trail(*pages: list[dict[str, Any]]) -> tuple[CloudTrailHistory, Stubber]:
    client = boto3.client("cloudtrail", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    stubber = Stubber(client)
    for number, rows in enumerate(pages, 1):
        more = {"NextToken": str(number)} if number < len(pages) else {}
        stubber.add_response("lookup_events", {"Events": rows, **more})
    stubber.activate()
    return CloudTrailHistory(client, client), stubber


def row(event: Any) -> dict[str, Any]:
    return {"EventId": "1", "CloudTrailEvent": event if isinstance(event, str) else json.dumps(event)}


def test_all_pages_are_read() -> None:
    history, stubber = a_trail([row(TOLD)], [row(TOLD), row(TOLD)])
    assert history.events(LOOKUP) == (TOLD, TOLD, TOLD)
    stubber.assert_no_pending_responses()


@pytest.mark.parametrize("broken", [{"EventId": "2"}, row("{"), row("null"), row("[]"), row('"text"'), row(7)])
def test_a_row_that_can_not_be_read_is_counted(broken: dict[str, Any]) -> None:
    history, _ = a_trail([row(TOLD), broken])
    found = history.events(LOOKUP)
    assert found is not None
    assert (len(found), unreadable(found)) == (2, 1)


def test_what_has_more_events_than_can_be_read_has_no_answer() -> None:
    history, _ = a_trail(*[[row(TOLD)]] * 30)
    assert history.events(LOOKUP) is None
