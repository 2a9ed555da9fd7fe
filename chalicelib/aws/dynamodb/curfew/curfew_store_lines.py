"""A plan's items: its header, and a line for each entry with the entry's fate beside it.

The header's item also holds each entry's own hash by its id, compressed: to add to a plan it is all that must be read, and
what was changed in the lines behind our back is never hashed anew. There is room for some nine thousand entries a night.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import date

from chalicelib.aws.dynamodb.curfew.keys import LINES_KEPT, PLANS_KEPT, UNWARNED, header_key, line_key, plan_expiry
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, read_body, thing_of
from chalicelib.aws.dynamodb.keys import Item, number, text
from chalicelib.domain.curfew.plan import Entry, Fate, Outcome, Plan, PlanHeader


def as_read(entry: Entry) -> Entry:
    """The entry as it will be read: the hash is over this one, whatever JSON has made of it."""
    return read_body(Entry, body_of(entry))


def header_item(header: PlanHeader, digests: Mapping[str, str]) -> Item:
    """A plan's header, with the hash of each entry by its id."""
    packed = gzip.compress(json.dumps(digests).encode(), mtime=0)
    item = _item(header_key(header.night), header, plan_expiry(header.night, PLANS_KEPT))
    return {**item, "digests": {"B": packed}}


def digests_of(item: Item | None) -> dict[str, str]:
    """The hash of each entry that was published, by its id; none where there is no header."""
    return {} if item is None else dict(json.loads(gzip.decompress(item["digests"]["B"])))


def line_item(night: date, entry: Entry, fate: Fate) -> Item:
    """An entry with its fate; in the index while it stands and its warning has not been delivered."""
    item = _item(line_key(night, entry.id), entry, plan_expiry(night, LINES_KEPT)) | {"fate": text(body_of(fate))}
    if fate.outcome is Outcome.STANDING and fate.warned_at is None:
        item |= {"due_shard": text(UNWARNED), "due_at": text(entry.id)}
    return item


def fate_of(item: Item) -> Fate:
    """What has become of a line's entry."""
    return read_body(Fate, item["fate"]["S"])


def line_of(item: Item) -> tuple[Entry, Fate]:
    """A line's entry and its fate."""
    return thing_of(Entry, item), fate_of(item)


def plan_of(items: Sequence[Item]) -> Plan | None:
    """The plan of one partition's items in key order; None where there is no header."""
    header = next((thing_of(PlanHeader, item) for item in items if not is_line(item)), None)
    return None if header is None else Plan(header, tuple(line_of(item) for item in items if is_line(item)))


def is_line(item: Item) -> bool:
    """Whether this is a line and not the header."""
    return "fate" in item


def _item(keys: Item, thing: object, expires_at: Item) -> Item:
    return {**keys, "schema": number(SCHEMA), "body": text(body_of(thing)), "expires_at": expires_at}
