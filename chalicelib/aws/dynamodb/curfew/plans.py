"""Stores nightly plans: a header and one item per entry, with a hash and a count that always agree.

Entries are added in transactions whose condition is the header as read, so that of two publishers the second reads
it again and adds to the first one's. A crash between two transactions leaves a valid plan, only a shorter one.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chalicelib.aws.dynamodb.codec import dumps, item_of, read_body, thing_of
from chalicelib.aws.dynamodb.curfew.keys import (
    LINES_KEPT,
    PLANS_KEPT,
    UNWARNED,
    header_key,
    line_key,
    plan_expiry,
    plan_pk,
)
from chalicelib.aws.dynamodb.keys import Item, text
from chalicelib.aws.dynamodb.pages import partition, shard
from chalicelib.aws.dynamodb.table import InTable, Table
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.plan import (
    Entry,
    EntryOutcome,
    EntryStatus,
    Plan,
    PlanHeader,
    PlanLine,
    PlanPage,
    entry_digest,
    hash_of_digests,
)
from chalicelib.domain.errors.saving import ATTEMPTS, until_saved
from chalicelib.domain.errors.tree import AwsUnavailable, StaleLab
from chalicelib.domain.identity.callers import identity_of

#: The most entries in one transaction beside the header.
AT_ONCE = 99
#: Publishers conflict more often than writers of single items: a night has one header.
_PUBLISHING = 4 * ATTEMPTS


class DynamoPlans(InTable):
    """The part of the CurfewStore port for plans."""

    def publish(self, day: date, entries: Sequence[Entry], now: datetime) -> PlanHeader:
        """Reads only the header. Raises AwsUnavailable if too many publish at once, Unreadable."""
        wanted: dict[str, Entry] = {}
        for entry in (read_body(Entry, dumps(entry)) for entry in entries):  # The hash covers the stored form.
            wanted.setdefault(entry.id, entry)
        for _ in range(_PUBLISHING + len(wanted) // AT_ONCE):
            seen = self._table.get(header_key(day))
            digests = digests_of(seen)
            new = [wanted[entry_id] for entry_id in sorted(wanted.keys() - digests.keys())]
            if seen is not None and not new:
                return thing_of(PlanHeader, seen)
            digests |= {entry.id: entry_digest(entry) for entry in new[:AT_ONCE]}
            header = _renewed(day, seen, digests, now)
            lines = [line_item(day, entry, EntryStatus(day, entry.id, entry.lab_id)) for entry in new[:AT_ONCE]]
            if self._table.replace(header_item(header, digests), seen, lines) and len(new) <= AT_ONCE:
                return header
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to publish the plan.")

    def header(self, day: date) -> PlanHeader | None:
        return self._table.load(PlanHeader, header_key(day))

    def plan(self, day: date) -> Plan | None:
        """A query may see half of a write in progress: an incomplete plan is read again."""
        plan = None
        for _ in range(ATTEMPTS):
            plan = plan_of(list(self._table.items(partition(plan_pk(day)))))
            if plan is None or plan.is_whole:
                break
        return plan

    def line(self, day: date, entry_id: str) -> PlanLine | None:
        item = self._table.get(line_key(day, entry_id))
        return None if item is None else line_of(item)

    def lines(self, wanted: Sequence[tuple[date, str]]) -> tuple[PlanLine, ...]:
        return tuple(map(line_of, self._table.items_of([line_key(*each) for each in wanted])))

    def plan_page(
        self, day: date, seen: Callable[[str], bool] | None, whose: str | None, limit: int, after: str | None
    ) -> PlanPage | None:
        """In one query that reads no further than the page; later pages also read the header.

        Of an owner's lines, DynamoDB filters out the others': they are neither sent nor parsed. A query may see half of a write
        in progress: an incomplete plan is read again.
        """
        found = _page(self._table, day, seen, whose, limit, after)
        if found is None or found.is_whole:
            return found
        return _page(self._table, day, seen, whose, limit, after)

    def change_status(self, day: date, entry_id: str, change: Callable[[EntryStatus], EntryStatus]) -> EntryStatus:
        def attempt() -> EntryStatus | None:
            item = self._table.get(line_key(day, entry_id))
            if item is None:
                raise KeyError(entry_id)
            entry, stored = line_of(item)
            changed = change(stored)
            if changed == stored:
                return stored
            changed = replace(changed, version=stored.version + 1)
            return changed if self._table.replace(line_item(day, entry, changed), item) else None

        return until_saved(f"The status of {entry_id}", attempt)

    def unwarned(self, limit: int) -> tuple[EntryStatus, ...]:
        return tuple(status_of(item) for item in self._table.items(shard(UNWARNED), limit))

    def change_header(self, day: date, change: Callable[[PlanHeader], PlanHeader]) -> PlanHeader:
        def attempt() -> PlanHeader | None:
            item = self._table.get(header_key(day))
            if item is None:
                raise KeyError(day)
            stored = thing_of(PlanHeader, item)
            changed = change(stored)
            saved = changed == stored or self._table.replace({**item, "body": text(dumps(changed))}, item)
            return changed if saved else None

        try:
            return until_saved(f"The plan of {day}", attempt)
        except StaleLab as stale:
            raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to change the plan.") from stale


def _renewed(day: date, seen: Item | None, digests: Mapping[str, str], now: datetime) -> PlanHeader:
    hashed = hash_of_digests(digests[entry_id] for entry_id in sorted(digests))
    if seen is None:
        return PlanHeader(day, 1, hashed, now, len(digests))
    header = thing_of(PlanHeader, seen)
    return replace(header, revision=header.revision + 1, hash=hashed, published_at=now, entries=len(digests))


def header_item(header: PlanHeader, digests: Mapping[str, str]) -> Item:
    """A plan's header, with the hash of each entry by its id."""
    packed = gzip.compress(json.dumps(digests).encode(), mtime=0)
    expires_at = plan_expiry(header.night, PLANS_KEPT)
    return item_of(header_key(header.night), header, expires_at=expires_at, digests={"B": packed})


def digests_of(item: Item | None) -> dict[str, str]:
    """The hash of each published entry by its id; empty without a header."""
    return {} if item is None else dict(json.loads(gzip.decompress(item["digests"]["B"])))


def line_item(night: date, entry: Entry, status: EntryStatus) -> Item:
    """An entry with its status; indexed while it stands and its warning is not delivered."""
    more = {"status": text(dumps(status)), "whose": text(identity_of(entry.owner))}
    item = item_of(line_key(night, entry.id), entry, expires_at=plan_expiry(night, LINES_KEPT), **more)
    if status.outcome is EntryOutcome.STANDING and status.warned_at is None:
        item |= {"due_shard": text(UNWARNED), "due_at": text(entry.id)}
    return item


def status_of(item: Item) -> EntryStatus:
    """The status of a line's entry."""
    return read_body(EntryStatus, item["status"]["S"])


def line_of(item: Item) -> PlanLine:
    """A line's entry and its status."""
    return PlanLine(thing_of(Entry, item), status_of(item))


def plan_of(items: Sequence[Item]) -> Plan | None:
    """The plan of one partition's items in key order; None without a header."""
    header = next((thing_of(PlanHeader, item) for item in items if not is_line(item)), None)
    return None if header is None else Plan(header, tuple(line_of(item) for item in items if is_line(item)))


def is_line(item: Item) -> bool:
    """Whether this is a line and not the header."""
    return "status" in item


@dataclass(frozen=True)
class _Found:
    """The result of one query. `passed`: the number of items it read; `onward`: the last one's key if there are more."""

    items: Sequence[Item]
    passed: int
    onward: Item | None


def _page(
    table: Table, day: date, seen: Callable[[str], bool] | None, whose: str | None, limit: int, after: str | None
) -> PlanPage | None:
    head = table.get(header_key(day)) if after else None
    found = _asked(table, day, whose, after, limit + 2 if seen is None else None)
    head = head or next((item for item in found.items if not is_line(item)), None)
    if head is None:
        return None
    mine = [item for item in found.items if is_line(item) and (seen is None or seen(_owner_of(item)))]
    entries, digests = tuple(line_of(item) for item in mine[:limit]), digests_of(head)
    last = mine[limit - 1] if len(mine) > limit else found.onward
    is_all = not after and last is None
    whole = _is_whole(head, digests, [entry for entry, _ in entries]) and not (
        is_all and found.passed != len(digests) + 1
    )
    others = len(digests) - len(mine) if is_all else None
    return PlanPage(thing_of(PlanHeader, head), entries, others, whole, _entry_id(last) if last else None)


def _asked(table: Table, day: date, whose: str | None, after: str | None, limit: int | None) -> _Found:
    """One query, strongly consistent, from the header or after a line."""
    values = {":pk": text(plan_pk(day)), **({":after": line_key(day, after)["sk"]} if after else {})}
    request: dict[str, Any] = {"Limit": limit} if limit else {}
    if whose is not None:
        request["FilterExpression"] = "attribute_not_exists(whose) OR whose = :whose"
        values[":whose"] = text(whose)
    answer = table.query(
        KeyConditionExpression="pk = :pk AND sk > :after" if after else "pk = :pk",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues=values,
        ProjectionExpression="sk, body, digests, #status",
        ConsistentRead=True,
        **request,
    )
    return _Found(answer["Items"], answer["ScannedCount"], answer.get("LastEvaluatedKey"))


def _is_whole(head: Item, digests: dict[str, str], shown: Sequence[Entry]) -> bool:
    """Whether the shown part of the plan is as published."""
    as_published = hash_of_digests(digests[each] for each in sorted(digests)) == thing_of(PlanHeader, head).hash
    return as_published and all(digests.get(entry.id) == entry_digest(entry) for entry in shown)


def _owner_of(item: Item) -> str:
    return str(json.loads(item["body"]["S"])["owner"])


def _entry_id(item: Item) -> str:
    return str(item["sk"]["S"]).removeprefix("LINE#")
