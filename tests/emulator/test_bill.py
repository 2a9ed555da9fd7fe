"""What calls would cost on AWS is counted as AWS counts it: by the size of items, twice in transactions, never when refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox
from tests.aws.dynamodb.table import create_table

KEY = {"pk": {"S": "LAB#1"}, "sk": {"S": "META"}}


@pytest.fixture(scope="module")
def table(sandbox: Sandbox) -> str:
    return create_table(sandbox.client("dynamodb"), "billed")


def billed(sandbox: Sandbox, call: str, **request: Any) -> dict[str, float]:
    """What one call of DynamoDB's adds to the bill."""
    before = Counter(sandbox.admin("GET", "bill"))
    getattr(sandbox.client("dynamodb"), call)(**request)
    after = Counter(sandbox.admin("GET", "bill"))
    return {what: after[what] - before[what] for what in after if after[what] != before[what]}


def item(kilobytes: float, **more: Any) -> dict[str, Any]:
    return {**KEY, "body": {"S": "x" * (int(kilobytes * 1024) - 20)}, **more}


def test_a_write_counts_each_kilobyte_begun_and_again_in_each_index(sandbox: Sandbox, table: str) -> None:
    assert billed(sandbox, "put_item", TableName=table, Item=item(1)) == {"write units": 1}
    assert billed(sandbox, "put_item", TableName=table, Item=item(2.5)) == {"write units": 3}
    listed = {"owner": {"S": "me"}, "created": {"S": "now"}, "due_shard": {"S": "DUE"}, "due_at": {"S": "now"}}
    assert billed(sandbox, "put_item", TableName=table, Item=item(0.5, **listed)) == {"write units": 1 + 1 + 2}


def test_a_transaction_counts_twice(sandbox: Sandbox, table: str) -> None:
    put = {"Put": {"TableName": table, "Item": item(2)}}
    assert billed(sandbox, "transact_write_items", TransactItems=[put]) == {"write units": 4}


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
