"""Stores watched clusters, registered accounts and read failures in DynamoDB; notices are in `notices.py`.

Implements the FleetStore port, which holds the promises. Same table as labs; `keys.py` says where everything lies.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, read_body, thing_of
from chalicelib.aws.dynamodb.keys import Item, number, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.aws.dynamodb.pages import all_items, items_of, one_page
from chalicelib.aws.dynamodb.support.keys import (
    FLEET,
    REGISTRY,
    TROUBLES,
    between,
    partition,
    place_pk,
    registration_key,
    to_come,
    trouble_key,
    watched_index_values,
    watched_key,
)
from chalicelib.aws.dynamodb.support.notices import DynamoNotices
from chalicelib.aws.dynamodb.transactions import ATTEMPTS, put, transact, until_saved
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.watched import Watched

Change = Callable[[Watched | None], Watched | None]
#: What one transaction may carry: items, and bytes of them, of 4 MB that are allowed.
_MOST, _MOST_BYTES = 100, 3_000_000


class DynamoFleetStore(DynamoNotices):
    """The fleet in the table of this name."""

    def registrations(self) -> tuple[Registration, ...]:
        """All registered accounts, by number."""
        found = all_items(self._client, self._table, partition(REGISTRY, "ACCOUNT#"))
        return tuple(thing_of(Registration, item) for item in found)

    def register(self, registration: Registration) -> None:
        """Write or overwrite."""
        self._put(_item(registration_key(registration.account), registration))

    def unregister(self, account: str) -> None:
        """Absent is fine."""
        self._delete(registration_key(account))

    def watched(self, key: ClusterKey) -> Watched | None:
        """Strongly consistent."""
        item = get(self._client, self._table, watched_key(key))
        return None if item is None else thing_of(Watched, item)

    def watched_of(self, keys: Iterable[ClusterKey]) -> Mapping[ClusterKey, Watched]:
        """Strongly consistent, a hundred at a time."""
        found = items_of(self._client, self._table, [watched_key(key) for key in keys])
        return {one.cluster.key: one for one in (thing_of(Watched, item) for item in found)}

    def change_watched(self, key: ClusterKey, change: Change) -> Watched | None:
        """Raises StaleLab."""
        return self.change_place(Place(key.account, key.region), {key.name: change})[key.name]

    def change_place(self, place: Place, changes: Mapping[str, Change]) -> Mapping[str, Watched | None]:
        """Raises StaleLab."""
        done: dict[str, Watched | None] = {}
        left = dict(changes)

        def attempt() -> Mapping[str, Watched | None] | None:
            nonlocal left
            stored = self._stored([ClusterKey(place.account, place.region, name) for name in left])
            saves = {}
            for name, change in left.items():
                before = done[name] = stored.get(name)
                after = change(before)
                if after is not None and after != before:
                    saves[name] = before, replace(after, version=(before.version if before else 0) + 1)
            saved = self._save(saves)
            done.update({name: saves[name][1] for name in saved})
            left = {name: left[name] for name in saves if name not in saved}
            return None if left else done

        return until_saved(str(place), attempt)

    def list_watched(self, limit: int, cursor: str | None) -> tuple[tuple[Watched, ...], str | None]:
        """From an index that follows the table within moments. Raises InvalidRequest on `cursor`."""
        items, more = one_page(self._client, self._table, to_come(FLEET, "body"), limit, cursor)
        return tuple(thing_of(Watched, item) for item in items), more

    def watched_in(self, place: Place) -> tuple[Watched, ...]:
        """Strongly consistent, by name."""
        listing = partition(place_pk(place.account, place.region), "CLUSTER#")
        return tuple(thing_of(Watched, item) for item in all_items(self._client, self._table, listing))

    def place_trouble(self, place: Place) -> ReadFailure | None:
        """Strongly consistent."""
        item = get(self._client, self._table, trouble_key(place))
        return None if item is None else thing_of(ReadFailure, item)

    def set_place_trouble(self, place: Place, trouble: ReadFailure | None) -> None:
        """Write, overwrite or forget."""
        if trouble is None:
            self._delete(trouble_key(place))
        else:
            self._put({**_item(trouble_key(place), trouble), "place": text(body_of(place))})

    def place_troubles(self) -> Mapping[Place, ReadFailure]:
        """By account and region."""
        found = all_items(self._client, self._table, partition(TROUBLES, "PLACE#"))
        return {read_body(Place, item["place"]["S"]): thing_of(ReadFailure, item) for item in found}

    def _stored(self, keys: Sequence[ClusterKey]) -> Mapping[str, Watched]:
        """By name. Names that EKS lists one after another lie together in the table: many are one query."""
        if len(keys) < 2:
            found = ((key.name, self.watched(key)) for key in keys)
            return {name: one for name, one in found if one is not None}
        names = {key.name for key in keys}
        every = (thing_of(Watched, item) for item in all_items(self._client, self._table, between(keys)))
        return {one.cluster.key.name: one for one in every if one.cluster.key.name in names}

    def _save(self, saves: Mapping[str, tuple[Watched | None, Watched]]) -> set[str]:
        """The names that are saved; someone else was first with the others."""
        saved, some, size = set[str](), dict[str, Item](), 0
        for name, (stored, changed) in saves.items():
            item = _watched_item(changed)
            length = len(item["body"]["S"].encode())
            if some and (len(some) == _MOST or size + length > _MOST_BYTES):
                saved, some, size = saved | self._save_some(some), {}, 0
            seen = {":seen": number(stored.version)} if stored else None
            some[name] = put(self._table, item, "version = :seen" if stored else "attribute_not_exists(pk)", seen)
            size += length
        return saved | self._save_some(some)

    def _save_some(self, puts: Mapping[str, Item]) -> set[str]:
        """In one transaction, and without the overtaken in the next. One whose answer was lost is known by its own id."""
        left = dict(puts)
        for _ in range(ATTEMPTS if left else 0):
            write_id = secrets.token_hex(16)
            for each in left.values():
                each["Put"]["Item"]["write_id"] = text(write_id)
            reasons = transact(self._client, list(left.values()), write_id)
            if not reasons or any(reason.item.get("write_id") == text(write_id) for reason in reasons):
                return set(left)
            left = {
                name: each for (name, each), reason in zip(left.items(), reasons, strict=False) if not reason.refused
            }
            if not left:
                break
        return set()

    def _put(self, item: Item) -> None:
        with translate("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def _delete(self, key: Item) -> None:
        with translate("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=key)


def _watched_item(watched: Watched) -> Item:
    item = {**_item(watched_key(watched.cluster.key), watched), **watched_index_values(watched)}
    return {**item, "version": number(watched.version)}


def _item(keys: Item, thing: object) -> Item:
    return {**keys, "schema": number(SCHEMA), "body": text(body_of(thing))}
