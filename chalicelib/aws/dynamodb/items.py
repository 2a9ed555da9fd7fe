"""Domain objects as items and back: the object is one JSON text in `body`, beside it only what keys and conditions need.

`schema` says which shape the body has. A new field with a default needs no new one; a renamed or removed field does,
and a reader for the old shape here.
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

from chalicelib.aws.dynamodb.codec import Unfit, dumps, loads
from chalicelib.aws.dynamodb.keys import RUNS, Item, index_values, key, lab_key, lab_pk, number, stamp, text
from chalicelib.aws.dynamodb.labs.counters import tallied
from chalicelib.aws.dynamodb.labs.spending import spending_item
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.errors.tree import Unreadable
from chalicelib.domain.labs.lab import OVER, UNCOUNTED, Lab
from chalicelib.domain.labs.steps import Event, Step

SCHEMA = 1

Shape = TypeVar("Shape")


def body_of(thing: object) -> str:
    """The JSON text of a domain object."""
    return dumps(thing)


def read_body(shape: type[Shape], body: str | bytes) -> Shape:
    """The domain object of a JSON text. Raises Unreadable."""
    try:
        return loads(shape, body)
    except Unfit as error:
        raise Unreadable(f"{shape.__name__}: {error}.") from error
    except ValueError as error:
        raise Unreadable(f"{shape.__name__}: it is no JSON.") from error


def thing_of(shape: type[Shape], item: Item) -> Shape:
    """The domain object of an item."""
    return read_body(shape, item["body"]["S"])


def _item(keys: Item, thing: object) -> Item:
    return {**keys, "schema": number(SCHEMA), "body": text(body_of(thing))}


def lab_item(lab: Lab, write_id: str, claims: bool) -> Item:
    """A lab. `write_id` marks this very write, so that it is known again when its answer was lost; `claims`: its name
    is still held for it; `occupies`: it is one of those that its owner may have; `counted`: it is in the counter of labs
    alive. Its place is beside the body, so that labs that are due can be grouped by it before one of them is loaded."""
    more: dict[str, Any] = {"phase": text(lab.phase), "write_id": text(write_id), "claims": {"BOOL": claims}}
    more["occupies"] = {"BOOL": claims and lab.phase not in UNCOUNTED}
    more |= {"counted": {"BOOL": lab.phase not in OVER}, "region": text(lab.region), "account": text(lab.account)}
    more |= {"tallied": tallied(lab), "spending": spending_item(lab)}
    return {**_item(lab_key(lab.id), lab), "version": number(lab.version), **more, **index_values(lab)}


def step_item(lab_id: str, step: Step) -> Item:
    """A step; the same workflow, run and name overwrite it."""
    return _item(key(lab_pk(lab_id), f"STEP#{step.workflow}#{step.run:05d}#{step.name}"), step)


def event_item(lab_id: str, event: Event) -> Item:
    """An event; the same event is the same item."""
    digest = hashlib.sha256(body_of(event).encode()).hexdigest()[:12]
    return _item(key(lab_pk(lab_id), f"EVENT#{stamp(event.at)}#{digest}"), event)


def run_item(run: Run) -> Item:
    """The last run of its workflow."""
    return _item(key(RUNS, run.workflow), run)


def entry_item(lab_id: str, entry: LedgerEntry) -> Item:
    """A ledger entry; the same ARN overwrites it."""
    return _item(key(lab_pk(lab_id), f"LEDGER#{entry.resource.arn}"), entry)
