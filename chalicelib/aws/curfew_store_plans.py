"""Plans in the table: a header and a line for each entry, whose hash and number always agree.

Entries are added in transactions that hold the header to what was seen of it, so that of two publishers the second reads
again and adds to what the first left. A crash between two transactions leaves a whole plan, only a shorter one. Each write
carries its own id: by it the next writer says what it saw, and a write whose answer was lost is known as done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chalicelib.aws.curfew_keys import header_key, line_key, unwarned_lines, whole_plan
from chalicelib.aws.curfew_store_lines import as_read, fate_of, header_item, line_item, line_of, plan_of
from chalicelib.aws.store_creating import get
from chalicelib.aws.store_items import thing_of
from chalicelib.aws.store_keys import Item, text
from chalicelib.aws.store_pages import all_items
from chalicelib.aws.store_writes import ATTEMPTS, put, transact
from chalicelib.domain.errors import AwsUnavailable, StaleLab, Unreadable
from chalicelib.domain.plan import Entry, Fate, Plan, PlanHeader, plan_hash

#: As many entries as fit into one transaction beside the header.
AT_ONCE = 99
#: Publishers lose to each other more often than those who change one item: a night has one header.
_PUBLISHING = 4 * ATTEMPTS
_NEW = "attribute_not_exists(pk)"


class DynamoPlans:
    """The part of the CurfewStore port that is about plans; holds the boto3 `dynamodb` client."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def publish(self, day: date, entries: Sequence[Entry], now: datetime) -> PlanHeader:
        """Raises AwsUnavailable when too many publish at once, Unreadable when what is stored is not what was published."""
        wanted: dict[str, Entry] = {}
        for entry in map(as_read, entries):
            wanted.setdefault(entry.id, entry)
        for _ in range(_PUBLISHING + len(wanted) // AT_ONCE):
            items, plan = self._read(day)
            there = _entries_of(day, plan)
            new = [wanted[entry_id] for entry_id in sorted(wanted) if entry_id not in there]
            if plan is not None and not new:
                return plan.header
            header = _renewed(day, plan, [*there.values(), *new[:AT_ONCE]], now)
            written = self._write(header_item(header), items[0] if plan else None, _lines(day, new[:AT_ONCE]))
            if written and len(new) <= AT_ONCE:
                return header
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to publish the plan.")

    def header(self, day: date) -> PlanHeader | None:
        """One item, strongly consistent."""
        item = get(self._client, self._table, header_key(day))
        return None if item is None else thing_of(PlanHeader, item)

    def plan(self, day: date) -> Plan | None:
        """One query, strongly consistent."""
        return self._read(day)[1]

    def line(self, day: date, entry_id: str) -> tuple[Entry, Fate] | None:
        """One item, strongly consistent."""
        item = get(self._client, self._table, line_key(day, entry_id))
        return None if item is None else line_of(item)

    def change_fate(self, day: date, entry_id: str, change: Callable[[Fate], Fate]) -> Fate:
        """Load, change, save, again when beaten to it. Raises StaleLab, KeyError."""
        for _ in range(ATTEMPTS):
            item = get(self._client, self._table, line_key(day, entry_id))
            if item is None:
                raise KeyError(entry_id)
            entry, stored = line_of(item)
            changed = change(stored)
            if changed == stored:
                return stored
            changed = replace(changed, version=stored.version + 1)
            if self._write(line_item(day, entry, changed), item):
                return changed
        raise StaleLab(f"The fate of {entry_id} was saved by others {ATTEMPTS} times in a row.")

    def unwarned(self, limit: int) -> tuple[Fate, ...]:
        """From the sparse index."""
        return tuple(fate_of(item) for item in all_items(self._client, self._table, unwarned_lines(), limit))

    def mark_plan(self, day: date, reported_at: datetime | None = None, brake_told_at: datetime | None = None) -> None:
        """Load, change, save, again when beaten to it. Raises AwsUnavailable when too busy, KeyError."""
        for _ in range(ATTEMPTS):
            item = get(self._client, self._table, header_key(day))
            if item is None:
                raise KeyError(day)
            stored = thing_of(PlanHeader, item)
            told = brake_told_at or stored.brake_told_at
            marked = replace(stored, reported_at=reported_at or stored.reported_at, brake_told_at=told)
            if marked == stored or self._write(header_item(marked), item):
                return
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to mark the plan.")

    def _read(self, day: date) -> tuple[list[Item], Plan | None]:
        """A query may see a half of what is written at that moment: a plan that is not whole is read again."""
        items: list[Item] = []
        plan = None
        for _ in range(ATTEMPTS):
            items = list(all_items(self._client, self._table, whole_plan(day)))
            plan = plan_of(items)
            if plan is None or plan.is_whole:
                break
        return items, plan

    def _write(self, item: Item, seen: Item | None, more: Iterable[Item] = ()) -> bool:
        """Put it over what was seen, with more that is new; False when someone else was first."""
        mine = text(secrets.token_hex(16))
        item = {**item, "write_id": mine}
        first = (
            put(self._table, item, "write_id = :seen", {":seen": seen["write_id"]})
            if seen
            else put(self._table, item, _NEW)
        )
        new = [put(self._table, {**line, "write_id": mine}, _NEW) for line in more]
        reasons = transact(self._client, [first, *new], mine["S"])
        return not reasons or (reasons[0].refused and reasons[0].item.get("write_id") == mine)


def _entries_of(day: date, plan: Plan | None) -> dict[str, Entry]:
    """The entries that are published, by id. Nothing may be added to a broken plan: it would look whole again."""
    if plan is not None and not plan.is_whole:
        raise Unreadable(f"The plan of {day} is not the one that was published; nothing is added to it.")
    return {} if plan is None else {entry.id: entry for entry, _ in plan.lines}


def _renewed(day: date, plan: Plan | None, entries: Sequence[Entry], now: datetime) -> PlanHeader:
    hashed = plan_hash(entries)
    if plan is None:
        return PlanHeader(day, 1, hashed, now, len(entries))
    header = plan.header
    return replace(header, revision=header.revision + 1, hash=hashed, published_at=now, entries=len(entries))


def _lines(day: date, new: Sequence[Entry]) -> list[Item]:
    return [line_item(day, entry, Fate(day, entry.id, entry.lab_id)) for entry in new]
