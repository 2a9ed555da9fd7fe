"""Use cases of administrators about people: store a roster, list everybody.

A roster is a claim: its addresses wait for their readers. Nothing is stored unless every row is valid. The five-minute run
sends the mails, because a thousand take longer than a request may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.errors.saving import until_saved
from chalicelib.domain.errors.tree import InvalidRequest, NotYours
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.person import Person, identity_key, same_address
from chalicelib.domain.requests.roster import MOST_ROWS, RosterRules, Row, read_rows
from chalicelib.domain.requests.schedule_input import time_zones
from chalicelib.ports.deps import Deps, Page
from chalicelib.services.people.me import new_person_id

#: People and keys in one save: a transaction has as many writes.
_AT_ONCE = 100
_PAGE = 500


@dataclass(frozen=True)
class Kept:
    """The numbers of rows that created a person, changed one, and changed nothing. `invited`: those who get a mail."""

    added: int
    changed: int
    same: int
    invited: int


def refuse_others(caller: Caller) -> None:
    """Raise NotYours for a caller who is not an administrator."""
    if not caller.is_admin:
        raise NotYours("Who is here is for administrators to say and to see.")


def keep_roster(deps: Deps, caller: Caller, rows: Sequence[tuple[str, Mapping[str, str]]], now: datetime) -> Kept:
    """Store every row, or none. Repeating a roster changes nothing. Raises NotYours, InvalidRequest, StaleLab."""
    refuse_others(caller)
    read, found = read_rows(rows, rules_for(deps, caller))
    if found:
        raise InvalidRequest(found, most=MOST_ROWS)

    def attempt() -> Kept | None:
        found_by = deps.people.people_of([one for row in read for one in row.identities])
        known = {identity_key(identity): person for identity, person in found_by.items()}
        plans = [_planned(row, known, now) for row in read]
        if wrong := [*(plan for plan in plans if isinstance(plan, Finding)), *_one_persons(read, known)]:
            raise InvalidRequest(wrong, most=MOST_ROWS)
        steps = [plan for plan in plans if isinstance(plan, RowChange)]
        return _count(steps) if _saved(deps, [step for step in steps if step.after != step.before]) else None

    return until_saved("The roster", attempt)


def rules_for(deps: Deps, caller: Caller) -> RosterRules:
    """The meaning of names in this installation's rosters."""
    return RosterRules(deps.watch.home, caller.arn.split(":")[1], time_zones())


def list_people(deps: Deps, caller: Caller, limit: int, cursor: str | None) -> Page[Person]:
    """Newest first. Raises NotYours, InvalidRequest on the cursor."""
    refuse_others(caller)
    return Page(*deps.people.list_people(limit, cursor))


def everybody(deps: Deps, caller: Caller) -> tuple[Person, ...]:
    """All of them, newest first, for an export. Raises NotYours."""
    refuse_others(caller)
    return tuple(_everybody(deps))


@dataclass(frozen=True)
class RowChange:
    """The change by one row: the person before, None for a new one, and after."""

    before: Person | None
    after: Person

    @property
    def size(self) -> int:
        """Its share of a save's writes."""
        return 1 + len(self.after.keys | (self.before.keys if self.before else frozenset()))


def _planned(row: Row, known: Mapping[str, Person], now: datetime) -> RowChange | Finding:
    """The change by a row; known people who have, or wait for, its address stay as they are until its reader presses."""
    holders = tuple({known[key].id: known[key] for key in row.keys if key in known}.values())
    free = tuple(one for one in row.identities if identity_key(one) not in known)
    if len(holders) == 1 and holders[0].address is None:
        named = (*holders[0].identities, *free)
        group = replace(holders[0], identities=named, proved=holders[0].proved and not free)
        return RowChange(holders[0], _told(group, row, now))
    others = [one for one in holders if not _may_be_at(one, row.address)]
    if others and len(holders) > 1:
        message = Sentence(
            "Its identities are two people's already. If one of them asks for the other's address, the mail joins them."
        )
        return error(f"{row.where}, identity", "identity-taken", message)
    if others:
        message = Sentence(
            "They confirmed {address}. They alone change it: `ekslab me --address`.", address=str(others[0].address)
        )
        return error(f"{row.where}, address", "address-confirmed", message)
    return (
        RowChange(None, _told(Person(new_person_id(), free, now), row, now))
        if free
        else RowChange(holders[0], holders[0])
    )


def _may_be_at(person: Person, address: str) -> bool:
    """Whether the address is the person's, or waits for its reader."""
    return same_address(person.address, address) or same_address(person.asked, address)


def _one_persons(rows: Sequence[Row], known: Mapping[str, Person]) -> Iterator[Finding]:
    """Rows about a person whom an earlier row names by another identity: a save changes each person once."""
    first: dict[str, str] = {}
    for row in rows:
        for person_id in sorted({known[key].id for key in row.keys if key in known}):
            before = first.setdefault(person_id, row.where)
            if before != row.where:
                message = Sentence(
                    "Its identity is one person's with that of {row}: keep one of the two rows, with all their identities.",
                    row=before,
                )
                yield error(f"{row.where}, identity", "identity-taken", message)


def _told(person: Person, row: Row, now: datetime) -> Person:
    """The person after a row; a mail is due for a new address."""
    told = replace(person, language=row.language or person.language, zone=row.zone or person.zone)
    return told if same_address(person.asked, row.address) else replace(told, asked=row.address, invite_at=now)


def _saved(deps: Deps, steps: Sequence[RowChange]) -> bool:
    """False if other writers came in between: saved people stay, and count as unchanged at the next try."""
    for some in _by_saves(steps):
        before = [step.before for step in some if step.before is not None]
        if not deps.people.save_people(before, [step.after for step in some]):
            return False
    return True


def _by_saves(steps: Iterable[RowChange]) -> Iterator[Sequence[RowChange]]:
    some: list[RowChange] = []
    for step in steps:
        if some and sum(each.size for each in (*some, step)) > _AT_ONCE:
            yield some
            some = []
        some.append(step)
    if some:
        yield some


def _count(steps: Sequence[RowChange]) -> Kept:
    added = sum(step.before is None for step in steps)
    same = sum(step.before == step.after for step in steps)
    invited = sum(step.after.invite_at is not None and step.after != step.before for step in steps)
    return Kept(added, len(steps) - added - same, same, invited)


def _everybody(deps: Deps) -> Iterator[Person]:
    cursor = None
    while True:
        page, cursor = deps.people.list_people(_PAGE, cursor)
        yield from page
        if cursor is None:
            return
