"""A page of a night's plan: some of its lines by time, in one query that reads no further than the page.

For a reader of one owner's lines, DynamoDB filters out other owners' lines: they are neither sent nor parsed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from chalicelib.aws.dynamodb.codec import thing_of
from chalicelib.aws.dynamodb.curfew.keys import header_key, line_key, plan_pk
from chalicelib.aws.dynamodb.curfew.plans import digests_of, is_line, line_of
from chalicelib.aws.dynamodb.keys import Item, text
from chalicelib.aws.dynamodb.table import Table
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.plan import Entry, PlanHeader, PlanPage, entry_digest, hash_of_digests

#: Whether somebody may see the lines of an owner; None: all of them.
Seen = Callable[[str], bool] | None


@dataclass(frozen=True)
class _Found:
    """The result of one query. `passed`: the number of items it read; `onward`: the last one's key if there are more."""

    items: Sequence[Item]
    passed: int
    onward: Item | None


def plan_page(table: Table, day: date, seen: Seen, whose: str | None, limit: int, after: str | None) -> PlanPage | None:
    """The first page takes one query, later ones also read the header. None if there is no plan."""
    head = table.get(header_key(day)) if after else None
    found = _asked(table, day, whose, after, limit + 2 if seen is None else None)
    head = head or next((item for item in found.items if not is_line(item)), None)
    if head is None:
        return None
    mine = [item for item in found.items if is_line(item) and (seen is None or seen(_owner_of(item)))]
    entries, digests = tuple(line_of(item) for item in mine[:limit]), digests_of(head)
    last = mine[limit - 1] if len(mine) > limit else found.onward
    is_all = not after and last is None
    whole = _is_whole(head, digests, [entry for entry, _ in entries]) and not (
        is_all and found.passed != len(digests) + 1
    )
    others = len(digests) - len(mine) if is_all else None
    return PlanPage(thing_of(PlanHeader, head), entries, others, whole, _entry_id(last) if last else None)


def _asked(table: Table, day: date, whose: str | None, after: str | None, limit: int | None) -> _Found:
    """One query, strongly consistent, from the header or after a line."""
    values = {":pk": text(plan_pk(day)), **({":after": line_key(day, after)["sk"]} if after else {})}
    request: dict[str, Any] = {"Limit": limit} if limit else {}
    if whose is not None:
        request["FilterExpression"] = "attribute_not_exists(whose) OR whose = :whose"
        values[":whose"] = text(whose)
    answer = table.query(
        KeyConditionExpression="pk = :pk AND sk > :after" if after else "pk = :pk",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues=values,
        ProjectionExpression="sk, body, digests, #status",
        ConsistentRead=True,
        **request,
    )
    return _Found(answer["Items"], answer["ScannedCount"], answer.get("LastEvaluatedKey"))


def _is_whole(head: Item, digests: dict[str, str], shown: Sequence[Entry]) -> bool:
    """Whether the shown part of the plan is as published."""
    as_published = hash_of_digests(digests[each] for each in sorted(digests)) == thing_of(PlanHeader, head).hash
    return as_published and all(digests.get(entry.id) == entry_digest(entry) for entry in shown)


def _owner_of(item: Item) -> str:
    return str(json.loads(item["body"]["S"])["owner"])


def _entry_id(item: Item) -> str:
    return str(item["sk"]["S"]).removeprefix("LINE#")
