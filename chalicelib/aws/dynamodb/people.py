"""Stores people in DynamoDB. Implements the PersonStore port, which documents the guarantees.

| item         | pk                        | sk           | expires_at        |
|--------------|---------------------------|--------------|-------------------|
| person       | PERSON#<id>               | META         |                   |
| claim        | IDENTITY#<key>            | CLAIM        |                   |
| confirmation | CONFIRMATION#<digest>     | CONFIRMATION | a day to a month  |
| uses         | USES#<name>               | COUNT        | a day or two      |

A person is in the index `by_age` under PERSON, and in `due` under INVITE while a mail is due.
A claim names the person with the key and holds a copy of them, so that one read finds a person by a key. Every save
writes the person and all of their claims in one transaction: the copy is as current as the person's own item.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.dynamodb.codec import item_of, thing_of
from chalicelib.aws.dynamodb.keys import Item, expiry, key, number, stamp, text
from chalicelib.aws.dynamodb.pages import everyone, shard
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import NEW, add_all, delete, is_written, put
from chalicelib.domain.errors.saving import changed_record, until_saved
from chalicelib.domain.identity.confirmation import Confirmation
from chalicelib.domain.identity.person import Person, lookup_keys, person_named

PEOPLE, INVITE = "PERSON", "INVITE"


class DynamoPeople(InTable):
    """People in the table of this name. `home`: the account of bare names."""

    def __init__(self, client: Any, table: str, home: str) -> None:
        super().__init__(client, table)
        self._home = home

    def people_of(self, names: Sequence[str]) -> Mapping[str, Person]:
        keys = [claim_key(key) for name in names for key in lookup_keys(name, self._home)]
        claims = {item["pk"]["S"].removeprefix("IDENTITY#"): item for item in self._table.items_of(keys)}
        owners = {key: str(claim["person_id"]["S"]) for key, claim in claims.items()}
        people = {person.id: person for person in map(person_in, claims.values())}
        named = {name: person_named(name, self._home, owners.get) for name in names}
        return {name: people[found] for name, found in named.items() if found is not None}

    def person(self, person_id: str) -> Person | None:
        return self._table.load(Person, person_key(person_id))

    def person_by_key(self, key: str) -> Person | None:
        return self._table.load(Person, claim_key(key))

    def save_people(self, before: Sequence[Person], after: Sequence[Person]) -> bool:
        """One transaction. A write whose answer was lost is recognised by its id."""
        write_id = secrets.token_hex(16)
        return is_written(self._table.transact(people_operations(before, after, write_id), write_id), write_id)

    def change_person(self, person_id: str, change: Callable[[Person], Person]) -> Person | None:
        return changed_record(person_id, lambda: self.person(person_id), change, self._save)

    def list_people(self, limit: int, cursor: str | None) -> tuple[tuple[Person, ...], str | None]:
        items, more = self._table.page(everyone(PEOPLE), limit, cursor)
        return tuple(map(person_in, items)), more

    def to_invite(self, limit: int) -> tuple[Person, ...]:
        """From the sparse index; a person's mail may have been sent meanwhile."""
        return tuple(self._table.things(Person, shard(INVITE), limit))

    def confirmation(self, digest: str) -> Confirmation | None:
        return self._table.load(Confirmation, _confirmation_key(digest))

    def change_confirmation(self, digest: str, change: Callable[[Confirmation | None], Confirmation]) -> Confirmation:
        """Load, change, save, repeat if another writer was first. Raises StaleLab."""

        def attempt() -> Confirmation | None:
            kept, write_id = self.confirmation(digest), secrets.token_hex(16)
            changed = change(kept)
            if changed == kept:
                return changed
            changed = replace(changed, version=(kept.version if kept else 0) + 1)
            item = item_of(_confirmation_key(digest), changed, expires_at=expiry(changed.forgotten_at))
            reasons = self._table.transact([_put_version(item, kept, changed, write_id)], write_id)
            return changed if is_written(reasons, write_id) else None

        return until_saved("A confirmation", attempt)

    def forget_confirmation(self, digest: str) -> None:
        self._table.delete(_confirmation_key(digest))

    def spend(self, name: str, most: int, until: datetime) -> bool:
        counter = key(f"USES#{name}", "COUNT")
        update = add_all(counter, {"uses": 1}, ("uses", most), until)
        return not self._table.transact([update])

    def _save(self, changed: Person, stored: Person) -> Person | None:
        return replace(changed, version=stored.version + 1) if self.save_people([stored], [changed]) else None


def people_operations(before: Sequence[Person], after: Sequence[Person], write_id: str) -> list[Item]:
    """The operations of a save: people, and the keys that they gain and lose."""
    known = {person.id: person for person in before}
    saved = [replace(person, version=known[person.id].version + 1 if person.id in known else 1) for person in after]
    operations = [_put_person(person, known.get(person.id), write_id) for person in saved]
    gone = [person for person in before if person.id not in {one.id for one in after}]
    operations += [delete(person_key(one.id), "version = :seen", _seen(one.version)) for one in gone]
    had = {key: person.id for person in before for key in person.keys}
    have = {key: person for person in saved for key in person.keys}
    operations += [_claim(key, have[key], had.get(key)) for key in sorted(have)]
    lost = sorted(set(had) - set(have))
    return [*operations, *(_release(key, had[key]) for key in lost)]


def person_key(person_id: str) -> Item:
    """The person's own item."""
    return key(f"PERSON#{person_id}", "META")


def claim_key(named: str) -> Item:
    """The item of a key."""
    return key(f"IDENTITY#{named}", "CLAIM")


def person_in(item: Item) -> Person:
    """The person in their own item, or in one of their claims."""
    return thing_of(Person, item)


def _put_person(person: Person, before: Person | None, write_id: str) -> Item:
    index = {"everyone": text(PEOPLE), "created": text(f"{stamp(person.since)}#{person.id}")}
    if person.invite_at is not None:
        index |= {"due_shard": text(INVITE), "due_at": text(stamp(person.invite_at))}
    return _put_version(item_of(person_key(person.id), person, **index), before, person, write_id)


def _put_version(item: Item, before: Person | Confirmation | None, after: Person | Confirmation, write_id: str) -> Item:
    """Replace the version that was read; `write_id` marks this write."""
    item = {**item, "version": number(after.version), "write_id": text(write_id)}
    if before is None:
        return put(item, NEW)
    return put(item, "version = :seen", _seen(before.version))


def _confirmation_key(digest: str) -> Item:
    return key(f"CONFIRMATION#{digest}", "CONFIRMATION")


def _seen(version: int) -> Item:
    return {":seen": number(version)}


def _claim(key: str, person: Person, had: str | None) -> Item:
    """The claim with its copy; the condition: the key belongs to no person, or to the one in `before` who had it."""
    item = item_of(claim_key(key), person, person_id=text(person.id))
    free = "attribute_not_exists(pk) OR person_id = :had"
    return put(item, free, {":had": text(had or person.id)})


def _release(key: str, person_id: str) -> Item:
    mine = "attribute_not_exists(pk) OR person_id = :had"
    return delete(claim_key(key), mine, {":had": text(person_id)})
