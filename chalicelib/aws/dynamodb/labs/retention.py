"""Receipts, and the retention of the records of labs that are over: they expire, and a person can be removed from them.

A receipt may name thousands of ARNs: it is compressed, and cut into parts that fit into items (400 KB each), all written in one
transaction, which may carry 4 MB: compressed, that is some hundred thousand lines. DynamoDB deletes an item some days after its
`expires_at` at the latest. Living labs are never touched: their ledger is the proof of ownership.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from chalicelib.aws.dynamodb.codec import SCHEMA, dumps, read_body
from chalicelib.aws.dynamodb.keys import META, Item, expiry, key, lab_pk, number, text
from chalicelib.aws.dynamodb.pages import partition
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import put
from chalicelib.domain.errors.tree import AwsUnavailable, StaleLab
from chalicelib.domain.teardown.receipt import Receipt

_RECEIPT = "RECEIPT#"
PART_BYTES = 350_000


class DynamoRetention(InTable):
    """The part of the Store port for receipts, and for ending or rewriting the records of labs that are over."""

    def put_receipt(self, lab_id: str, receipt: Receipt) -> None:
        """Raises AwsUnavailable if another write conflicts."""
        packed = gzip.compress(dumps(receipt).encode(), mtime=0)
        parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
        items = [_part(lab_id, receipt.look, index, len(parts), part) for index, part in enumerate(parts)]
        if self._table.transact([put(item) for item in items]):
            raise AwsUnavailable(f"The receipt of {lab_id} is being written by another run.")

    def receipts(self, lab_id: str) -> tuple[Receipt, ...]:
        return receipts_of(self._table.items(partition(lab_pk(lab_id), _RECEIPT)))

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


def receipts_of(items: Iterable[Item]) -> tuple[Receipt, ...]:
    """The receipts of these parts, in key order; in order of taking.

    A shorter receipt leaves parts of a longer one behind: only as many are read as the first part says.
    """
    by_look: dict[str, list[Item]] = {}
    for item in items:
        by_look.setdefault(item["look"]["S"], []).append(item)
    receipts = [_joined(parts[: int(parts[0]["parts"]["N"])]) for parts in by_look.values()]
    return tuple(sorted(receipts, key=lambda receipt: receipt.taken_at))


def _joined(parts: Sequence[Item]) -> Receipt:
    packed = b"".join(part["packed"]["B"] for part in parts)
    return read_body(Receipt, gzip.decompress(packed))


def _part(lab_id: str, look: str, index: int, parts: int, packed: bytes) -> Item:
    keys = key(lab_pk(lab_id), f"{_RECEIPT}{look}#{index:03d}")
    return {**keys, "schema": number(SCHEMA), "look": text(look), "parts": number(parts), "packed": {"B": packed}}


def _key(item: Item) -> Item:
    return {name: item[name] for name in ("pk", "sk")}


def _changed(name: str, value: Item, change: Callable[[str], str]) -> Item:
    if name in ("body", "owner", "sk"):
        return text(change(value["S"]))
    if name == "packed":
        return {"B": gzip.compress(change(gzip.decompress(value["B"]).decode()).encode(), mtime=0)}
    return value
