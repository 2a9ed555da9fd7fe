"""The store on DynamoDB: one table, its keys in `dynamodb/keys.py`. Implements the Store port, which documents the guarantees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb.codec import item_of, thing_of
from chalicelib.aws.dynamodb.items import entry_item, event_item, step_item
from chalicelib.aws.dynamodb.keys import (
    BY_AGE,
    BY_OWNER,
    DUE_SHARD,
    EVERYONE,
    RUNS,
    key,
    lab_id_of,
    lab_key,
    lab_pk,
    stamp,
    text,
)
from chalicelib.aws.dynamodb.labs.change import DynamoChanges
from chalicelib.aws.dynamodb.labs.create import LabCreation, look_ahead
from chalicelib.aws.dynamodb.labs.records import DynamoRecords
from chalicelib.aws.dynamodb.labs.retention import DynamoRetention
from chalicelib.aws.dynamodb.labs.sums import DynamoSpending
from chalicelib.aws.dynamodb.pages import Listing, partition, shard
from chalicelib.aws.dynamodb.sessions import DynamoSessions
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.errors.tree import LabNotFound
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.ports.deps import Ahead, NewLabLimits, Page

if TYPE_CHECKING:
    from chalicelib.domain.identity.person import Person


class DynamoStore(DynamoChanges, DynamoRecords, DynamoRetention, DynamoSpending, DynamoSessions):
    """Labs, their steps, events, ledgers and receipts, in the table of this name."""

    def create_lab(
        self,
        lab: Lab,
        idempotency_key: str | None,
        body_digest: str,
        now: datetime,
        limits: NewLabLimits | None = None,
        known: tuple[Person, Person] | None = None,
    ) -> Lab:
        return LabCreation(self._table, lab, idempotency_key, body_digest, now, limits or NewLabLimits(), known).run()

    def look_ahead(self, owner: str, idempotency_key: str | None, body_digest: str, now: datetime) -> Ahead:
        return look_ahead(self._table, owner, idempotency_key, body_digest, now)

    def load_lab(self, lab_id: str) -> Lab:
        lab = self._table.load(Lab, lab_key(lab_id))
        if lab is None:
            raise LabNotFound(lab_id)
        return lab

    def list_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        """Newest first, from an index that lags by moments."""
        items, more = self._table.page(_labs_of(owner, phases), limit, cursor)
        return Page(tuple(thing_of(Lab, item) for item in items), more)

    def all_labs(self, owner: str | None, phases: Sequence[Phase]) -> Iterator[Lab]:
        return self._table.things(Lab, _labs_of(owner, phases))

    def look_at_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        items, more = self._table.short_page(_labs_of(owner, phases), limit, cursor)
        return Page(tuple(thing_of(Lab, item) for item in items), more)

    def labs_due(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Oldest first, from the sparse index. Ids, so that an unreadable lab does not hide the others."""
        due = shard(DUE_SHARD, " AND due_at <= :now", now=stamp(now))
        return tuple(lab_id_of(item) for item in self._table.items(due, limit))

    def record_step(self, lab_id: str, step: Step) -> None:
        self._table.put(step_item(lab_id, step))

    def steps(self, lab_id: str) -> tuple[Step, ...]:
        found = self._table.things(Step, partition(lab_pk(lab_id), "STEP#"))
        return tuple(sorted(found, key=lambda step: step.started_at))

    def add_event(self, lab_id: str, event: Event) -> None:
        """The same event twice is one item."""
        self._table.put(event_item(lab_id, event))

    def events(self, lab_id: str, limit: int, cursor: str | None) -> Page[Event]:
        items, more = self._table.page(partition(lab_pk(lab_id), "EVENT#"), limit, cursor)
        return Page(tuple(thing_of(Event, item) for item in items), more)

    def record(self, lab_id: str, entry: LedgerEntry) -> None:
        self._table.put(entry_item(lab_id, entry))

    def ledger(self, lab_id: str) -> tuple[LedgerEntry, ...]:
        entries = self._table.things(LedgerEntry, partition(lab_pk(lab_id), "LEDGER#"))
        return tuple(sorted(entries, key=lambda entry: (entry.recorded_at, entry.resource.arn)))

    def note_run(self, run: Run) -> None:
        self._table.put(item_of(key(RUNS, run.workflow), run))

    def runs(self) -> tuple[Run, ...]:
        return tuple(self._table.things(Run, partition(RUNS)))


def _labs_of(owner: str | None, phases: Sequence[Phase]) -> Listing:
    attribute, partition = ("everyone", EVERYONE) if owner is None else ("owner", owner)
    named = {f":phase{index}": text(phase) for index, phase in enumerate(phases)}
    return Listing(
        "#partition = :partition",
        {":partition": text(partition), **named},
        (attribute, "created", "pk", "sk"),
        {attribute: partition},
        index=BY_AGE if owner is None else BY_OWNER,
        filter=f"phase IN ({', '.join(named)})" if named else None,
        newest_first=True,
        names={"#partition": attribute},
        shown=("body",),
    )
