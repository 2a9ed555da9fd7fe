"""Stores the rules of curfew, verdicts and due entries in DynamoDB; plans are in `plans.py`.

Implements the CurfewStore port, which documents the guarantees. Same table as labs; `keys.py` has the keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from chalicelib.aws.dynamodb.codec import item_of, thing_of
from chalicelib.aws.dynamodb.curfew.alive import DynamoCounters
from chalicelib.aws.dynamodb.curfew.keys import RULES, VERDICTS_KEPT, verdict_key
from chalicelib.aws.dynamodb.curfew.plans import DynamoPlans
from chalicelib.aws.dynamodb.keys import BLOCKED_SHARD, CURFEW_SHARD, Item, expiry, lab_id_of, stamp
from chalicelib.aws.dynamodb.pages import shard
from chalicelib.aws.dynamodb.transactions import until_saved
from chalicelib.domain.core.place import Place
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab


class DynamoCurfewStore(DynamoPlans, DynamoCounters):
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


def _place_of(item: Item) -> Place:
    """Beside the body; in the body of older items."""
    if "region" in item and "account" in item:
        return Place(str(item["account"]["S"]), str(item["region"]["S"]))
    try:
        body = json.loads(item["body"]["S"])
        return Place(str(body["account"]), str(body["spec"]["region"]))
    except (KeyError, TypeError, ValueError):
        return Place("", "")
