"""Receipts, which may name thousands of ARNs: compressed, and cut into parts that fit into items (400 KB each).

All parts of a receipt are written in one transaction, which may carry 4 MB: compressed, that is some hundred thousand lines.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.aws.dynamodb.items import SCHEMA, body_of, read_body
from chalicelib.aws.dynamodb.keys import Item, key, lab_pk, number, text
from chalicelib.aws.dynamodb.transactions import put, transact
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.teardown.receipt import Receipt

PART_BYTES = 350_000


def put_receipt(client: Any, table: str, lab_id: str, receipt: Receipt) -> None:
    """Write or overwrite the receipt of this look. Raises AwsUnavailable when another write is in the way."""
    packed = gzip.compress(body_of(receipt).encode(), mtime=0)
    parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
    items = [_part(lab_id, receipt.look, number_, len(parts), part) for number_, part in enumerate(parts)]
    if transact(client, [put(table, item) for item in items], secrets.token_hex(16)):
        raise AwsUnavailable(f"The receipt of {lab_id} is being written by another run.")


def receipts_of(items: Iterable[Item]) -> tuple[Receipt, ...]:
    """The receipts that these items, in key order, are parts of; in order of taking.

    A shorter receipt leaves parts of a longer one behind it: only as many are read as the first part says.
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
