"""People in memory: DynamoDB's guarantees with two dictionaries."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.saving import changed_record
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.identity.confirmation import Confirmation
from chalicelib.domain.identity.person import Person, person_named
from tests.fakes.account import Account, port


@dataclass
class FakePeople:
    """Implements the PersonStore port."""

    account: Account
    people: dict[str, Person] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    confirmations: dict[str, Confirmation] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    port_name: str = "people"

    @port
    def people_of(self, names: Sequence[str]) -> Mapping[str, Person]:
        return {name: person for name in names if (person := self._named(name)) is not None}

    @port
    def person_by_key(self, key: str) -> Person | None:
        return self.people.get(self.claims.get(key, ""))

    @port
    def person(self, person_id: str) -> Person | None:
        return self.people.get(person_id)

    @port
    def save_people(self, before: Sequence[Person], after: Sequence[Person]) -> bool:
        if any(self.people.get(one.id, replace(one, version=-1)).version != one.version for one in before):
            return False
        known = {one.id for one in before}
        if any(one.id in self.people for one in after if one.id not in known):
            return False
        for one in after:
            for key in sorted(one.keys):
                if self.claims.get(key, one.id) not in known | {one.id}:
                    return False
        self.claims = {key: of for key, of in self.claims.items() if of not in known}
        self.people = {of: person for of, person in self.people.items() if of not in known}
        versions = {one.id: one.version for one in before}
        for one in after:
            self.people[one.id] = replace(one, version=versions.get(one.id, 0) + 1)
            self.claims |= dict.fromkeys(one.keys, one.id)
        return True

    @port
    def change_person(self, person_id: str, change: Callable[[Person], Person]) -> Person | None:
        """Calls the other two methods, so that somebody else may act in between."""

        def save(changed: Person, stored: Person) -> Person | None:
            return self.people[person_id] if self.save_people([stored], [changed]) else None

        return changed_record(person_id, lambda: self.person(person_id), change, save)

    @port
    def list_people(self, limit: int, cursor: str | None) -> tuple[tuple[Person, ...], str | None]:
        found = sorted(self.people.values(), key=lambda one: (one.since, one.id), reverse=True)
        begin = _read(cursor) if cursor else 0
        return tuple(found[begin : begin + limit]), _cursor(begin + limit) if len(found) > begin + limit else None

    @port
    def to_invite(self, limit: int) -> tuple[Person, ...]:
        due = [(one.invite_at, one.id, one) for one in self.people.values() if one.invite_at is not None]
        return tuple(one for _, _, one in sorted(due, key=lambda row: row[:2])[:limit])

    @port
    def confirmation(self, digest: str) -> Confirmation | None:
        return self.confirmations.get(digest)

    @port
    def change_confirmation(self, digest: str, change: Callable[[Confirmation | None], Confirmation]) -> Confirmation:
        kept = self.confirmations.get(digest)
        changed = change(kept)
        if changed != kept:
            self.confirmations[digest] = replace(changed, version=(kept.version if kept else 0) + 1)
        return self.confirmations[digest]

    @port
    def forget_confirmation(self, digest: str) -> None:
        self.confirmations.pop(digest, None)

    @port
    def spend(self, name: str, most: int, until: datetime) -> bool:
        if self.uses.get(name, 0) >= most:
            return False
        self.uses[name] = self.uses.get(name, 0) + 1
        return True

    def _named(self, name: str) -> Person | None:
        found = person_named(name, self.account.id, self.claims.get)
        return None if found is None else self.people[found]


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _read(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except ValueError as problem:
        raise InvalidRequest(
            [error("cursor", "bad-cursor", "This cursor is not one that this list gave out.")]
        ) from problem
