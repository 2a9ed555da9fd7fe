"""Conditions on DynamoDB's items have the same result when parsed once for all as when parsed for each."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from emulator.process import Sandbox

ITEMS = (
    {},
    {"a": {"S": "x"}},
    {"a": {"S": "y"}, "b": {"N": "3"}},
    {"a": {"N": "3"}, "b": {"L": [{"S": "x"}]}, "c": {"M": {"d": {"S": "x"}}}},
    {"b": {"N": "7"}, "c": {"M": {}}},
)
VALUES = (
    {":v": {"S": "x"}, ":w": {"N": "3"}},
    {":v": {"N": "3"}, ":w": {"N": "9"}},
    {":v": {"BOOL": True}, ":w": {"S": "y"}},
)
NAMES = ({}, {"#a": "a", "#b": "b"}, {"#a": "b", "#b": "c"})
CONDITIONS = (
    *(
        "a = :v",
        "#a = :v",
        "a = #b",
        ":v = a",
        "a <> :v",
        "a < :v",
        "b > :w",
        "a = :v AND b = :w",
        "a = :v OR NOT b >= :w",
    ),
    *(
        "a IN (:v, :w)",
        "b BETWEEN :v AND :w",
        "begins_with(a, :v)",
        "contains(b, :v)",
        "contains(a, a)",
        "size(a) > :w",
    ),
    *("attribute_exists(a)", "attribute_not_exists(#a) OR a = :v", "attribute_type(a, :v)", "c.d = :v", "b[0] = :v"),
    *("", " ", "a", "a =", "((a = :v))", "(a = :v", "name = :v", "a = :v AND", "a = :missing", "nonsense(a, :v)"),
)


def said(evaluate: Any, *asked: Any) -> object:
    """The answer, or the message of the refusal."""
    try:
        return bool(evaluate(*asked))
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("slot", ["ConditionExpression", "FilterExpression", "KeyConditionExpression"])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_that_is_read_once_says_the_same(condition: str, slot: str) -> None:
    from ministack.services import dynamodb

    from emulator.services.expressions import reading_once

    evaluate = dynamodb._evaluate_condition
    quick = reading_once(evaluate)
    for item, values, names in product(ITEMS, VALUES, NAMES):
        asked = (condition, item, values, names, slot)
        assert said(quick, *asked) == said(evaluate, *asked), asked


def test_so_many_conditions_that_none_can_be_kept_say_the_same() -> None:
    from ministack.services import dynamodb

    from emulator.services.expressions import reading_once

    quick = reading_once(dynamodb._evaluate_condition)
    for number in range(2500):
        assert quick(f"a = :v{number}", {"a": {"S": "x"}}, {f":v{number}": {"S": "x"}}, {})


def test_a_table_of_the_emulator_reads_so(sandbox: Sandbox) -> None:
    client = sandbox.client("dynamodb")
    keys = ("pk", "sk")
    client.create_table(
        TableName="quick", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=True)],
    )  # fmt: skip
    for number in range(3):
        client.put_item(TableName="quick", Item={"pk": {"S": "p"}, "sk": {"S": f"{number}"}, "n": {"N": f"{number}"}})
    asked = {
        "TableName": "quick", "KeyConditionExpression": "pk = :p AND sk > :s", "FilterExpression": "n < :n",
        "ExpressionAttributeValues": {":p": {"S": "p"}, ":s": {"S": "0"}, ":n": {"N": "2"}},
    }  # fmt: skip
    for _ in range(2):
        assert [item["sk"]["S"] for item in client.query(**asked)["Items"]] == ["1"]
    client.delete_table(TableName="quick")
