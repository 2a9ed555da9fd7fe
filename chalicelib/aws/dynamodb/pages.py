"""Reading lists: all pages of a query, one page with a cursor that only this service can have made, or items by their keys.

A cursor is the base64url JSON of the last item's key in the index. It says nothing secret, but it is checked: one of
another list, or a made-up one, is refused as the bad field `cursor`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.keys import Item, text
from chalicelib.aws.dynamodb.transactions import ATTEMPTS
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest, Throttled

#: Keys that one BatchGetItem takes. Source: DynamoDB's API reference.
_BATCH = 100


@dataclass(frozen=True)
class Listing:
    """One query. `keys` are the attributes that make up a position in it, `fixed` those that all its items share; `shown`,
    those that are answered beside the keys: all, if none is named.
    """

    condition: str
    values: Mapping[str, Item]
    keys: tuple[str, ...]
    fixed: Mapping[str, str]
    index: str | None = None
    filter: str | None = None
    newest_first: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()


def all_items(client: Any, table: str, listing: Listing, limit: int | None = None) -> Iterator[Item]:
    """Every item of a query, page by page, at most `limit`; strongly consistent where the table allows it."""
    yield from _items(client, table, listing, None, limit)


def one_page(
    client: Any, table: str, listing: Listing, limit: int, cursor: str | None
) -> tuple[list[Item], str | None]:
    """A page of at most `limit` items, and the cursor of the next if there is one. Raises InvalidRequest on `cursor`."""
    start = _read_cursor(listing, cursor) if cursor else None
    found = list(_items(client, table, listing, start, limit + 1))
    more = len(found) > limit
    return found[:limit], _cursor(listing, found[limit - 1]) if more else None


def one_query(
    client: Any, table: str, listing: Listing, limit: int, cursor: str | None
) -> tuple[list[Item], str | None]:
    """As `one_page`, by one query that looks at twice as many items: a filter that few fit gives a short page."""
    start = _read_cursor(listing, cursor) if cursor else None
    request = {**_request(table, listing, limit), "Limit": 2 * limit}
    with translate("dynamodb:Query"):
        answer = client.query(**request, **({"ExclusiveStartKey": start} if start else {}))
    found, last = answer["Items"], answer.get("LastEvaluatedKey")
    if len(found) > limit:
        return found[:limit], _cursor(listing, found[limit - 1])
    return found, _cursor(listing, last) if last else None


def items_of(client: Any, table: str, keys: Sequence[Item]) -> Iterator[Item]:
    """Every item of these keys that is there, strongly consistent; in one call up to a hundred. Raises Throttled."""
    left = list({(each["pk"]["S"], each["sk"]["S"]): each for each in keys}.values())
    for _ in range(len(left) // _BATCH + ATTEMPTS):
        if not left:
            return
        asked, left = left[:_BATCH], left[_BATCH:]
        with translate("dynamodb:BatchGetItem"):
            answer = client.batch_get_item(RequestItems={table: {"Keys": asked, "ConsistentRead": True}})
        yield from answer["Responses"].get(table, ())
        left = [*answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ()), *left]
    if left:
        raise Throttled("dynamodb:BatchGetItem: the table leaves keys unprocessed.")


def _items(client: Any, table: str, listing: Listing, start: Item | None, limit: int | None) -> Iterator[Item]:
    request = _request(table, listing, limit)
    # A filter lets most of a page through or little: at first only a few items are looked at, then what a megabyte holds.
    looked_at = {"Limit": 2 * limit} if limit is not None and listing.filter else {}
    count = 0
    while True:
        with translate("dynamodb:Query"):
            answer = client.query(**request, **looked_at, **({"ExclusiveStartKey": start} if start else {}))
        looked_at = {}
        for item in answer["Items"]:
            yield item
            count += 1
            if limit is not None and count >= limit:
                return
        start = answer.get("LastEvaluatedKey")
        if not start:
            return


def _request(table: str, listing: Listing, limit: int | None) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": listing.condition,
        "ExpressionAttributeValues": dict(listing.values),
        "ScanIndexForward": not listing.newest_first,
    }
    if listing.index:
        request["IndexName"] = listing.index
    else:
        request["ConsistentRead"] = True
    names = {**listing.names, **{f"#{name}": name for name in (*listing.keys, *listing.shown) if listing.shown}}
    if names:
        request["ExpressionAttributeNames"] = names
    if listing.shown:
        request["ProjectionExpression"] = ", ".join(f"#{name}" for name in (*listing.keys, *listing.shown))
    if listing.filter:
        request["FilterExpression"] = listing.filter
    elif limit is not None:
        request["Limit"] = limit
    return request


def _cursor(listing: Listing, item: Item) -> str:
    position = {name: item[name]["S"] for name in listing.keys}
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode()


#: Characters; two keys of DynamoDB and two of an index, as they are longest here, are shorter.
_LONGEST = 4096


def _read_cursor(listing: Listing, cursor: str) -> Item:
    if len(cursor) > _LONGEST:
        raise _refused()
    try:
        position = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as problem:
        raise _refused() from problem
    if not isinstance(position, dict) or set(position) != set(listing.keys):
        raise _refused()
    if not _all_text(list(position.values())) or any(position.get(k) != v for k, v in listing.fixed.items()):
        raise _refused()
    return {name: text(value) for name, value in position.items()}


def _all_text(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) and value for value in values)


def _refused() -> InvalidRequest:
    message = "This cursor is not one that this list gave out. Leave it out to begin at the start."
    return InvalidRequest([error("cursor", "bad-cursor", message)])
