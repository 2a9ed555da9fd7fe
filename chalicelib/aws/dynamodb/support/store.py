"""Stores watched clusters, registered accounts and read failures in DynamoDB; notices are in `notices.py`.

Implements the FleetStore port, which holds the promises. Same table as labs; `keys.py` says where everything lies.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, read_body, thing_of
from chalicelib.aws.dynamodb.keys import Item, number, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.aws.dynamodb.pages import all_items, one_page
from chalicelib.aws.dynamodb.support.keys import (
    FLEET,
    REGISTRY,
    TROUBLES,
    partition,
    place_pk,
    registration_key,
    to_come,
    trouble_key,
    watched_index_values,
    watched_key,
)
from chalicelib.aws.dynamodb.support.notices import DynamoNotices
from chalicelib.aws.dynamodb.transactions import put, transact, until_saved
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.watched import Watched


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

    def change_watched(self, key: ClusterKey, change: Callable[[Watched | None], Watched | None]) -> Watched | None:
        """Raises StaleLab."""

        def attempt() -> tuple[Watched | None] | None:
            stored = self.watched(key)
            changed = change(stored)
            if changed is None or changed == stored:
                return (stored,)
            changed = replace(changed, version=(stored.version if stored else 0) + 1)
            return (changed,) if self._save(key, stored, changed) else None

        return until_saved(str(key), attempt)[0]

    def list_watched(self, limit: int, cursor: str | None) -> tuple[tuple[Watched, ...], str | None]:
        """From an index that follows the table within moments. Raises InvalidRequest on `cursor`."""
        items, more = one_page(self._client, self._table, to_come(FLEET), limit, cursor)
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

    def _save(self, key: ClusterKey, stored: Watched | None, changed: Watched) -> bool:
        """Save it; False when someone else was first. A write whose answer was lost is known by its own id."""
        write_id = secrets.token_hex(16)
        item = {**_item(watched_key(key), changed), **watched_index_values(changed)}
        item |= {"version": number(changed.version), "write_id": text(write_id)}
        seen = {":seen": number(stored.version)} if stored else None
        condition = "version = :seen" if stored else "attribute_not_exists(pk)"
        reasons = transact(self._client, [put(self._table, item, condition, seen)], write_id)
        if not reasons:
            return True
        return reasons[0].refused and reasons[0].item.get("write_id") == text(write_id)

    def _put(self, item: Item) -> None:
        with translate("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def _delete(self, key: Item) -> None:
        with translate("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=key)


def _item(keys: Item, thing: object) -> Item:
    return {**keys, "schema": number(SCHEMA), "body": text(body_of(thing))}
