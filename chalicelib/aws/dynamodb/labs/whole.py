"""A lab with everything that is kept of it, in one query of its partition: what a page about it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.aws.dynamodb.items import thing_of
from chalicelib.aws.dynamodb.keys import META, Item, lab_pk, text
from chalicelib.aws.dynamodb.labs.receipts import receipts_of
from chalicelib.aws.dynamodb.pages import Listing, all_items
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.errors.tree import LabNotFound
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.ports.deps import WholeLab


def whole_lab(client: Any, table: str, lab_id: str) -> WholeLab:
    """Strongly consistent. Raises LabNotFound."""
    items = list(all_items(client, table, Listing("pk = :pk", {":pk": text(lab_pk(lab_id))}, (), {})))
    labs = [item for item in items if item["sk"]["S"] == META]
    if not labs:
        raise LabNotFound(lab_id)
    steps = sorted((thing_of(Step, item) for item in _with(items, "STEP#")), key=lambda step: step.started_at)
    events = tuple(thing_of(Event, item) for item in _with(items, "EVENT#"))
    ledger = (item for item in _with(items, "LEDGER#") if ":instance/" in item["sk"]["S"])
    instances = tuple(thing_of(LedgerEntry, item) for item in ledger)
    return WholeLab(thing_of(Lab, labs[0]), tuple(steps), events, receipts_of(_with(items, "RECEIPT#")), instances)


def _with(items: Sequence[Item], prefix: str) -> list[Item]:
    return [item for item in items if item["sk"]["S"].startswith(prefix)]
