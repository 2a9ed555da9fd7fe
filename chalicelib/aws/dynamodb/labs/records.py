"""Small records of the Store port: claims, resources older than a lab, whole labs, offers, and the mails about a month.

Of several concurrent runs with the same act, one wins a claim: a conditional write.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb.codec import item_of, thing_of
from chalicelib.aws.dynamodb.keys import META, Item, expiry, key, lab_pk, spending_key, stamp, text
from chalicelib.aws.dynamodb.labs.retention import receipts_of
from chalicelib.aws.dynamodb.labs.sums import kept_until
from chalicelib.aws.dynamodb.pages import partition
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import NEW
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.errors.saving import until_saved
from chalicelib.domain.errors.tree import LabNotFound
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.ports.deps import WholeLab

if TYPE_CHECKING:
    from chalicelib.domain.requests.offers import Offers

OFFERS = key("OFFERS", "LIST")
_BEFORE, _MAIL = "BEFORE", "MAIL#"
#: How long after its end DynamoDB deletes a claim.
_KEPT = timedelta(days=1)


class DynamoRecords(InTable):
    """A part of the Store port."""

    def claim(self, what: str, by: str, now: datetime, until: datetime) -> bool:
        """One conditional update; False while somebody else holds the claim."""
        values = {":by": text(by), ":now": text(stamp(now)), ":until": text(stamp(until))}
        values[":expires"] = expiry(until + _KEPT)
        return self._table.update_if(
            key(f"CLAIM#{what}", "CLAIM"),
            "SET claimed_by = :by, claimed_until = :until, expires_at = :expires",
            "attribute_not_exists(pk) OR claimed_by = :by OR claimed_until <= :now",
            values,
        )

    def note_before(self, lab_id: str, arns: frozenset[str]) -> None:
        """Written once: a second run of the step must not list the lab's own resources as older ones."""
        packed = gzip.compress("\n".join(sorted(arns)).encode(), mtime=0)
        self._table.put_if({**key(lab_pk(lab_id), _BEFORE), "packed": {"B": packed}}, NEW)

    def before(self, lab_id: str) -> frozenset[str] | None:
        """Strongly consistent; None if no step has listed them."""
        item = self._table.get(key(lab_pk(lab_id), _BEFORE))
        return None if item is None else frozenset(gzip.decompress(item["packed"]["B"]).decode().splitlines())

    def whole_lab(self, lab_id: str) -> WholeLab:
        """One query of the lab's partition; of the ledger, only the instances. Raises LabNotFound."""
        items = {item["sk"]["S"]: item for item in self._table.items(partition(lab_pk(lab_id)))}
        if META not in items:
            raise LabNotFound(lab_id)

        def those(prefix: str) -> Iterator[Item]:
            return (item for sort_key, item in items.items() if sort_key.startswith(prefix))

        steps = sorted((thing_of(Step, item) for item in those("STEP#")), key=lambda step: step.started_at)
        events = tuple(thing_of(Event, item) for item in those("EVENT#"))
        ledger = (item for item in those("LEDGER#") if ":instance/" in item["sk"]["S"])
        instances = tuple(thing_of(LedgerEntry, item) for item in ledger)
        return WholeLab(thing_of(Lab, items[META]), tuple(steps), events, receipts_of(those("RECEIPT#")), instances)

    def offers(self) -> Offers:
        """One item; the default list if nobody set another."""
        return offers_of(self._table.get(OFFERS))

    def change_offers(self, change: Callable[[Offers], Offers]) -> Offers:
        """Load, change, save, repeat if another writer was first. Raises StaleLab."""

        def attempt() -> Offers | None:
            seen = self._table.get(OFFERS)
            changed = change(offers_of(seen))
            return changed if self._table.replace(item_of(OFFERS, changed), seen) else None

        return until_saved("The list of offers", attempt)

    def month_told(self, month: str) -> frozenset[str]:
        items = self._table.items(partition(f"SPENDING#{month}", _MAIL))
        return frozenset(item["sk"]["S"].removeprefix(_MAIL) for item in items if "told_at" in item)

    def note_month_told(self, month: str, whose: str, now: datetime) -> None:
        values = {":now": text(stamp(now)), ":expires_at": expiry(kept_until(month))}
        expression = "SET told_at = :now, expires_at = :expires_at"
        self._table.update(spending_key(month, f"{_MAIL}{whose}"), expression, values)


def offers_of(item: Item | None) -> Offers:
    """The list of offers in an item; the default one without an item."""
    from chalicelib.domain.requests.offers import Offers

    return Offers() if item is None else thing_of(Offers, item)
