"""Notices in the table: written once as they were decided, marked when sent.

The body stays what was decided. What became of it stands beside it, so that marking is a conditional update that
reads nothing, and that a second marking leaves as it is. Both go up to a hundred at a time, in one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.dynamodb.items import SCHEMA, body_of, thing_of
from chalicelib.aws.dynamodb.keys import BY_AGE, Item, number, stamp, text
from chalicelib.aws.dynamodb.pages import Listing, all_items, one_page
from chalicelib.aws.dynamodb.support.keys import (
    NOTICES,
    notice_index_values,
    notice_key,
    notices_prefix,
    partition,
    place_pk,
    to_come,
)
from chalicelib.aws.dynamodb.transactions import ATTEMPTS, put, transact
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.notices.notice import Notice, NoticeState

#: As many as one transaction may carry.
_AT_ONCE = 100


class DynamoNotices:
    """The part of the FleetStore port that is about notices; holds the boto3 `dynamodb` client."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def add_notices(self, notices: Iterable[Notice]) -> None:
        """Write those that are new. Raises AwsUnavailable when too busy."""
        new: dict[tuple[ClusterKey, str], Notice] = {}
        for notice in notices:
            new.setdefault((notice.key, notice.id), notice)
        self._write([put(self._table, _item(notice), "attribute_not_exists(pk)") for notice in new.values()])

    def notices_of(self, key: ClusterKey) -> tuple[Notice, ...]:
        """Strongly consistent, oldest first."""
        return self._of(Place(key.account, key.region), notices_prefix(key.name))

    def notices_in(self, place: Place) -> Mapping[ClusterKey, tuple[Notice, ...]]:
        """Strongly consistent, each cluster's oldest first."""
        found: dict[ClusterKey, tuple[Notice, ...]] = {}
        for notice in self._of(place, "NOTICE#"):
            found[notice.key] = (*found.get(notice.key, ()), notice)
        return found

    def pending_notices(self, limit: int) -> tuple[Notice, ...]:
        """Oldest first, from the sparse index."""
        return tuple(map(_notice, all_items(self._client, self._table, to_come(NOTICES), limit)))

    def list_notices(self, limit: int, cursor: str | None) -> tuple[tuple[Notice, ...], str | None]:
        """Newest decision first. Raises InvalidRequest on `cursor`."""
        items, more = one_page(self._client, self._table, _BY_AGE, limit, cursor)
        return tuple(map(_notice, items)), more

    def mark_sent(self, ids: Sequence[tuple[ClusterKey, str]], message_id: str, sent_at: datetime) -> None:
        """A row that is marked already, or is not there, stays as it is."""
        expression = "SET message_id = :id, sent_at = :at REMOVE due_shard, due_at"
        values = {":id": text(message_id), ":at": text(stamp(sent_at))}
        self._write([self._mark(each, expression, values) for each in dict.fromkeys(ids)])

    def mark_unheard(self, ids: Sequence[tuple[ClusterKey, str]], why: str) -> None:
        """A row that was sent, or is not there, stays as it is."""
        self._write([self._mark(each, "SET unheard = :why", {":why": text(why)}) for each in dict.fromkeys(ids)])

    def mark_bounced(self, notices: Sequence[Notice], message_id: str, why: str) -> None:
        """A row of another message, or that is not there, stays as it is."""
        expression = "SET unheard = :why, due_shard = :shard, due_at = :due REMOVE message_id, sent_at"
        marks = {}
        for notice in notices:
            index, row = notice_index_values(notice), (notice.key, notice.id)
            values = {":why": text(why), ":shard": index["due_shard"], ":due": index["due_at"], ":id": text(message_id)}
            marks[row] = self._mark(row, expression, values, "message_id = :id")
        self._write(list(marks.values()))

    def _of(self, place: Place, prefix: str) -> tuple[Notice, ...]:
        listing = partition(place_pk(place.account, place.region), prefix)
        found = map(_notice, all_items(self._client, self._table, listing))
        return tuple(sorted(found, key=lambda notice: (notice.decided_at, notice.id)))

    def _write(self, operations: Sequence[Item]) -> None:
        for start in range(0, len(operations), _AT_ONCE):
            self._write_some(operations[start : start + _AT_ONCE])

    def _write_some(self, operations: Sequence[Item]) -> None:
        """Those whose conditions hold, whatever becomes of the others."""
        for _ in range(ATTEMPTS):
            reasons = transact(self._client, operations, secrets.token_hex(16))
            operations = [each for each, reason in zip(operations, reasons, strict=False) if not reason.refused]
            if not operations:
                return
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to store the notices.")

    def _mark(
        self, row: tuple[ClusterKey, str], expression: str, values: Item, condition: str = "attribute_exists(due_shard)"
    ) -> Item:
        return {
            "Update": {
                "TableName": self._table,
                "Key": notice_key(*row),
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }


_BY_AGE = Listing(
    "everyone = :everyone",
    {":everyone": text(NOTICES)},
    ("everyone", "created", "pk", "sk"),
    {"everyone": NOTICES},
    index=BY_AGE,
    newest_first=True,
)


def _item(notice: Notice) -> Item:
    keys = notice_key(notice.key, notice.id)
    return {**keys, "schema": number(SCHEMA), "body": text(body_of(notice)), **notice_index_values(notice)}


def _notice(item: Item) -> Notice:
    decided = thing_of(Notice, item)
    if "unheard" in item:
        decided = replace(decided, state=NoticeState.UNHEARD, unheard=item["unheard"]["S"])
    if "message_id" not in item:
        return decided
    sent_at = datetime.fromisoformat(item["sent_at"]["S"])
    return replace(decided, state=NoticeState.SENT, message_id=item["message_id"]["S"], sent_at=sent_at)
