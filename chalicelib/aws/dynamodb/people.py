"""Stores people in DynamoDB. Implements the PersonStore port, which holds the promises.

| item         | pk                        | sk           | expires_at        |
|--------------|---------------------------|--------------|-------------------|
| person       | PERSON#<id>               | META         |                   |
| claim        | IDENTITY#<key>            | CLAIM        |                   |
| confirmation | CONFIRMATION#<digest>     | CONFIRMATION | a day to a month  |
| uses         | USES#<name>               | COUNT        | a day or two      |

A person is in the index `by_age` under PERSON, and in `due` under INVITE while a mail is due.
A claim names the person whose key it is and holds a copy of them, so that one read finds a person by a key. Every save
writes the person and all of their claims in one transaction: the copy is as true as the person's own item.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, thing_of
from chalicelib.aws.dynamodb.keys import BY_AGE, DUE, Item, key, number, stamp, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.aws.dynamodb.pages import Listing, all_items, items_of, one_page
from chalicelib.aws.dynamodb.transactions import ATTEMPTS, Reason, add_all, delete, put, transact
from chalicelib.domain.errors.tree import IdentityTaken, StaleLab
from chalicelib.domain.identity.confirmation import Confirmation
from chalicelib.domain.identity.person import Person, lookup_keys, person_named

PEOPLE, INVITE = "PERSON", "INVITE"


class DynamoPeople:
    """People in the table of this name. `home`: the account whose bare names are meant."""

    def __init__(self, client: Any, table: str, home: str) -> None:
        self._client, self._table, self._home = client, table, home

    def person_of(self, name: str) -> Person | None:
        """One batch."""
        return self.people_of([name]).get(name)

    def people_of(self, names: Sequence[str]) -> Mapping[str, Person]:
        """One batch for each hundred keys."""
        keys = [claim_key(key) for name in names for key in lookup_keys(name, self._home)]
        claims = {item["pk"]["S"].removeprefix("IDENTITY#"): item for item in items_of(self._client, self._table, keys)}
        owners = {key: str(claim["person_id"]["S"]) for key, claim in claims.items()}
        people = {person.id: person for person in map(person_in, claims.values())}
        named = {name: person_named(name, self._home, owners.get) for name in names}
        return {name: people[found] for name, found in named.items() if found is not None}

    def person(self, person_id: str) -> Person | None:
        """One read."""
        item = get(self._client, self._table, person_key(person_id))
        return None if item is None else person_in(item)

    def person_by_key(self, key: str) -> Person | None:
        """One read."""
        claim = get(self._client, self._table, claim_key(key))
        return None if claim is None else person_in(claim)

    def save_people(self, before: Sequence[Person], after: Sequence[Person]) -> bool:
        """One transaction. A write whose answer was lost is known by its own id."""
        write_id = secrets.token_hex(16)
        reasons = transact(self._client, people_operations(self._table, before, after, write_id), write_id)
        return not reasons or _settled(reasons, write_id, {person.id for person in before})

    def list_people(self, limit: int, cursor: str | None) -> tuple[tuple[Person, ...], str | None]:
        """By the index."""
        keys = ("pk", "sk", "everyone", "created")
        listing = Listing(
            "everyone = :all", {":all": text(PEOPLE)}, keys, {"everyone": PEOPLE}, BY_AGE, newest_first=True
        )
        items, more = one_page(self._client, self._table, listing, limit, cursor)
        return tuple(map(person_in, items)), more

    def to_invite(self, limit: int) -> tuple[Person, ...]:
        """From the sparse index; a person as they are now may have had their mail meanwhile."""
        listing = Listing("due_shard = :shard", {":shard": text(INVITE)}, (), {}, index=DUE)
        return tuple(map(person_in, all_items(self._client, self._table, listing, limit)))

    def confirmation(self, digest: str) -> Confirmation | None:
        """One item."""
        item = get(self._client, self._table, _confirmation_key(digest))
        return None if item is None else thing_of(Confirmation, item)

    def change_confirmation(self, digest: str, change: Callable[[Confirmation | None], Confirmation]) -> Confirmation:
        """Load, change, save, again when beaten to it. Raises StaleLab."""
        for _ in range(ATTEMPTS):
            kept = self.confirmation(digest)
            changed = change(kept)
            if changed == kept:
                return changed
            changed = replace(changed, version=(kept.version if kept else 0) + 1)
            write_id = secrets.token_hex(16)
            reasons = transact(
                self._client, [_put_confirmation(self._table, digest, kept, changed, write_id)], write_id
            )
            if not reasons or reasons[0].item.get("write_id") == text(write_id):
                return changed
        raise StaleLab(f"A confirmation was saved by others {ATTEMPTS} times in a row.")

    def forget_confirmation(self, digest: str) -> None:
        """One item."""
        with translate("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=_confirmation_key(digest))

    def spend(self, name: str, most: int, until: datetime) -> bool:
        """A counter of its own item."""
        counter = key(f"USES#{name}", "COUNT")
        update = add_all(self._table, counter, {"uses": 1}, ("uses", most), int(until.timestamp()))
        return not transact(self._client, [update], secrets.token_hex(16))


def people_operations(table: str, before: Sequence[Person], after: Sequence[Person], write_id: str) -> list[Item]:
    """What a save writes: people, and the keys that they win and lose."""
    versions = {person.id: person.version for person in before}
    saved = [replace(person, version=versions.get(person.id, 0) + 1) for person in after]
    operations = [_put_person(table, person, versions.get(person.id), write_id) for person in saved]
    gone = [person for person in before if person.id not in {one.id for one in after}]
    operations += [delete(table, person_key(one.id), "version = :seen", _seen(one.version)) for one in gone]
    had = {key: person.id for person in before for key in person.keys}
    have = {key: person for person in saved for key in person.keys}
    operations += [_claim(table, key, have[key], had.get(key)) for key in sorted(have)]
    lost = sorted(set(had) - set(have))
    return [*operations, *(_release(table, key, had[key]) for key in lost)]


def person_key(person_id: str) -> Item:
    """The person."""
    return key(f"PERSON#{person_id}", "META")


def claim_key(named: str) -> Item:
    """Whose a key is."""
    return key(f"IDENTITY#{named}", "CLAIM")


def person_in(item: Item) -> Person:
    """The person of their own item, or of one of their claims."""
    return thing_of(Person, item)


def _put_person(table: str, person: Person, seen: int | None, write_id: str) -> Item:
    item = {
        **person_key(person.id),
        "schema": number(SCHEMA),
        "body": text(body_of(person)),
        "version": number(person.version),
        "write_id": text(write_id),
        "everyone": text(PEOPLE),
        "created": text(f"{stamp(person.since)}#{person.id}"),
    }
    if person.invite_at is not None:
        item |= {"due_shard": text(INVITE), "due_at": text(stamp(person.invite_at))}
    if seen is None:
        return put(table, item, "attribute_not_exists(pk)")
    return put(table, item, "version = :seen", _seen(seen))


def _put_confirmation(table: str, digest: str, kept: Confirmation | None, changed: Confirmation, write_id: str) -> Item:
    item = {
        **_confirmation_key(digest),
        "schema": number(SCHEMA),
        "body": text(body_of(changed)),
        "version": number(changed.version),
        "write_id": text(write_id),
        "expires_at": number(int(changed.forgotten_at.timestamp())),
    }
    if kept is None:
        return put(table, item, "attribute_not_exists(pk)")
    return put(table, item, "version = :seen", _seen(kept.version))


def _confirmation_key(digest: str) -> Item:
    return key(f"CONFIRMATION#{digest}", "CONFIRMATION")


def _seen(version: int) -> Item:
    return {":seen": number(version)}


def _claim(table: str, key: str, person: Person, had: str | None) -> Item:
    """Of nobody, or of the one in `before` whose it was."""
    copy = {"person_id": text(person.id), "schema": number(SCHEMA), "body": text(body_of(person))}
    free = "attribute_not_exists(pk) OR person_id = :had"
    return put(table, {**claim_key(key), **copy}, free, {":had": text(had or person.id)})


def _release(table: str, key: str, person_id: str) -> Item:
    mine = "attribute_not_exists(pk) OR person_id = :had"
    return delete(table, claim_key(key), mine, {":had": text(person_id)})


def _settled(reasons: Sequence[Reason], write_id: str, known: set[str]) -> bool:
    """Whether it was written after all. Raises IdentityTaken if somebody holds a key who was not meant."""
    refused = [reason.item for reason in reasons if reason.refused]
    if any(item.get("write_id") == text(write_id) for item in refused):
        return True
    taken = [item for item in refused if "person_id" in item and item["person_id"]["S"] not in known]
    if taken:
        raise IdentityTaken(taken[0]["pk"]["S"].removeprefix("IDENTITY#"))
    return False
