"""A cancelled transaction leaves moto's table unchanged, also with the quick copies of `tests/aws/moto_tables.py`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws.dynamodb.table import create_table
from tests.aws.given_curfew import moto_client


def item(sort: str, **more: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in {"pk": "one", "sk": sort, **more}.items()}


def test_a_cancelled_transaction_leaves_the_table_as_it_was() -> None:
    with moto_client() as client:
        table = create_table(client, "quick")
        for sort in ("changed", "deleted", "replaced", "untouched"):
            client.put_item(TableName=table, Item=item(sort, said="before"))
        before = client.scan(TableName=table)["Items"]
        change = {"UpdateExpression": "SET said = :s", "ExpressionAttributeValues": {":s": {"S": "after"}}}
        writes: list[dict[str, Any]] = [
            {"Update": {"TableName": table, "Key": item("changed"), **change}},
            {"Delete": {"TableName": table, "Key": item("deleted")}},
            {"Put": {"TableName": table, "Item": item("replaced", said="after")}},
            {"Put": {"TableName": table, "Item": item("new", said="after")}},
        ]
        never = {"TableName": table, "Key": item("untouched"), "ConditionExpression": "attribute_not_exists(pk)"}
        with pytest.raises(client.exceptions.TransactionCanceledException):
            client.transact_write_items(TransactItems=[*writes, {"ConditionCheck": never}])
        assert client.scan(TableName=table)["Items"] == before
        client.transact_write_items(TransactItems=writes)
        after = client.scan(TableName=table)["Items"]
        assert sorted((each["sk"]["S"], each["said"]["S"]) for each in after) == [
            ("changed", "after"), ("new", "after"), ("replaced", "after"), ("untouched", "before"),
        ]  # fmt: skip
