"""Small records of the Store port: claims, what bore a lab's name before it, whole labs, and the mails about a month.

Of several runs that are about to do the same, one wins a claim: a conditional write.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import thing_of
from chalicelib.aws.dynamodb.keys import META, Item, key, lab_pk, number, spending_key, stamp, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.aws.dynamodb.labs.receipts import receipts_of
from chalicelib.aws.dynamodb.labs.spending import expiry
from chalicelib.aws.dynamodb.pages import Listing, all_items
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.errors.tree import AwsRefused, LabNotFound
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.ports.deps import WholeLab

_BEFORE, _MAIL = "BEFORE", "MAIL#"
#: DynamoDB deletes a claim so long after its end.
_KEPT = timedelta(days=1)
#: A claim of a mail outlasts the longest run of a function.
_CLAIMED_FOR = timedelta(minutes=5)
_UNTOLD = "attribute_not_exists(told_at) AND (attribute_not_exists(claimed_until) OR claimed_until <= :now)"


class DynamoRecords:
    """A part of the Store port; holds the boto3 `dynamodb` client."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def claim(self, what: str, by: str, now: datetime, until: datetime) -> bool:
        """One conditional update; false while somebody else holds the claim."""
        values = {":by": text(by), ":now": text(stamp(now)), ":until": text(stamp(until))}
        values[":expires"] = number(int((until + _KEPT).timestamp()))
        return self._holds(
            "dynamodb:UpdateItem",
            self._client.update_item,
            Key=key(f"CLAIM#{what}", "CLAIM"),
            UpdateExpression="SET claimed_by = :by, claimed_until = :until, expires_at = :expires",
            ConditionExpression="attribute_not_exists(pk) OR claimed_by = :by OR claimed_until <= :now",
            ExpressionAttributeValues=values,
        )

    def note_before(self, lab_id: str, arns: frozenset[str]) -> None:
        """Written once: a second run of the step must not take the lab's own resources for older ones."""
        packed = gzip.compress("\n".join(sorted(arns)).encode(), mtime=0)
        item = {**key(lab_pk(lab_id), _BEFORE), "packed": {"B": packed}}
        condition = "attribute_not_exists(pk)"
        self._holds("dynamodb:PutItem", self._client.put_item, Item=item, ConditionExpression=condition)

    def before(self, lab_id: str) -> frozenset[str] | None:
        """Strongly consistent; None if no step has looked."""
        item = get(self._client, self._table, key(lab_pk(lab_id), _BEFORE))
        return None if item is None else frozenset(gzip.decompress(item["packed"]["B"]).decode().splitlines())

    def whole_lab(self, lab_id: str) -> WholeLab:
        """One query of the lab's partition; of the ledger the instances only. Raises LabNotFound."""
        listing = Listing("pk = :pk", {":pk": text(lab_pk(lab_id))}, (), {})
        items = {item["sk"]["S"]: item for item in all_items(self._client, self._table, listing)}
        if META not in items:
            raise LabNotFound(lab_id)

        def those(prefix: str) -> Iterator[Item]:
            return (item for sort_key, item in items.items() if sort_key.startswith(prefix))

        steps = sorted((thing_of(Step, item) for item in those("STEP#")), key=lambda step: step.started_at)
        events = tuple(thing_of(Event, item) for item in those("EVENT#"))
        ledger = (item for item in those("LEDGER#") if ":instance/" in item["sk"]["S"])
        instances = tuple(thing_of(LedgerEntry, item) for item in ledger)
        return WholeLab(thing_of(Lab, items[META]), tuple(steps), events, receipts_of(those("RECEIPT#")), instances)

    def month_told(self, month: str) -> frozenset[str]:
        """Strongly consistent."""
        values = {":pk": text(f"SPENDING#{month}"), ":prefix": text(_MAIL)}
        listing = Listing("pk = :pk AND begins_with(sk, :prefix)", values, (), {})
        items = all_items(self._client, self._table, listing)
        return frozenset(item["sk"]["S"].removeprefix(_MAIL) for item in items if "told_at" in item)

    def claim_month_mail(self, month: str, whose: str, now: datetime) -> bool:
        """One conditional update."""
        until = {":until": text(stamp(now + _CLAIMED_FOR)), ":now": text(stamp(now))}
        return self._holds(
            "dynamodb:UpdateItem",
            self._client.update_item,
            Key=spending_key(month, f"{_MAIL}{whose}"),
            UpdateExpression="SET claimed_until = :until, expires_at = :expires_at",
            ConditionExpression=_UNTOLD,
            ExpressionAttributeValues={**until, ":expires_at": number(expiry(month))},
        )

    def note_month_told(self, month: str, whose: str, now: datetime) -> None:
        """Again is the same."""
        with translate("dynamodb:UpdateItem"):
            self._client.update_item(
                TableName=self._table,
                Key=spending_key(month, f"{_MAIL}{whose}"),
                UpdateExpression="SET told_at = :now, expires_at = :expires_at",
                ExpressionAttributeValues={":now": text(stamp(now)), ":expires_at": number(expiry(month))},
            )

    def _holds(self, action: str, call: Any, **request: Any) -> bool:
        """Send a conditional write; false if its condition did not hold."""
        try:
            with translate(action):
                call(TableName=self._table, **request)
        except AwsRefused as refusal:
            if refusal.code != "ConditionalCheckFailedException":
                raise
            return False
        return True
