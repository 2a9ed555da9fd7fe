"""Saves a changed lab if nobody saved in between; an ended lab frees its name, a blocked one its place in the counts.

Every write has an id, so that a write whose answer was lost is recognised and not repeated.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.aws.dynamodb.codec import thing_of
from chalicelib.aws.dynamodb.items import lab_item
from chalicelib.aws.dynamodb.keys import Item, lab_key, name_key, number, owner_key, text
from chalicelib.aws.dynamodb.labs.sums import Addition, counter_updates, refusal, spending_updates
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import add, delete, put
from chalicelib.domain.errors.saving import until_saved
from chalicelib.domain.errors.tree import LabNotFound
from chalicelib.domain.identity.callers import shared_role
from chalicelib.domain.labs.lab import OVER, UNCOUNTED, Lab
from chalicelib.domain.labs.spending import MonthCeilings


class DynamoChanges(InTable):
    """The part of the Store port that changes labs."""

    def change_lab(
        self,
        lab_id: str,
        change: Callable[[Lab], Lab],
        seen: Lab | None = None,
        ceilings: MonthCeilings | None = None,
    ) -> Lab:
        """Load, change, save, repeat if another writer was first; the first time, `seen` counts as loaded."""
        if seen is not None and (saved := self._saved_as_seen(seen, change)) is not None:
            return saved

        def attempt() -> Lab | None:
            item = self._table.get(lab_key(lab_id))
            if item is None:
                raise LabNotFound(lab_id)
            stored = thing_of(Lab, item)
            changed = change(stored)
            if changed == stored:
                return stored
            changed = replace(changed, version=stored.version + 1)
            return changed if self._save(item, stored, changed, ceilings) else None

        return until_saved(lab_id, attempt)

    def _saved_as_seen(self, seen: Lab, change: Callable[[Lab], Lab]) -> Lab | None:
        """The changed lab if the stored item is that of `seen`, so that no read is needed; else None."""
        changed = change(seen)
        if changed == seen or UNCOUNTED & {seen.phase, changed.phase}:
            return None
        changed, write_id = replace(changed, version=seen.version + 1), secrets.token_hex(16)
        before, item = lab_item(seen, "", claims=True), lab_item(changed, write_id, claims=True)
        condition = (
            "version = :seen AND claims = :yes AND counted = :yes AND tallied = :tallied AND spending = :spending"
        )
        values = {":seen": number(seen.version), ":yes": {"BOOL": True}, ":tallied": before["tallied"]}
        values[":spending"] = before["spending"]
        operations = [put(item, condition, values), *counter_updates(seen.id, before, item)]
        return changed if self._written(operations, spending_updates(seen, before, item, None), write_id) else None

    def _save(self, seen: Item, stored: Lab, changed: Lab, ceilings: MonthCeilings | None) -> bool:
        """Save the lab with its effects on counts; return False if another writer was first."""
        write_id = secrets.token_hex(16)
        over, claims = changed.phase in OVER, seen["claims"]["BOOL"]
        item = lab_item(changed, write_id, claims=claims and not over)
        if over and "expires_at" in seen:
            item["expires_at"] = seen["expires_at"]
        operations = [_replacing(item, seen, stored.version)]
        if claims and over:
            mine = "attribute_not_exists(pk) OR lab_id = :lab"
            operations.append(delete(name_key(stored), mine, {":lab": text(stored.id)}))
        operations += _counting(stored, seen, item)
        operations += counter_updates(stored.id, seen, item)
        return self._written(operations, spending_updates(stored, seen, item, ceilings), write_id)

    def _written(self, operations: Sequence[Item], additions: Sequence[Addition], write_id: str) -> bool:
        """Write; return False if another writer was first. The first operation is the lab's. Raises OverBudget."""
        reasons = self._table.transact([*operations, *(each.operation for each in additions)], write_id)
        if not reasons:
            return True
        if reasons[0].refused:
            return reasons[0].item.get("write_id") == text(write_id)
        if (over := refusal(additions, reasons)) is not None:
            raise over
        return False


def _replacing(item: Item, seen: Item, version: int) -> Item:
    """Replace the item that was read. Counting a lab from before the counters changes `counted` and no version."""
    if "counted" not in seen:
        return put(item, "version = :seen AND attribute_not_exists(counted)", {":seen": number(version)})
    return put(item, "version = :seen", {":seen": number(version)})


def _counting(lab: Lab, seen: Item, item: Item) -> list[Item]:
    """Update the counts of the lab's owner and role: a blocked lab does not count against their limit."""
    before = seen["occupies" if "occupies" in seen else "claims"]
    difference = int(item["occupies"]["BOOL"]) - int(before["BOOL"])
    owners = filter(None, (lab.counted_as, shared_role(lab.owner)))
    return [add(owner_key(owner), difference) for owner in owners] if difference else []
