"""The store in memory: DynamoDB's guarantees with simple dictionaries."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from chalicelib.aws.dynamodb.codec import dumps, loads
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.curfew.messages.outlook import first_event
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import (
    IdempotencyConflict,
    InvalidRequest,
    LabNotFound,
    MonthOverBudget,
    NameTaken,
    StaleLab,
    TooManyLabs,
)
from chalicelib.domain.identity.callers import identity_of, shared_role
from chalicelib.domain.identity.person import Person, identity_key
from chalicelib.domain.identity.sessions import Session
from chalicelib.domain.labs.lab import OVER, RESTING, UNCOUNTED, Lab, Phase
from chalicelib.domain.labs.spending import COST, MonthCeilings, MonthSum, Scope, SumOf, spending, sums_of
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.domain.requests.offers import Offers
from chalicelib.domain.teardown.receipt import Receipt
from chalicelib.ports.deps import Ahead, NewLabLimits, Page, WholeLab
from tests.fakes.account import Account, port

Item = TypeVar("Item")
#: The sums that include a lab, and its amounts by month.
Amounts = tuple[Sequence[tuple[Scope, str]], Mapping[str, Mapping[str, int]]]
IDEMPOTENCY_DAYS = 7


@dataclass
class FakeStore:
    """Implements the Store port."""

    account: Account
    labs: dict[str, Lab] = field(default_factory=dict)
    names: dict[tuple[str, str, str], str] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[str, str, datetime]] = field(default_factory=dict)
    step_table: dict[tuple[str, str, int, str], Step] = field(default_factory=dict)
    event_table: dict[str, list[Event]] = field(default_factory=dict)
    entries: dict[tuple[str, str], LedgerEntry] = field(default_factory=dict)
    before_table: dict[str, frozenset[str]] = field(default_factory=dict)
    receipt_table: dict[tuple[str, str], Receipt] = field(default_factory=dict)
    run_table: dict[str, Run] = field(default_factory=dict)
    expiries: dict[str, datetime | None] = field(default_factory=dict)
    kept_offers: Offers = field(default_factory=Offers)
    session_table: dict[str, Session] = field(default_factory=dict)
    month_mails: dict[tuple[str, str], datetime] = field(default_factory=dict)
    claim_table: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    rules_of: Callable[[], CurfewRules | None] = lambda: None
    person_of: Callable[[str], Person | None] = lambda _key: None
    save_people: Callable[[Sequence[Person], Sequence[Person]], bool] = lambda _before, _after: True
    port_name: str = "store"
    known_amounts: dict[str, tuple[Lab, Amounts]] = field(default_factory=dict, compare=False)

    @port
    def note_run(self, run: Run) -> None:
        self.run_table[run.workflow] = run

    @port
    def runs(self) -> tuple[Run, ...]:
        return tuple(self.run_table[workflow] for workflow in sorted(self.run_table))

    @port
    def offers(self) -> Offers:
        return self.kept_offers

    @port
    def change_offers(self, change: Callable[[Offers], Offers]) -> Offers:
        for _ in range(8):
            stored = self.kept_offers
            changed = change(stored)
            if self.kept_offers is stored:
                self.kept_offers = changed
                return changed
        raise StaleLab("The list of offers was always saved by others.")

    @port
    def create_lab(
        self,
        lab: Lab,
        idempotency_key: str | None,
        body_digest: str,
        now: datetime,
        limits: NewLabLimits | None = None,
        known: tuple[Person, Person] | None = None,
    ) -> Lab:
        limits = limits or NewLabLimits()
        before = self._lab_of_key(lab.owner, idempotency_key, body_digest, now) if idempotency_key else None
        if before:
            return before
        if lab.id in self.labs:
            return self.labs[lab.id]
        claim = _claim(lab)
        if claim in self.names:
            raise NameTaken(lab.name, self.names[claim], self.labs[self.names[claim]].owner)
        counted = [claimant for claimant in self._claimants() if claimant.phase not in UNCOUNTED]
        if limits.of_owner is not None and sum(one.counted_as == lab.counted_as for one in counted) >= limits.of_owner:
            raise TooManyLabs(limits.of_owner)
        role = shared_role(lab.owner)
        together = sum(shared_role(claimant.owner) == role for claimant in counted)
        if role is not None and limits.of_role is not None and together >= limits.of_role:
            raise TooManyLabs(limits.of_role, role)
        stored = replace(lab, version=1)
        self._judge_months(stored, {}, limits.ceilings)
        self.labs[lab.id], self.names[claim] = stored, lab.id
        if idempotency_key:
            self.keys[lab.owner, idempotency_key] = (lab.id, body_digest, now + timedelta(days=IDEMPOTENCY_DAYS))
        self.event_table.setdefault(lab.id, []).append(first_event(lab))
        if known is not None:
            self.save_people([known[0]], [known[1]])
        return stored

    @port
    def look_ahead(self, owner: str, idempotency_key: str | None, body_digest: str, now: datetime) -> Ahead:
        before = self._lab_of_key(owner, idempotency_key, body_digest, now) if idempotency_key else None
        person = None if before else self.person_of(identity_key(owner))
        return Ahead(self.kept_offers, self.rules_of(), person, before)

    def _lab_of_key(self, owner: str, key: str, digest: str, now: datetime) -> Lab | None:
        lab_id, known, until = self.keys.get((owner, key), ("", "", now))
        if until <= now:
            return None
        if known != digest:
            raise IdempotencyConflict(key)
        return self.labs[lab_id]

    def _claimants(self) -> list[Lab]:
        return [self.labs[lab_id] for lab_id in self.names.values()]

    @port
    def load_lab(self, lab_id: str) -> Lab:
        if lab_id not in self.labs:
            raise LabNotFound(lab_id)
        return self.labs[lab_id]

    @port
    def change_lab(
        self,
        lab_id: str,
        change: Callable[[Lab], Lab],
        seen: Lab | None = None,
        ceilings: MonthCeilings | None = None,
    ) -> Lab:
        if lab_id not in self.labs:
            raise LabNotFound(lab_id)
        lab = self.labs[lab_id]
        changed = change(lab)
        if changed == lab:
            return lab
        changed = replace(changed, version=lab.version + 1)
        self._judge_months(changed, spending(lab), ceilings)
        self.labs[lab_id] = changed
        if changed.phase in OVER and self.names.get(_claim(lab)) == lab_id:
            del self.names[_claim(lab)]
        return changed

    @port
    def month_sums(self, month: str, scope: Scope) -> Mapping[str, Mapping[str, int]]:
        return self._month_sums(month, scope)

    def _month_sums(self, month: str, scope: Scope) -> Mapping[str, Mapping[str, int]]:
        sums: dict[str, Counter[str]] = {}
        for lab in self.labs.values():
            holders, amounts = self._amounts(lab)
            for each, whose in holders:
                if each is scope and month in amounts:
                    sums.setdefault(whose, Counter()).update(amounts[month])
        return sums

    def _amounts(self, lab: Lab) -> Amounts:
        """Computed once for each state of a lab."""
        known = self.known_amounts.get(lab.id)
        if known is None or known[0] is not lab:
            known = self.known_amounts[lab.id] = (lab, (sums_of(lab), spending(lab)))
        return known[1]

    @port
    def month_people(self, months: Sequence[str]) -> Mapping[str, tuple[MonthSum, ...]]:
        return {month: self._month_people(month) for month in months}

    def _month_people(self, month: str) -> tuple[MonthSum, ...]:
        names: dict[str, set[str]] = {}
        for lab in self.labs.values():
            names.setdefault(lab.counted_as, set()).add(identity_of(lab.owner))
        sums = self._month_sums(month, Scope.PERSON)
        return tuple(MonthSum(person, tuple(sorted(names[person])), sums[person]) for person in sorted(sums))

    @port
    def sums_at(self, wanted: Sequence[SumOf]) -> Mapping[SumOf, Mapping[str, int]]:
        return {each: self._month_sums(*each[:2]).get(each[2], {}) for each in wanted}

    @port
    def month_page(self, month: str, scope: Scope, limit: int, cursor: str | None) -> Page[MonthSum]:
        sums = self._month_sums(month, scope)
        return _page([MonthSum(whose, (whose,), sums[whose]) for whose in sorted(sums)], limit, cursor)

    @port
    def month_told(self, month: str) -> frozenset[str]:
        return frozenset(whose for of, whose in self.month_mails if of == month)

    @port
    def note_month_told(self, month: str, whose: str, now: datetime) -> None:
        self.month_mails[month, whose] = now

    def _judge_months(self, lab: Lab, before: Mapping[str, Mapping[str, int]], ceilings: MonthCeilings | None) -> None:
        for month, amounts in spending(lab).items():
            added = amounts[COST] - before.get(month, {}).get(COST, 0)
            for scope, whose in sums_of(lab):
                most = ceilings.most(scope) if ceilings else None
                if most is None or added <= 0:
                    continue
                there = self._month_sums(month, scope).get(whose, {}).get(COST, 0)
                if there + added > most:
                    raise MonthOverBudget(scope, added, most, there, month)

    @port
    def list_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        return _page(self._labs_of(owner, phases), limit, cursor)

    @port
    def all_labs(self, owner: str | None, phases: Sequence[Phase]) -> Iterator[Lab]:
        return iter(self._labs_of(owner, phases))

    def _labs_of(self, owner: str | None, phases: Sequence[Phase]) -> list[Lab]:
        found = [
            lab
            for lab in self.labs.values()
            if (owner is None or identity_of(lab.owner) == owner) and (not phases or lab.phase in phases)
        ]
        return sorted(found, key=lambda lab: (lab.created_at, lab.id), reverse=True)

    @port
    def look_at_labs(self, owner: str | None, phases: Sequence[Phase], limit: int, cursor: str | None) -> Page[Lab]:
        looked = _page(self._labs_of(owner, ()), 2 * limit, cursor)
        found = [lab for lab in looked.items if not phases or lab.phase in phases]
        if len(found) > limit:
            return _page(found, limit, None)
        return Page(tuple(found), looked.cursor)

    @port
    def labs_due(self, now: datetime, limit: int) -> tuple[str, ...]:
        working = [lab for lab in self.labs.values() if lab.phase not in RESTING and lab.phase is not Phase.BLOCKED]
        due = [(lab.due_at, lab.id) for lab in working if lab.due_at and lab.due_at <= now]
        return tuple(lab_id for _, lab_id in sorted(due)[:limit])

    @port
    def record_step(self, lab_id: str, step: Step) -> None:
        self.step_table[lab_id, step.workflow, step.run, step.name] = step

    @port
    def steps(self, lab_id: str) -> tuple[Step, ...]:
        mine = [(key, step) for key, step in self.step_table.items() if key[0] == lab_id]
        return tuple(step for key, step in sorted(mine, key=lambda row: (row[1].started_at, row[0])))

    @port
    def add_event(self, lab_id: str, event: Event) -> None:
        lines = self.event_table.setdefault(lab_id, [])
        if event not in lines:
            lines.append(event)

    @port
    def events(self, lab_id: str, limit: int, cursor: str | None) -> Page[Event]:
        return _page(sorted(self.event_table.get(lab_id, []), key=lambda event: event.at), limit, cursor)

    @port
    def record(self, lab_id: str, entry: LedgerEntry) -> None:
        self.entries[lab_id, entry.resource.arn] = entry

    @port
    def ledger(self, lab_id: str) -> tuple[LedgerEntry, ...]:
        mine = [entry for (owner, _), entry in self.entries.items() if owner == lab_id]
        return tuple(sorted(mine, key=lambda entry: (entry.recorded_at, entry.resource.arn)))

    @port
    def note_before(self, lab_id: str, arns: frozenset[str]) -> None:
        self.before_table.setdefault(lab_id, arns)

    @port
    def before(self, lab_id: str) -> frozenset[str] | None:
        return self.before_table.get(lab_id)

    @port
    def put_receipt(self, lab_id: str, receipt: Receipt) -> None:
        self.receipt_table[lab_id, receipt.look] = receipt

    @port
    def receipts(self, lab_id: str) -> tuple[Receipt, ...]:
        mine = [receipt for (owner, _), receipt in self.receipt_table.items() if owner == lab_id]
        return tuple(sorted(mine, key=lambda receipt: receipt.taken_at))

    @port
    def expire(self, lab_id: str, at: datetime | None) -> None:
        self.expiries[lab_id] = at

    @port
    def rewrite(self, lab_id: str, change: Callable[[str], str]) -> None:
        def changed(thing: Any) -> Any:
            return loads(type(thing), change(dumps(thing)))

        self.labs[lab_id] = changed(self.labs[lab_id])
        self.event_table[lab_id] = [changed(event) for event in self.event_table.get(lab_id, [])]
        mine = {place: changed(step) for place, step in self.step_table.items() if place[0] == lab_id}
        self.step_table.update(mine)
        looks = {place: changed(look) for place, look in self.receipt_table.items() if place[0] == lab_id}
        self.receipt_table.update(looks)
        for place, entry in list(self.entries.items()):
            if place[0] == lab_id:
                del self.entries[place]
                self.entries[lab_id, change(place[1])] = changed(entry)

    @port
    def put_session(self, hashed: str, session: Session) -> None:
        self.session_table[hashed] = session

    @port
    def session(self, hashed: str) -> Session | None:
        return self.session_table.get(hashed)

    @port
    def end_session(self, hashed: str) -> None:
        self.session_table.pop(hashed, None)

    @port
    def speak_in_sessions(self, whose: str, language: Language, now: datetime) -> None:
        for hashed, kept in self.session_table.items():
            if kept.whose == whose and kept.ends_at > now:
                self.session_table[hashed] = replace(kept, language=language)

    @port
    def claim(self, what: str, by: str, now: datetime, until: datetime) -> bool:
        whose, held = self.claim_table.get(what, (by, until))
        if whose != by and held > now:
            return False
        self.claim_table[what] = (by, until)
        return True

    @port
    def whole_lab(self, lab_id: str) -> WholeLab:
        if lab_id not in self.labs:
            raise LabNotFound(lab_id)
        steps = sorted(
            (step for key, step in self.step_table.items() if key[0] == lab_id), key=lambda step: step.started_at
        )
        events = tuple(sorted(self.event_table.get(lab_id, []), key=lambda event: event.at))
        looks = (receipt for (owner, _), receipt in self.receipt_table.items() if owner == lab_id)
        receipts = tuple(sorted(looks, key=lambda receipt: receipt.taken_at))
        mine = (entry for (owner, arn), entry in self.entries.items() if owner == lab_id and ":instance/" in arn)
        return WholeLab(self.labs[lab_id], tuple(steps), events, receipts, tuple(mine))

    def put(self, *labs: Lab) -> None:
        """Store labs in any phase, for tests that start in the middle of a life."""
        for lab in labs:
            self.labs[lab.id] = lab
            if lab.phase not in OVER:
                self.names[_claim(lab)] = lab.id


def _claim(lab: Lab) -> tuple[str, str, str]:
    return lab.account, lab.region, lab.name


def _page(items: Sequence[Item], limit: int, cursor: str | None) -> Page[Item]:
    start = _position(cursor)
    end = start + limit
    more = _cursor(end) if end < len(items) else None
    return Page(tuple(items[start:end]), more)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor))
    except ValueError as problem:
        raise InvalidRequest(
            [error("cursor", "bad-cursor", "This cursor was not given out by this service.")]
        ) from problem
