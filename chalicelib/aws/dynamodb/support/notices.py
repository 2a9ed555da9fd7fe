"""Notices in the table: written once as they were decided, marked when sent.

The body stays what was decided. What became of it stands beside it, so that marking is one conditional update that
reads nothing, and that a second marking leaves as it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, thing_of
from chalicelib.aws.dynamodb.keys import BY_AGE, Item, number, stamp, text
from chalicelib.aws.dynamodb.pages import Listing, all_items, one_page
from chalicelib.aws.dynamodb.support.keys import (
    NOTICES,
    notice_index_values,
    notice_key,
    notices_pk,
    partition,
    to_come,
)
from chalicelib.aws.dynamodb.transactions import ATTEMPTS, put, transact
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.notices.notice import Notice, NoticeState

#: As many as one transaction may carry.
_AT_ONCE = 100


class DynamoNotices:
    """The part of the FleetStore port that is about notices; holds the boto3 `dynamodb` client."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def add_notices(self, notices: Iterable[Notice]) -> None:
        """Write those that are new, up to a hundred in one transaction. Raises AwsUnavailable when too busy."""
        new: dict[tuple[ClusterKey, str], Notice] = {}
        for notice in notices:
            new.setdefault((notice.key, notice.id), notice)
        items = [_item(notice) for notice in new.values()]
        for start in range(0, len(items), _AT_ONCE):
            self._add(items[start : start + _AT_ONCE])

    def notices_of(self, key: ClusterKey) -> tuple[Notice, ...]:
        """Strongly consistent, oldest first."""
        found = map(_notice, all_items(self._client, self._table, partition(notices_pk(key), "NOTICE#")))
        return tuple(sorted(found, key=lambda notice: (notice.decided_at, notice.id)))

    def pending_notices(self, limit: int) -> tuple[Notice, ...]:
        """Oldest first, from the sparse index."""
        return tuple(map(_notice, all_items(self._client, self._table, to_come(NOTICES), limit)))

    def list_notices(self, limit: int, cursor: str | None) -> tuple[tuple[Notice, ...], str | None]:
        """Newest decision first. Raises InvalidRequest on `cursor`."""
        items, more = one_page(self._client, self._table, _BY_AGE, limit, cursor)
        return tuple(map(_notice, items)), more

    def mark_sent(self, ids: Sequence[tuple[ClusterKey, str]], message_id: str, sent_at: datetime) -> None:
        """One conditional update each; a row that is marked already, or is not there, stays as it is."""
        expression = "SET message_id = :id, sent_at = :at REMOVE due_shard, due_at"
        for key, notice_id in ids:
            self._mark(notice_key(key, notice_id), expression, {":id": text(message_id), ":at": text(stamp(sent_at))})

    def mark_unheard(self, ids: Sequence[tuple[ClusterKey, str]], why: str) -> None:
        """One conditional update each; a row that was sent, or is not there, stays as it is."""
        for key, notice_id in ids:
            self._mark(notice_key(key, notice_id), "SET unheard = :why", {":why": text(why)})

    def mark_bounced(self, notices: Sequence[Notice], message_id: str, why: str) -> None:
        """One conditional update each; a row of another message, or that is not there, stays as it is."""
        expression = "SET unheard = :why, due_shard = :shard, due_at = :due REMOVE message_id, sent_at"
        for notice in notices:
            index = notice_index_values(notice)
            values = {":why": text(why), ":shard": index["due_shard"], ":due": index["due_at"], ":id": text(message_id)}
            self._mark(notice_key(notice.key, notice.id), expression, values, "message_id = :id")

    def _add(self, items: list[Item]) -> None:
        for _ in range(ATTEMPTS):
            new = [put(self._table, item, "attribute_not_exists(pk)") for item in items]
            reasons = transact(self._client, new, secrets.token_hex(16))
            items = [item for item, reason in zip(items, reasons, strict=False) if not reason.refused]
            if not items:
                return
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to store the notices.")

    def _mark(self, key: Item, expression: str, values: Item, condition: str = "attribute_exists(due_shard)") -> None:
        try:
            with translate("dynamodb:UpdateItem"):
                self._client.update_item(
                    TableName=self._table,
                    Key=key,
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                )
        except AwsRefused as refusal:
            if refusal.code != "ConditionalCheckFailedException":
                raise


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
