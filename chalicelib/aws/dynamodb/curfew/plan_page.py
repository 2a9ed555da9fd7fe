"""A page of a night's plan: some of its lines by time, in one query, and read no further than they are shown.

Whoever may see a few lines only is asked about by the owner in a line's body, so that others' lines cost next to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.curfew.keys import header_key, line_key, plan_pk
from chalicelib.aws.dynamodb.curfew.plans import digests_of, is_line, line_of
from chalicelib.aws.dynamodb.items import thing_of
from chalicelib.aws.dynamodb.keys import Item, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.domain.curfew.plan import Entry, PlanHeader, PlanPage, entry_digest, hash_of_digests

#: Answers whether somebody may see the lines of an owner; None: all of them.
Seen = Callable[[str], bool] | None


def plan_page(client: Any, table: str, day: date, seen: Seen, limit: int, after: str | None) -> PlanPage | None:
    """The first page takes one query, the others a read of the header as well. None where there is no plan."""
    head = get(client, table, header_key(day)) if after else None
    items, goes_on = _asked(client, table, day, after, limit + 2 if seen is None else None)
    head = head or next((item for item in items if not is_line(item)), None)
    if head is None:
        return None
    lines = [item for item in items if is_line(item)]
    mine = [item for item in lines if seen is None or seen(_owner_of(item))]
    shown = mine[:limit]
    last = shown[-1] if len(mine) > limit else lines[-1] if goes_on and lines else None
    entries = tuple(line_of(item) for item in shown)
    complete = lines if not after and last is None else None
    whole = _is_whole(head, [entry for entry, _ in entries], complete)
    after = _entry_id(last) if last else None
    passed = [item for item in lines if after is None or _entry_id(item) <= after]
    return PlanPage(thing_of(PlanHeader, head), entries, len(passed) - len(shown), whole, after)


def _asked(client: Any, table: str, day: date, after: str | None, limit: int | None) -> tuple[list[Item], bool]:
    """One query, strongly consistent, from the header or from behind a line; whether there is more."""
    values = {":pk": text(plan_pk(day)), **({":after": line_key(day, after)["sk"]} if after else {})}
    with translate("dynamodb:Query"):
        answer = client.query(
            TableName=table,
            KeyConditionExpression="pk = :pk AND sk > :after" if after else "pk = :pk",
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            **({"Limit": limit} if limit else {}),
        )
    return answer["Items"], "LastEvaluatedKey" in answer


def _is_whole(head: Item, shown: Sequence[Entry], complete: Sequence[Item] | None) -> bool:
    """Whether what is shown was published so; and, where all lines were read, whether they are all that were."""
    digests = digests_of(head)
    as_published = hash_of_digests(digests[each] for each in sorted(digests)) == thing_of(PlanHeader, head).hash
    none_strange = all(digests.get(entry.id) == entry_digest(entry) for entry in shown)
    all_there = complete is None or {_entry_id(item) for item in complete} == digests.keys()
    return as_published and none_strange and all_there


def _owner_of(item: Item) -> str:
    return str(json.loads(item["body"]["S"])["owner"])


def _entry_id(item: Item) -> str:
    return str(item["sk"]["S"]).removeprefix("LINE#")
