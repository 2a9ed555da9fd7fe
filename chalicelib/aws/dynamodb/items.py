"""Items of labs and their parts: the object is one JSON text in `body`, beside the attributes for keys and conditions."""

from __future__ import annotations

import hashlib
from typing import Any

from chalicelib.aws.dynamodb.codec import dumps, item_of
from chalicelib.aws.dynamodb.keys import Item, index_values, key, lab_key, lab_pk, number, stamp, text
from chalicelib.aws.dynamodb.labs.sums import spending_item, tallied
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.labs.lab import OVER, UNCOUNTED, Lab
from chalicelib.domain.labs.steps import Event, Step


def lab_item(lab: Lab, write_id: str, claims: bool) -> Item:
    """A lab. `write_id` marks this write: a retry recognises by it a write whose answer was lost; `claims`: the lab still
    holds its name; `occupies`: it counts against its owner's limit; `counted`: it is in the counter of living
    labs. Its place is beside the body, so that due labs can be grouped by it before one of them is loaded."""
    more: dict[str, Any] = {"phase": text(lab.phase), "write_id": text(write_id), "claims": {"BOOL": claims}}
    more["occupies"] = {"BOOL": claims and lab.phase not in UNCOUNTED}
    more |= {"counted": {"BOOL": lab.phase not in OVER}, "region": text(lab.region), "account": text(lab.account)}
    more |= {"tallied": tallied(lab), "spending": spending_item(lab)}
    return item_of(lab_key(lab.id), lab, version=number(lab.version), **more, **index_values(lab))


def step_item(lab_id: str, step: Step) -> Item:
    """A step; the same workflow, run and name overwrite it."""
    return item_of(key(lab_pk(lab_id), f"STEP#{step.workflow}#{step.run:05d}#{step.name}"), step)


def event_item(lab_id: str, event: Event) -> Item:
    """An event; the same event is the same item."""
    digest = hashlib.sha256(dumps(event).encode()).hexdigest()[:12]
    return item_of(key(lab_pk(lab_id), f"EVENT#{stamp(event.at)}#{digest}"), event)


def entry_item(lab_id: str, entry: LedgerEntry) -> Item:
    """A ledger entry; the same ARN overwrites it."""
    return item_of(key(lab_pk(lab_id), f"LEDGER#{entry.resource.arn}"), entry)
