"""The cursor of every paged list: its own continues, any other is the bad field `cursor`, never DynamoDB's error."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.dynamodb.people import DynamoPeople
from chalicelib.aws.dynamodb.support.store import DynamoFleetStore
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.labs.spending import Scope
from chalicelib.domain.labs.steps import Event
from tests.aws.dynamodb.table import create_table
from tests.aws.dynamodb.test_labs_spending import a_priced_lab
from tests.aws.dynamodb.test_people_contract import HOME, a_person
from tests.fakes import NOW
from tests.fakes.fleet_builders import a_notice, a_place, a_watched

OWNERS = tuple(f"arn:aws:iam::{HOME}:user/{name}" for name in ("jun", "mina"))
#: Reads one page of a list from a cursor; returns the next cursor.
Page = Callable[[str | None], str | None]


class Strict:
    """DynamoDB only accepts a position within the query, and keys of 1,024 bytes: moto accepts any."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **asked: Any) -> Any:
        start, values = asked.get("ExclusiveStartKey", {}), asked["ExpressionAttributeValues"]
        prefix = values[":prefix"]["S"] if "begins_with(sk" in asked["KeyConditionExpression"] else ""
        within = start.get("sk", {"S": prefix})["S"].startswith(prefix)
        if not within or any(len(each["S"].encode()) > 1024 for each in start.values()):
            message = "The provided starting key is outside query boundaries based on provided conditions"
            raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Query")
        return self._client.query(**asked)


def furnished(client: Any) -> Mapping[str, Page]:
    """Every list, with three items at least."""
    store, fleet, people = (
        DynamoStore(client, "labs"),
        DynamoFleetStore(client, "labs"),
        DynamoPeople(client, "labs", HOME),
    )
    for number in range(9):
        tags = tuple(f"{name}={number}" for name in ("course", "seat"))
        lab = a_priced_lab(number, owner=OWNERS[number % 2], account=f"11112222333{number}", cost_tags=tags)
        at = NOW + timedelta(days=31 * (number // 5))
        aged = replace(lab, created_at=at, lease_ends_at=at + timedelta(hours=2))
        store.create_lab(aged if number % 2 else replace(aged, owner=f"{OWNERS[0]}{number}"), None, "d", at)
        store.create_lab(
            replace(aged, id=f"{lab.id}-2", owner=OWNERS[0], spec=replace(lab.spec, name=f"m{number}")), None, "d", at
        )
        for lab_id in ("lab-1", "lab-2"):
            store.add_event(lab_id, Event(at + timedelta(minutes=number), "x", "y"))
        assert people.save_people([], [a_person(f"person-{number}", f"{OWNERS[0]}{number}")])
    fleet.add_notices([a_notice(f"c-{number}") for number in range(3)])
    for number in range(3):
        one = a_watched(f"c-{number}")
        fleet.change_place(a_place(), {f"c-{number}": lambda _, one=one: one})
    sums: dict[str, Page] = {
        f"{scope} of {month}": lambda cursor, of=(month, scope): store.month_page(*of, 1, cursor).cursor
        for month in ("2026-11", "2026-12")
        for scope in (Scope.PERSON, Scope.ACCOUNT, Scope.TAG)
    }
    return sums | {
        "labs": lambda cursor: store.list_labs(None, (), 1, cursor).cursor,
        "labs of one": lambda cursor: store.look_at_labs(OWNERS[0], (), 1, cursor).cursor,
        "labs of another": lambda cursor: store.list_labs(OWNERS[1], (), 1, cursor).cursor,
        "events": lambda cursor: store.events("lab-1", 1, cursor).cursor,
        "events of another": lambda cursor: store.events("lab-2", 1, cursor).cursor,
        "notices": lambda cursor: fleet.list_notices(1, cursor)[1],
        "clusters": lambda cursor: fleet.list_watched(1, cursor)[1],
        "people": lambda cursor: people.list_people(1, cursor)[1],
    }


@pytest.fixture(scope="module")
def lists() -> Iterator[Mapping[str, Page]]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        create_table(client)
        yield furnished(Strict(client))


def refused(page: Page, cursor: str) -> bool:
    try:
        page(cursor)
    except InvalidRequest as refusal:
        return [(one.path, one.code) for one in refusal.findings] == [("cursor", "bad-cursor")]
    return False


def test_a_list_takes_its_own_cursors_and_none_of_another_list(lists: Mapping[str, Page]) -> None:
    """A cursor of another month, or of tags for accounts, was DynamoDB's error, and so a 502."""
    own = {name: page(None) for name, page in lists.items()}
    assert None not in own.values()
    assert [name for name, page in lists.items() if refused(page, own[name] or "")] == []
    assert [pair for pair in permutations(lists, 2) if not refused(lists[pair[0]], own[pair[1]] or "")] == []


def test_a_position_that_is_made_up_is_refused_or_within_the_query(lists: Mapping[str, Page]) -> None:
    for name, page in lists.items():
        position = json.loads(base64.urlsafe_b64decode(page(None) or ""))
        for key, value in position.items():
            for made_up in ("", "a", "ZZZ", f"{value}0", value + "x" * 1024, f"{value}\ud800", "\ud83d\ude00"):
                text = json.dumps({**position, key: made_up}).encode()
                taken = not refused(page, base64.urlsafe_b64encode(text).decode())
                assert not taken or len(made_up) < 1024, (name, key)
                assert not (taken and "\ud800" in made_up), (name, key)
