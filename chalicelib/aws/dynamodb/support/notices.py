"""Notices in the table: written once as decided, marked when sent.

The body never changes. The outcome stands beside it, so that marking is a conditional update without a
read, and repeating it changes nothing. Up to a hundred go in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.aws.dynamodb.codec import item_of, thing_of
from chalicelib.aws.dynamodb.keys import BY_AGE, Item, stamp, text
from chalicelib.aws.dynamodb.pages import Listing, partition, shard
from chalicelib.aws.dynamodb.support.keys import (
    NOTICES,
    notice_index_values,
    notice_key,
    notices_prefix,
    place_pk,
)
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import ATTEMPTS, put
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.notices.notice import Notice, NoticeState

#: The most operations of one transaction.
_AT_ONCE = 100


class DynamoNotices(InTable):
    """The part of the FleetStore port for notices."""

    def add_notices(self, notices: Iterable[Notice]) -> None:
        """Write the new ones. Raises AwsUnavailable when too busy."""
        new: dict[tuple[ClusterKey, str], Notice] = {}
        for notice in notices:
            new.setdefault((notice.key, notice.id), notice)
        self._write([put(_item(notice), "attribute_not_exists(pk)") for notice in new.values()])

    def notices_of(self, key: ClusterKey) -> tuple[Notice, ...]:
        return self._of(Place(key.account, key.region), notices_prefix(key.name))

    def notices_in(self, place: Place) -> Mapping[ClusterKey, tuple[Notice, ...]]:
        """Strongly consistent, each cluster's oldest first."""
        found: dict[ClusterKey, tuple[Notice, ...]] = {}
        for notice in self._of(place, "NOTICE#"):
            found[notice.key] = (*found.get(notice.key, ()), notice)
        return found

    def pending_notices(self, limit: int) -> tuple[Notice, ...]:
        return tuple(map(_notice, self._table.items(shard(NOTICES), limit)))

    def list_notices(self, limit: int, cursor: str | None) -> tuple[tuple[Notice, ...], str | None]:
        """Newest decision first. Raises InvalidRequest on `cursor`."""
        items, more = self._table.page(_BY_AGE, limit, cursor)
        return tuple(map(_notice, items)), more

    def mark_sent(self, ids: Sequence[tuple[ClusterKey, str]], message_id: str, sent_at: datetime) -> None:
        """A marked or missing row is unchanged."""
        expression = "SET message_id = :id, sent_at = :at REMOVE due_shard, due_at"
        values = {":id": text(message_id), ":at": text(stamp(sent_at))}
        self._write([_mark(each, expression, values) for each in dict.fromkeys(ids)])

    def mark_unheard(self, ids: Sequence[tuple[ClusterKey, str]], why: str) -> None:
        """A sent or missing row is unchanged."""
        self._write([_mark(each, "SET unheard = :why", {":why": text(why)}) for each in dict.fromkeys(ids)])

    def mark_bounced(self, notices: Sequence[Notice], message_id: str, why: str) -> None:
        """A row of another message, or a missing one, is unchanged."""
        expression = "SET unheard = :why, due_shard = :shard, due_at = :due REMOVE message_id, sent_at"
        marks = {}
        for notice in notices:
            index, row = notice_index_values(notice), (notice.key, notice.id)
            values = {":why": text(why), ":shard": index["due_shard"], ":due": index["due_at"], ":id": text(message_id)}
            marks[row] = _mark(row, expression, values, "message_id = :id")
        self._write(list(marks.values()))

    def _of(self, place: Place, prefix: str) -> tuple[Notice, ...]:
        listing = partition(place_pk(place.account, place.region), prefix)
        found = map(_notice, self._table.items(listing))
        return tuple(sorted(found, key=lambda notice: (notice.decided_at, notice.id)))

    def _write(self, operations: Sequence[Item]) -> None:
        for start in range(0, len(operations), _AT_ONCE):
            self._write_some(operations[start : start + _AT_ONCE])

    def _write_some(self, operations: Sequence[Item]) -> None:
        """Write the changes whose conditions hold; a failed condition does not stop the others."""
        for _ in range(ATTEMPTS):
            reasons = self._table.transact(operations)
            operations = [each for each, reason in zip(operations, reasons, strict=False) if not reason.refused]
            if not operations:
                return
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to store the notices.")


_BY_AGE = Listing(
    "everyone = :everyone",
    {":everyone": text(NOTICES)},
    ("everyone", "created", "pk", "sk"),
    {"everyone": NOTICES},
    index=BY_AGE,
    newest_first=True,
)


def _mark(
    row: tuple[ClusterKey, str], expression: str, values: Item, condition: str = "attribute_exists(due_shard)"
) -> Item:
    return {
        "Update": {
            "Key": notice_key(*row),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
    }


def _item(notice: Notice) -> Item:
    return item_of(notice_key(notice.key, notice.id), notice, **notice_index_values(notice))


def _notice(item: Item) -> Notice:
    decided = thing_of(Notice, item)
    if "unheard" in item:
        decided = replace(decided, state=NoticeState.UNHEARD, unheard=item["unheard"]["S"])
    if "message_id" not in item:
        return decided
    sent_at = datetime.fromisoformat(item["sent_at"]["S"])
    return replace(decided, state=NoticeState.SENT, message_id=item["message_id"]["S"], sent_at=sent_at)
