"""How many labs are alive: a few counters that every creation and every end keeps in its own transaction.

`counted` on a lab says whether it is in its counter; the item's own condition sees to it that it is there once. Labs from
before there were counters lack it: the first question counts them, each in a transaction with its mark, and so does a save
that comes first. A run that dies half-way leaves nothing counted twice, and the next one goes on.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.curfew.keys import COUNTED, all_counters
from chalicelib.aws.dynamodb.keys import BY_AGE, EVERYONE, Item, counter_key, lab_id_of, lab_key, text
from chalicelib.aws.dynamodb.labs.counters import running
from chalicelib.aws.dynamodb.pages import Listing, all_items
from chalicelib.aws.dynamodb.transactions import ATTEMPTS, add, transact
from chalicelib.domain.costs import Running
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.labs.lab import OVER

#: Labs counted in one transaction; with their counters it stays well under a hundred operations.
_AT_ONCE = 50
_OVER = {f":over{index}": text(phase) for index, phase in enumerate(sorted(OVER))}
_ALIVE = f"NOT phase IN ({', '.join(_OVER)})"
_UNCOUNTED = Listing(
    "everyone = :everyone",
    {":everyone": text(EVERYONE), **_OVER},
    (),
    {},
    index=BY_AGE,
    filter=f"attribute_not_exists(counted) AND {_ALIVE}",
)


def alive_count(client: Any, table: str) -> int:
    """How many labs are not over; the first time it counts those from before. Raises AwsUnavailable, Throttled."""
    items = _tallies(client, table)
    if not any(item["sk"] == COUNTED["sk"] for item in items):
        _count_the_uncounted(client, table)
        items = _tallies(client, table)
    return sum(int(item["alive"]["N"]) for item in items if "alive" in item)


def running_now(client: Any, table: str) -> Running:
    """Labs by phase and what they cost an hour, as far as the counters know. Raises AwsUnavailable, Throttled."""
    return running(_tallies(client, table))


def _tallies(client: Any, table: str) -> list[Item]:
    return list(all_items(client, table, all_counters()))


def _count_the_uncounted(client: Any, table: str) -> None:
    ids = (lab_id_of(item) for item in all_items(client, table, _UNCOUNTED))
    for some in _batches(ids):
        _count(client, table, some)
    with translate("dynamodb:PutItem"):
        client.put_item(TableName=table, Item=COUNTED)


def _batches(ids: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(ids, _AT_ONCE)):
        yield some


def _count(client: Any, table: str, ids: Sequence[str]) -> None:
    """Mark and count those that nobody has counted in between."""
    for _ in range(ATTEMPTS):
        tallies = Counter(counter_key(lab_id)["sk"]["S"] for lab_id in ids)
        first = {counter_key(lab_id)["sk"]["S"]: counter_key(lab_id) for lab_id in ids}
        counting = [add(table, first[sk], amount) for sk, amount in tallies.items()]
        reasons = transact(client, [*(_mark(table, lab_id) for lab_id in ids), *counting], secrets.token_hex(16))
        ids = [lab_id for lab_id, reason in zip(ids, reasons, strict=False) if not reason.refused]
        if not ids:
            return
    raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to count the labs.")


def _mark(table: str, lab_id: str) -> Item:
    return {
        "Update": {
            "TableName": table,
            "Key": lab_key(lab_id),
            "UpdateExpression": "SET counted = :counted",
            "ConditionExpression": f"attribute_exists(pk) AND attribute_not_exists(counted) AND {_ALIVE}",
            "ExpressionAttributeValues": {":counted": {"BOOL": True}, **_OVER},
        }
    }
