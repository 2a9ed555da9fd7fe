"""The store on DynamoDB: one table, its keys in `dynamodb/keys.py`. Implements the Store port, which holds the promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import entry_item, event_item, run_item, step_item, thing_of
from chalicelib.aws.dynamodb.keys import (
    BY_AGE,
    BY_OWNER,
    DUE,
    DUE_SHARD,
    EVERYONE,
    RUNS,
    Item,
    lab_id_of,
    lab_pk,
    stamp,
    text,
)
from chalicelib.aws.dynamodb.labs.change import change_lab
from chalicelib.aws.dynamodb.labs.create import LabCreation, load
from chalicelib.aws.dynamodb.labs.receipts import put_receipt, receipts_of
from chalicelib.aws.dynamodb.labs.records import DynamoRecords
from chalicelib.aws.dynamodb.labs.retention import expire, rewrite
from chalicelib.aws.dynamodb.labs.spending import month_page, month_people, month_sums, sums_at
from chalicelib.aws.dynamodb.pages import Listing, all_items, one_page, one_query
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.errors.tree import LabNotFound
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.spending import MonthCeilings, MonthSum, Scope, SumOf
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.domain.teardown.receipt import Receipt
from chalicelib.ports.deps import Ahead, Page

if TYPE_CHECKING:
    from chalicelib.domain.core.language import Language
    from chalicelib.domain.identity.person import Person
    from chalicelib.domain.identity.sessions import Session
    from chalicelib.domain.requests.offers import Offers

Thing = TypeVar("Thing")


class DynamoStore(DynamoRecords):
    """Labs, their steps, events, ledgers and receipts, in the table of this name."""

    def create_lab(
        self,
        lab: Lab,
        idempotency_key: str | None,
        body_digest: str,
        now: datetime,
        most: int | None = None,
        most_of_role: int | None = None,
        ceilings: MonthCeilings | None = None,
        known: tuple[Person, Person] | None = None,
    ) -> Lab:
        """One transaction; see `create.py`."""
        creation = LabCreation(
            self._client, self._table, lab, idempotency_key, body_digest, now, most, most_of_role, ceilings, known
        )
        return creation.run()

    def look_ahead(self, owner: str, idempotency_key: str | None, body_digest: str, now: datetime) -> Ahead:
        """One batch; see `ahead.py`."""
        from chalicelib.aws.dynamodb.labs.ahead import look_ahead

        return look_ahead(self._client, self._table, owner, idempotency_key, body_digest, now)

    def load_lab(self, lab_id: str) -> Lab:
        """Strongly consistent. Raises LabNotFound."""
        lab = load(self._client, self._table, lab_id)
        if lab is None:
            raise LabNotFound(lab_id)
        return lab

    def change_lab(
        self,
        lab_id: str,
        change: Callable[[Lab], Lab],
        seen: Lab | None = None,
        ceilings: MonthCeilings | None = None,
    ) -> Lab:
        """Optimistically locked; see `change.py`."""
        return change_lab(self._client, self._table, lab_id, change, seen, ceilings)

    def month_sums(self, month: str, scope: Scope) -> Mapping[str, Mapping[str, int]]:
        """A query of one partition."""
        return month_sums(self._client, self._table, month, scope)

    def month_people(self, months: Sequence[str]) -> Mapping[str, tuple[MonthSum, ...]]:
        """A query of one partition, from the first month to the last."""
        return month_people(self._client, self._table, months)

    def sums_at(self, wanted: Sequence[SumOf]) -> Mapping[SumOf, Mapping[str, int]]:
        """One batch."""
        return sums_at(self._client, self._table, wanted)

    def month_page(self, month: str, scope: Scope, limit: int, cursor: str | None) -> Page[MonthSum]:
        """As the port says."""
        return month_page(self._client, self._table, month, scope, limit, cursor)

    def list_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        """Newest first, from an index that follows the table within moments."""
        listing = _labs_of(owner, phases)
        items, more = one_page(self._client, self._table, listing, limit, cursor)
        return Page(tuple(thing_of(Lab, item) for item in items), more)

    def all_labs(self, owner: str | None, phases: Sequence[Phase]) -> Iterator[Lab]:
        """As the port says."""
        return (thing_of(Lab, item) for item in all_items(self._client, self._table, _labs_of(owner, phases)))

    def look_at_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        """From the same index, in one query."""
        items, more = one_query(self._client, self._table, _labs_of(owner, phases), limit, cursor)
        return Page(tuple(thing_of(Lab, item) for item in items), more)

    def labs_due(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Oldest first, from the sparse index. Ids: a lab that can't be read must not hide the others."""
        values = {":shard": text(DUE_SHARD), ":now": text(stamp(now))}
        listing = Listing("due_shard = :shard AND due_at <= :now", values, (), {}, index=DUE)
        return tuple(lab_id_of(item) for item in all_items(self._client, self._table, listing, limit))

    def record_step(self, lab_id: str, step: Step) -> None:
        """Write or overwrite."""
        self._put(step_item(lab_id, step))

    def steps(self, lab_id: str) -> tuple[Step, ...]:
        """In order of their start."""
        return tuple(sorted(self._all(Step, lab_id, "STEP#"), key=lambda step: step.started_at))

    def add_event(self, lab_id: str, event: Event) -> None:
        """The same event twice is one item."""
        self._put(event_item(lab_id, event))

    def events(self, lab_id: str, limit: int, cursor: str | None) -> Page[Event]:
        """Oldest first."""
        items, more = one_page(self._client, self._table, _part_of(lab_id, "EVENT#"), limit, cursor)
        return Page(tuple(thing_of(Event, item) for item in items), more)

    def record(self, lab_id: str, entry: LedgerEntry) -> None:
        """Write or overwrite."""
        self._put(entry_item(lab_id, entry))

    def ledger(self, lab_id: str) -> tuple[LedgerEntry, ...]:
        """In order of recording."""
        entries = self._all(LedgerEntry, lab_id, "LEDGER#")
        return tuple(sorted(entries, key=lambda entry: (entry.recorded_at, entry.resource.arn)))

    def put_receipt(self, lab_id: str, receipt: Receipt) -> None:
        """Write or overwrite, however long it is."""
        put_receipt(self._client, self._table, lab_id, receipt)

    def receipts(self, lab_id: str) -> tuple[Receipt, ...]:
        """In order of taking."""
        return receipts_of(all_items(self._client, self._table, _part_of(lab_id, "RECEIPT#")))

    def note_run(self, run: Run) -> None:
        """Write or overwrite."""
        self._put(run_item(run))

    def offers(self) -> Offers:
        """One item, strongly consistent."""
        from chalicelib.aws.dynamodb.labs.offers import offers

        return offers(self._client, self._table)

    def change_offers(self, change: Callable[[Offers], Offers]) -> Offers:
        """Load, change, save, again when beaten to it. Raises StaleLab."""
        from chalicelib.aws.dynamodb.labs.offers import change_offers

        return change_offers(self._client, self._table, change)

    def expire(self, lab_id: str, at: datetime | None) -> None:
        """Item by item; see `retention.py`."""
        expire(self._client, self._table, lab_id, at)

    def rewrite(self, lab_id: str, change: Callable[[str], str]) -> None:
        """Item by item; see `retention.py`."""
        rewrite(self._client, self._table, lab_id, change)

    def runs(self) -> tuple[Run, ...]:
        """A handful of items, strongly consistent."""
        listing = Listing("pk = :pk", {":pk": text(RUNS)}, (), {})
        return tuple(thing_of(Run, item) for item in all_items(self._client, self._table, listing))

    def put_session(self, hashed: str, session: Session) -> None:
        """Write or overwrite."""
        from chalicelib.aws.dynamodb.sessions import put_session

        put_session(self._client, self._table, hashed, session)

    def session(self, hashed: str) -> Session | None:
        """Strongly consistent."""
        from chalicelib.aws.dynamodb.sessions import session

        return session(self._client, self._table, hashed)

    def end_session(self, hashed: str) -> None:
        """Absent is fine."""
        from chalicelib.aws.dynamodb.sessions import end_session

        end_session(self._client, self._table, hashed)

    def speak_in_sessions(self, whose: str, language: Language, now: datetime) -> None:
        """From the index: a session that was opened moments ago may be missed."""
        from chalicelib.aws.dynamodb.sessions import speak_in_sessions

        speak_in_sessions(self._client, self._table, whose, language, now)

    def _put(self, item: Item) -> None:
        with translate("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def _all(self, shape: type[Thing], lab_id: str, prefix: str) -> list[Thing]:
        return [thing_of(shape, item) for item in all_items(self._client, self._table, _part_of(lab_id, prefix))]


def _part_of(lab_id: str, prefix: str) -> Listing:
    values = {":pk": text(lab_pk(lab_id)), ":prefix": text(prefix)}
    condition = "pk = :pk AND begins_with(sk, :prefix)"
    return Listing(condition, values, ("pk", "sk"), {"pk": lab_pk(lab_id)})


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
