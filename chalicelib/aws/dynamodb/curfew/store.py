"""Stores the rules of curfew, verdicts and due entries in DynamoDB; plans are in `plans.py`.

Implements the CurfewStore port, which holds the promises. Same table as labs; `keys.py` says where everything lies.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.curfew.alive import alive_count, running_now
from chalicelib.aws.dynamodb.curfew.keys import RULES, VERDICTS_KEPT, blocked_labs, expiry, resting_labs, verdict_key
from chalicelib.aws.dynamodb.curfew.plans import DynamoPlans
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, thing_of
from chalicelib.aws.dynamodb.keys import Item, lab_id_of, number, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.aws.dynamodb.pages import all_items
from chalicelib.aws.dynamodb.transactions import until_saved
from chalicelib.domain.core.place import Place
from chalicelib.domain.costs import Running
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab


class DynamoCurfewStore(DynamoPlans):
    """Curfew in the table of this name."""

    def rules(self, usual: CurfewRules) -> CurfewRules:
        """One item, strongly consistent."""
        item = get(self._client, self._table, RULES)
        return usual if item is None else thing_of(CurfewRules, item)

    def put_rules(self, rules: CurfewRules) -> None:
        """Write or overwrite. Raises StaleLab when always beaten."""
        self.change_rules(rules, lambda _: rules)

    def change_rules(self, usual: CurfewRules, change: Callable[[CurfewRules], CurfewRules]) -> CurfewRules:
        """Raises StaleLab."""

        def attempt() -> CurfewRules | None:
            item = get(self._client, self._table, RULES)
            changed = change(usual if item is None else thing_of(CurfewRules, item))
            saved = self._write({**RULES, "schema": number(SCHEMA), "body": text(body_of(changed))}, item)
            return changed if saved else None

        return until_saved("The record of curfew's rules", attempt)

    def labs_awaiting(self, now: datetime, limit: int) -> tuple[tuple[str, Place], ...]:
        """From the sparse index. Account and region of a lab that can't be read are "": it must not hide the others."""
        found = all_items(self._client, self._table, resting_labs(now), limit)
        return tuple((lab_id_of(item), _place_of(item)) for item in found)

    def alive_count(self) -> int:
        """A few counters, strongly consistent; see `alive.py`."""
        return alive_count(self._client, self._table)

    def running(self) -> Running:
        """The same counters."""
        return running_now(self._client, self._table)

    def blocked(self, limit: int) -> tuple[Lab, ...]:
        """From the sparse index. Raises Unreadable."""
        return tuple(thing_of(Lab, item) for item in all_items(self._client, self._table, blocked_labs(), limit))

    def put_verdict(self, verdict: Verdict) -> None:
        """Write or overwrite; forgotten 30 days after."""
        self._put(verdict_key(verdict.lab_id), verdict, {"expires_at": expiry(verdict.at + VERDICTS_KEPT)})

    def verdict(self, lab_id: str) -> Verdict | None:
        """Strongly consistent."""
        item = get(self._client, self._table, verdict_key(lab_id))
        return None if item is None else thing_of(Verdict, item)

    def _put(self, keys: Item, thing: object, more: Item) -> None:
        item = {**keys, "schema": number(SCHEMA), "body": text(body_of(thing)), **more}
        with translate("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=item)


def _place_of(item: Item) -> Place:
    """Beside the body; of an item from before it stood there, in it."""
    if "region" in item and "account" in item:
        return Place(str(item["account"]["S"]), str(item["region"]["S"]))
    try:
        body = json.loads(item["body"]["S"])
        return Place(str(body["account"]), str(body["spec"]["region"]))
    except (KeyError, TypeError, ValueError):
        return Place("", "")
