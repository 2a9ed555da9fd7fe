"""Lists in the table: the queries, and validated cursors of their pages.

A cursor is the base64url JSON of the last item's key in the index. It holds no secret, but it is checked: a cursor of
another list, or a made-up one, is refused as the bad field `cursor`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from chalicelib.aws.dynamodb.keys import BY_AGE, DUE, Item, text
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest


@dataclass(frozen=True)
class Listing:
    """One query. `keys` are the attributes that make up a position in it, `fixed` those that all its items share, `prefix` the
    prefix of their sort keys; `shown`, the attributes returned beside the keys: all, if none is named.
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
    prefix: str = ""

    def request(self, limit: int | None) -> dict[str, Any]:
        """The request of its Query. Without a filter DynamoDB need not read more than `limit` items."""
        request: dict[str, Any] = {
            "KeyConditionExpression": self.condition,
            "ExpressionAttributeValues": dict(self.values),
            "ScanIndexForward": not self.newest_first,
        }
        if self.index:
            request["IndexName"] = self.index
        else:
            request["ConsistentRead"] = True
        answered = (*self.keys, *self.shown) if self.shown else ()
        if names := {**self.names, **{f"#{name}": name for name in answered}}:
            request["ExpressionAttributeNames"] = names
        if answered:
            request["ProjectionExpression"] = ", ".join(f"#{name}" for name in answered)
        if self.filter:
            request["FilterExpression"] = self.filter
        elif limit is not None:
            request["Limit"] = limit
        return request


def partition(pk: str, prefix: str = "") -> Listing:
    """Every item of one partition, or those whose sort keys begin with `prefix`, strongly consistent."""
    if not prefix:
        return Listing("pk = :pk", {":pk": text(pk)}, ("pk", "sk"), {"pk": pk})
    values = {":pk": text(pk), ":prefix": text(prefix)}
    return Listing("pk = :pk AND begins_with(sk, :prefix)", values, ("pk", "sk"), {"pk": pk}, prefix=prefix)


def everyone(name: str) -> Listing:
    """All things of one kind, newest first."""
    keys = ("everyone", "created", "pk", "sk")
    return Listing("everyone = :all", {":all": text(name)}, keys, {"everyone": name}, index=BY_AGE, newest_first=True)


def shard(name: str, more: str = "", **values: str) -> Listing:
    """The items of one shard of the index `due`, oldest first. `more`: a condition on `due_at`."""
    named = {":shard": text(name), **{f":{each}": text(value) for each, value in values.items()}}
    keys = ("due_shard", "due_at", "pk", "sk")
    return Listing(f"due_shard = :shard{more}", named, keys, {"due_shard": name}, index=DUE)


def cursor_of(listing: Listing, item: Item) -> str:
    position = {name: item[name]["S"] for name in listing.keys}
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode()


#: Characters; two of the longest keys of the table and two of an index are shorter.
_LONGEST = 4096
#: The most bytes of a sort key, of the table and of an index; a partition key has twice as many, and none here is as long.
#: Source: DynamoDB's guide, "Quotas in Amazon DynamoDB".
_LONGEST_KEY = 1024


def read_cursor(listing: Listing, cursor: str) -> Item:
    """The start of a page. Raises InvalidRequest for a cursor that DynamoDB would refuse: it must be a position in the query."""
    if len(cursor) > _LONGEST:
        raise _refused()
    try:
        position = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as problem:
        raise _refused() from problem
    if not isinstance(position, dict) or set(position) != set(listing.keys):
        raise _refused()
    if not all(isinstance(value, str) and _is_key(value) for value in position.values()):
        raise _refused()
    if any(position[name] != value for name, value in listing.fixed.items()):
        raise _refused()
    if not position.get("sk", "").startswith(listing.prefix):
        raise _refused()
    return {name: text(value) for name, value in position.items()}


def _is_key(value: str) -> bool:
    """Whether it may be a key's value. JSON may hold lone surrogates, UTF-8 may not."""
    try:
        return 0 < len(value.encode()) <= _LONGEST_KEY
    except UnicodeEncodeError:
        return False


def _refused() -> InvalidRequest:
    message = Sentence("This cursor is not one that this list gave out. Leave it out to begin at the start.")
    return InvalidRequest([error("cursor", "bad-cursor", message)])
