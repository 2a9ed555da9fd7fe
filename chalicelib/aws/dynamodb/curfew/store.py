"""Stores the rules of curfew, verdicts, due entries and the number of living labs in DynamoDB; plans are in `plans.py`.

Implements the CurfewStore port, which documents the guarantees. Same table as labs; `keys.py` has the keys. Living labs are
counted in a few counters that every creation and every end updates in its own transaction. `counted` on a lab says whether it
is in its counter; a condition on the item prevents counting twice. Labs from before the counters lack it: the first read
counts them, each in a transaction with its mark, and so does an earlier save. A run that dies half-way leaves nothing counted
twice, and the next one continues.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from chalicelib.aws.dynamodb.codec import item_of, thing_of
from chalicelib.aws.dynamodb.curfew.keys import COUNTED, RULES, VERDICTS_KEPT, verdict_key
from chalicelib.aws.dynamodb.curfew.plans import DynamoPlans
from chalicelib.aws.dynamodb.keys import (
    ALIVE,
    BLOCKED_SHARD,
    CURFEW_SHARD,
    EVERYONE,
    Item,
    counter_key,
    expiry,
    lab_id_of,
    lab_key,
    stamp,
    text,
)
from chalicelib.aws.dynamodb.labs.sums import running
from chalicelib.aws.dynamodb.pages import everyone, partition, shard
from chalicelib.aws.dynamodb.transactions import add
from chalicelib.domain.core.place import Place
from chalicelib.domain.costs import Running
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.saving import ATTEMPTS, until_saved
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import OVER, Lab

#: Labs counted in one transaction; with their counters it stays well under a hundred operations.
_AT_ONCE = 50
_OVER = {f":over{index}": text(phase) for index, phase in enumerate(sorted(OVER))}
_ALIVE = f"NOT phase IN ({', '.join(_OVER)})"
_LABS = everyone(EVERYONE)
_UNCOUNTED = replace(_LABS, values={**_LABS.values, **_OVER}, filter=f"attribute_not_exists(counted) AND {_ALIVE}")


class DynamoCurfewStore(DynamoPlans):
    """Curfew in the table of this name."""

    def rules(self, usual: CurfewRules) -> CurfewRules:
        return self._table.load(CurfewRules, RULES) or usual

    def change_rules(self, usual: CurfewRules, change: Callable[[CurfewRules], CurfewRules]) -> CurfewRules:
        def attempt() -> CurfewRules | None:
            item = self._table.get(RULES)
            changed = change(usual if item is None else thing_of(CurfewRules, item))
            return changed if self._table.replace(item_of(RULES, changed), item) else None

        return until_saved("The record of curfew's rules", attempt)

    def labs_awaiting(self, now: datetime, limit: int) -> tuple[tuple[str, Place], ...]:
        """From the sparse index. Account and region of an unreadable lab are "", so that it does not hide the others."""
        due = shard(CURFEW_SHARD, " AND due_at <= :now", now=stamp(now))
        return tuple((lab_id_of(item), _place_of(item)) for item in self._table.items(due, limit))

    def blocked(self, limit: int) -> tuple[Lab, ...]:
        return tuple(self._table.things(Lab, shard(BLOCKED_SHARD), limit))

    def put_verdict(self, verdict: Verdict) -> None:
        """Write or overwrite; expires after 30 days."""
        expires_at = expiry(verdict.at + VERDICTS_KEPT)
        self._table.put(item_of(verdict_key(verdict.lab_id), verdict, expires_at=expires_at))

    def verdict(self, lab_id: str) -> Verdict | None:
        return self._table.load(Verdict, verdict_key(lab_id))

    def alive_count(self) -> int:
        """Reads a few counters; the first time it counts older labs. Raises AwsUnavailable, Throttled."""
        items = self._tallies()
        if not any(item["sk"] == COUNTED["sk"] for item in items):
            self._count_the_uncounted()
            items = self._tallies()
        return sum(int(item["alive"]["N"]) for item in items if "alive" in item)

    def running(self) -> Running:
        """The same counters. Raises AwsUnavailable, Throttled."""
        return running(self._tallies())

    def _tallies(self) -> list[Item]:
        return list(self._table.items(partition(ALIVE)))

    def _count_the_uncounted(self) -> None:
        ids = (lab_id_of(item) for item in self._table.items(_UNCOUNTED))
        while some := list(islice(ids, _AT_ONCE)):
            self._count(some)
        self._table.put(COUNTED)

    def _count(self, ids: Sequence[str]) -> None:
        """Mark and count the labs that nobody counted in between."""
        for _ in range(ATTEMPTS):
            tallies = Counter(counter_key(lab_id)["sk"]["S"] for lab_id in ids)
            first = {counter_key(lab_id)["sk"]["S"]: counter_key(lab_id) for lab_id in ids}
            counting = [add(first[sk], amount) for sk, amount in tallies.items()]
            reasons = self._table.transact([*(_mark(lab_id) for lab_id in ids), *counting])
            ids = [lab_id for lab_id, reason in zip(ids, reasons, strict=False) if not reason.refused]
            if not ids:
                return
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to count the labs.")


def _mark(lab_id: str) -> Item:
    return {
        "Update": {
            "Key": lab_key(lab_id),
            "UpdateExpression": "SET counted = :counted",
            "ConditionExpression": f"attribute_exists(pk) AND attribute_not_exists(counted) AND {_ALIVE}",
            "ExpressionAttributeValues": {":counted": {"BOOL": True}, **_OVER},
        }
    }


def _place_of(item: Item) -> Place:
    """Beside the body; in the body of older items."""
    if "region" in item and "account" in item:
        return Place(str(item["account"]["S"]), str(item["region"]["S"]))
    try:
        body = json.loads(item["body"]["S"])
        return Place(str(body["account"]), str(body["spec"]["region"]))
    except (KeyError, TypeError, ValueError):
        return Place("", "")
