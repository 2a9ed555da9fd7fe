"""The AWS costs of calls are counted by AWS's rules: by the size of items, twice in transactions, never when refused."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox

KEY = {"pk": {"S": "LAB#1"}, "sk": {"S": "META"}}


@pytest.fixture(scope="module")
def table(sandbox: Sandbox) -> str:
    keys = {"pk": "HASH", "sk": "RANGE"}
    indexes = {"by_owner": {"owner": "HASH", "created": "RANGE"}, "due": {"due": "HASH", "at": "RANGE"}}
    names = {*keys, *(name for index in indexes.values() for name in index)}
    sandbox.client("dynamodb").create_table(
        TableName="billed",
        KeySchema=_schema(keys),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)],
        GlobalSecondaryIndexes=[
            {"IndexName": name, "KeySchema": _schema(index), "Projection": {"ProjectionType": "ALL"}}
            for name, index in indexes.items()
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return "billed"


def _schema(keys: dict[str, str]) -> list[Any]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()]


def billed(sandbox: Sandbox, call: str, **request: Any) -> dict[str, float]:
    """The cost that one call of DynamoDB's adds to the bill."""
    before = Counter(sandbox.admin("GET", "bill"))
    getattr(sandbox.client("dynamodb"), call)(**request)
    after = Counter(sandbox.admin("GET", "bill"))
    return {what: after[what] - before[what] for what in after if after[what] != before[what]}


def item(kilobytes: float, **more: Any) -> dict[str, Any]:
    return {**KEY, "body": {"S": "x" * (int(kilobytes * 1024) - 20)}, **more}


def test_a_write_counts_each_kilobyte_begun_and_again_in_each_index(sandbox: Sandbox, table: str) -> None:
    assert billed(sandbox, "put_item", TableName=table, Item=item(1)) == {"write units": 1}
    assert billed(sandbox, "put_item", TableName=table, Item=item(2.5)) == {"write units": 3}
    put = partial(billed, sandbox, "put_item", TableName=table)
    listed = {"owner": {"S": "me"}, "created": {"S": "now"}, "due": {"S": "DUE"}, "at": {"S": "now"}}
    assert put(Item=item(0.5, **listed)) == {"write units": 3 + 1 + 1}, (
        "the larger of before and after; in two indexes now"
    )
    assert put(Item=item(0.5, **listed)) == {"write units": 1}, "nothing changed"
    assert put(Item=item(0.6, **listed)) == {"write units": 1 + 1 + 1}
    assert put(Item=item(0.6, **listed | {"at": {"S": "later"}})) == {"write units": 1 + 1 + 2}, "it moves in one index"
    assert billed(sandbox, "delete_item", TableName=table, Key=KEY) == {"write units": 1 + 1 + 1}


def test_a_transaction_counts_twice(sandbox: Sandbox, table: str) -> None:
    put = {"Put": {"TableName": table, "Item": item(2)}}
    assert billed(sandbox, "transact_write_items", TransactItems=[put]) == {"write units": 4}


def test_a_batch_counts_each_item_by_itself_and_each_key_that_nothing_is_under(sandbox: Sandbox, table: str) -> None:
    for sort, kilobytes in (("B1", 0.5), ("B2", 5)):
        sandbox.client("dynamodb").put_item(TableName=table, Item=item(kilobytes) | {"sk": {"S": sort}})
    keys = [KEY | {"sk": {"S": sort}} for sort in ("B1", "B2", "nothing")]
    read = partial(billed, sandbox, "batch_get_item")
    assert read(RequestItems={table: {"Keys": keys, "ConsistentRead": True}}) == {"read units": 1 + 2 + 1}
    assert read(RequestItems={table: {"Keys": keys}}) == {"read units": (1 + 2 + 1) / 2}


def test_a_read_counts_four_kilobytes_and_half_when_it_may_be_old(sandbox: Sandbox, table: str) -> None:
    sandbox.client("dynamodb").put_item(TableName=table, Item=item(6))
    assert billed(sandbox, "get_item", TableName=table, Key=KEY, ConsistentRead=True) == {"read units": 2}
    assert billed(sandbox, "get_item", TableName=table, Key=KEY) == {"read units": 1}
    nothing = {"pk": {"S": "LAB#2"}, "sk": {"S": "META"}}
    assert billed(sandbox, "get_item", TableName=table, Key=nothing, ConsistentRead=True) == {"read units": 1}


def test_what_is_refused_costs_nothing(sandbox: Sandbox) -> None:
    before = sandbox.admin("GET", "bill")
    with pytest.raises(ClientError):
        sandbox.client("dynamodb").put_item(TableName="absent", Item=item(1))
    assert sandbox.admin("GET", "bill") == before
