"""Receipts, which may name thousands of ARNs: compressed, and cut into parts that fit into items (400 KB each).

All parts of a receipt are written in one transaction, which may carry 4 MB: compressed, that is some hundred thousand lines.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence

from chalicelib.aws.dynamodb.codec import SCHEMA, dumps, read_body
from chalicelib.aws.dynamodb.keys import Item, key, lab_pk, number, text
from chalicelib.aws.dynamodb.pages import partition
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import put
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.teardown.receipt import Receipt

PART_BYTES = 350_000


class DynamoReceipts(InTable):
    """The part of the Store port for receipts."""

    def put_receipt(self, lab_id: str, receipt: Receipt) -> None:
        """Raises AwsUnavailable if another write conflicts."""
        packed = gzip.compress(dumps(receipt).encode(), mtime=0)
        parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
        items = [_part(lab_id, receipt.look, index, len(parts), part) for index, part in enumerate(parts)]
        if self._table.transact([put(item) for item in items]):
            raise AwsUnavailable(f"The receipt of {lab_id} is being written by another run.")

    def receipts(self, lab_id: str) -> tuple[Receipt, ...]:
        return receipts_of(self._table.items(partition(lab_pk(lab_id), "RECEIPT#")))


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
    keys = key(lab_pk(lab_id), f"RECEIPT#{look}#{index:03d}")
    return {**keys, "schema": number(SCHEMA), "look": text(look), "parts": number(parts), "packed": {"B": packed}}
