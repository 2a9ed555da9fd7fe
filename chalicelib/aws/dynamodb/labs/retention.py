"""Retention of the records of labs that are over: they expire at an instant, and a person can be removed from them.

DynamoDB deletes an item some days after its `expires_at` at the latest. Living labs are never touched: their ledger is the
proof of ownership.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime

from chalicelib.aws.dynamodb.codec import dumps, read_body
from chalicelib.aws.dynamodb.keys import META, Item, expiry, lab_pk, text
from chalicelib.aws.dynamodb.labs.receipts import DynamoReceipts, receipts_of
from chalicelib.aws.dynamodb.pages import partition
from chalicelib.domain.errors.tree import StaleLab
from chalicelib.domain.teardown.receipt import Receipt

_RECEIPT = "RECEIPT#"


class DynamoRetention(DynamoReceipts):
    """The part of the Store port that ends or rewrites the records of labs that are over."""

    def expire(self, lab_id: str, at: datetime | None) -> None:
        expression = "REMOVE expires_at" if at is None else "SET expires_at = :at"
        values = {} if at is None else {":at": expiry(at)}
        for item in list(self._table.items(partition(lab_pk(lab_id)))):
            self._table.update(_key(item), expression, values, ConditionExpression="attribute_exists(pk)")

    def rewrite(self, lab_id: str, change: Callable[[str], str]) -> None:
        """Item by item, in place; the lab itself last, because its owner is the key to find it again.

        Raises StaleLab if somebody changed the lab meanwhile.
        """
        items = list(self._table.items(partition(lab_pk(lab_id))))
        receipts = [item for item in items if item["sk"]["S"].startswith(_RECEIPT)]
        for receipt in receipts_of(receipts):
            self.put_receipt(lab_id, read_body(Receipt, change(dumps(receipt))))
        for item in sorted((item for item in items if item not in receipts), key=lambda item: item["sk"]["S"] == META):
            changed = {name: _changed(name, value, change) for name, value in item.items()}
            if changed != item:
                self._replace(item, changed)
        own = next((item for item in items if item["sk"]["S"] == META), {})
        if "expires_at" in own:
            self.expire(lab_id, datetime.fromtimestamp(int(own["expires_at"]["N"]), UTC))

    def _replace(self, item: Item, changed: Item) -> None:
        if "version" not in item:
            self._table.put(changed)
        elif not self._table.put_version(changed, int(item["version"]["N"])):
            raise StaleLab("The lab was changed by somebody else meanwhile.")
        if changed["sk"] != item["sk"]:
            self._table.delete(_key(item))


def _key(item: Item) -> Item:
    return {name: item[name] for name in ("pk", "sk")}


def _changed(name: str, value: Item, change: Callable[[str], str]) -> Item:
    if name in ("body", "owner", "sk"):
        return text(change(value["S"]))
    if name == "packed":
        return {"B": gzip.compress(change(gzip.decompress(value["B"]).decode()).encode(), mtime=0)}
    return value
