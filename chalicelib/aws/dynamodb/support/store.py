"""Stores watched clusters, registered accounts and read failures in DynamoDB; notices are in `notices.py`.

Implements the FleetStore port, which documents the guarantees. Same table as labs; `keys.py` has the keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.aws.dynamodb.codec import dumps, item_of, read_body, thing_of
from chalicelib.aws.dynamodb.keys import Item, number, text
from chalicelib.aws.dynamodb.pages import partition, shard
from chalicelib.aws.dynamodb.support.keys import (
    FLEET,
    REGISTRY,
    TROUBLES,
    between,
    place_pk,
    registration_key,
    trouble_key,
    watched_index_values,
    watched_key,
)
from chalicelib.aws.dynamodb.support.notices import DynamoNotices
from chalicelib.aws.dynamodb.transactions import ATTEMPTS, is_written, put, until_saved
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.watched import Watched

Change = Callable[[Watched | None], Watched | None]
#: The most items of one transaction, and the most bytes, of the 4 MB allowed.
_MOST, _MOST_BYTES = 100, 3_000_000


class DynamoFleetStore(DynamoNotices):
    """The fleet in the table of this name."""

    def registrations(self) -> tuple[Registration, ...]:
        """All registered accounts, by number."""
        return tuple(self._table.things(Registration, partition(REGISTRY, "ACCOUNT#")))

    def register(self, registration: Registration) -> None:
        self._table.put(item_of(registration_key(registration.account), registration))

    def unregister(self, account: str) -> None:
        self._table.delete(registration_key(account))

    def watched(self, key: ClusterKey) -> Watched | None:
        return self._table.load(Watched, watched_key(key))

    def watched_of(self, keys: Iterable[ClusterKey]) -> Mapping[ClusterKey, Watched]:
        found = self._table.items_of([watched_key(key) for key in keys])
        return {one.cluster.key: one for one in (thing_of(Watched, item) for item in found)}

    def change_watched(self, key: ClusterKey, change: Change) -> Watched | None:
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
        """From an index that lags by moments. Raises InvalidRequest on `cursor`."""
        items, more = self._table.page(replace(shard(FLEET), shown=("body",)), limit, cursor)
        return tuple(thing_of(Watched, item) for item in items), more

    def watched_in(self, place: Place) -> tuple[Watched, ...]:
        return tuple(self._table.things(Watched, partition(place_pk(place.account, place.region), "CLUSTER#")))

    def place_trouble(self, place: Place) -> ReadFailure | None:
        return self._table.load(ReadFailure, trouble_key(place))

    def set_place_trouble(self, place: Place, trouble: ReadFailure | None) -> None:
        """Write, overwrite or delete."""
        if trouble is None:
            self._table.delete(trouble_key(place))
        else:
            self._table.put(item_of(trouble_key(place), trouble, place=text(dumps(place))))

    def place_troubles(self) -> Mapping[Place, ReadFailure]:
        found = self._table.items(partition(TROUBLES, "PLACE#"))
        return {read_body(Place, item["place"]["S"]): thing_of(ReadFailure, item) for item in found}

    def _stored(self, keys: Sequence[ClusterKey]) -> Mapping[str, Watched]:
        """By name. Names that EKS lists in a row are adjacent in the table: one query reads many."""
        if len(keys) < 2:
            found = ((key.name, self.watched(key)) for key in keys)
            return {name: one for name, one in found if one is not None}
        names = {key.name for key in keys}
        every = self._table.things(Watched, between(keys))
        return {one.cluster.key.name: one for one in every if one.cluster.key.name in names}

    def _save(self, saves: Mapping[str, tuple[Watched | None, Watched]]) -> set[str]:
        """The saved names; other writers were first with the rest."""
        saved, some, size = set[str](), dict[str, Item](), 0
        for name, (stored, changed) in saves.items():
            item = _watched_item(changed)
            length = len(item["body"]["S"].encode())
            if some and (len(some) == _MOST or size + length > _MOST_BYTES):
                saved, some, size = saved | self._save_some(some), {}, 0
            seen = {":seen": number(stored.version)} if stored else None
            some[name] = put(item, "version = :seen" if stored else "attribute_not_exists(pk)", seen)
            size += length
        return saved | self._save_some(some)

    def _save_some(self, puts: Mapping[str, Item]) -> set[str]:
        """Save in one transaction, without conflicting items in the next. A save whose answer was lost is recognised by its id."""
        left = dict(puts)
        for _ in range(ATTEMPTS if left else 0):
            write_id = secrets.token_hex(16)
            for each in left.values():
                each["Put"]["Item"]["write_id"] = text(write_id)
            reasons = self._table.transact(list(left.values()), write_id)
            if is_written(reasons, write_id):
                return set(left)
            left = {
                name: each for (name, each), reason in zip(left.items(), reasons, strict=False) if not reason.refused
            }
            if not left:
                break
        return set()


def _watched_item(watched: Watched) -> Item:
    version, index = number(watched.version), watched_index_values(watched)
    return item_of(watched_key(watched.cluster.key), watched, version=version, **index)
