"""Stores watched clusters, registered accounts, read failures and notices in DynamoDB.

Implements the FleetStore port, which documents the guarantees. Same table as labs; `keys.py` has the keys. A notice is written
once as decided: its body never changes. The outcome stands beside it, so that marking is a conditional update without a read,
and repeating it changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.aws.dynamodb.codec import dumps, item_of, read_body, thing_of
from chalicelib.aws.dynamodb.keys import Item, number, stamp, text
from chalicelib.aws.dynamodb.pages import everyone, partition, shard
from chalicelib.aws.dynamodb.support.keys import (
    FLEET,
    NOTICES,
    REGISTRY,
    TROUBLES,
    between,
    notice_index_values,
    notice_key,
    notices_prefix,
    place_pk,
    registration_key,
    trouble_key,
    watched_index_values,
    watched_key,
)
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import NEW, is_written, put
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.saving import ATTEMPTS, until_saved
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.notices.notice import Notice, NoticeState
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.watched import Watched

Change = Callable[[Watched | None], Watched | None]
#: The most operations of one transaction, and the most bytes, of the 4 MB allowed.
_MOST, _MOST_BYTES = 100, 3_000_000


class DynamoFleetStore(InTable):
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

    def add_notices(self, notices: Iterable[Notice]) -> None:
        """Write the new ones. Raises AwsUnavailable when too busy."""
        new: dict[tuple[ClusterKey, str], Notice] = {}
        for notice in notices:
            new.setdefault((notice.key, notice.id), notice)
        self._write([put(_item(notice), NEW) for notice in new.values()])

    def notices_of(self, key: ClusterKey) -> tuple[Notice, ...]:
        return self._of(Place(key.account, key.region), notices_prefix(key.name))

    def notices_in(self, place: Place) -> Mapping[ClusterKey, tuple[Notice, ...]]:
        """Strongly consistent, each cluster's oldest first."""
        found: dict[ClusterKey, tuple[Notice, ...]] = {}
        for notice in self._of(place, "NOTICE#"):
            found[notice.key] = (*found.get(notice.key, ()), notice)
        return found

    def pending_notices(self, limit: int) -> tuple[Notice, ...]:
        return tuple(map(_notice, self._table.items(shard(NOTICES), limit)))

    def list_notices(self, limit: int, cursor: str | None) -> tuple[tuple[Notice, ...], str | None]:
        """Newest decision first. Raises InvalidRequest on `cursor`."""
        items, more = self._table.page(everyone(NOTICES), limit, cursor)
        return tuple(map(_notice, items)), more

    def mark_sent(self, ids: Sequence[tuple[ClusterKey, str]], message_id: str, sent_at: datetime) -> None:
        """A marked or missing row is unchanged."""
        expression = "SET message_id = :id, sent_at = :at REMOVE due_shard, due_at"
        values = {":id": text(message_id), ":at": text(stamp(sent_at))}
        self._write([_mark(each, expression, values) for each in dict.fromkeys(ids)])

    def mark_unheard(self, ids: Sequence[tuple[ClusterKey, str]], why: str) -> None:
        """A sent or missing row is unchanged."""
        self._write([_mark(each, "SET unheard = :why", {":why": text(why)}) for each in dict.fromkeys(ids)])

    def mark_bounced(self, notices: Sequence[Notice], message_id: str, why: str) -> None:
        """A row of another message, or a missing one, is unchanged."""
        expression = "SET unheard = :why, due_shard = :shard, due_at = :due REMOVE message_id, sent_at"
        marks = {}
        for notice in notices:
            index, row = notice_index_values(notice), (notice.key, notice.id)
            values = {":why": text(why), ":shard": index["due_shard"], ":due": index["due_at"], ":id": text(message_id)}
            marks[row] = _mark(row, expression, values, "message_id = :id")
        self._write(list(marks.values()))

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
            some[name] = put(item, "version = :seen" if stored else NEW, seen)
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

    def _of(self, place: Place, prefix: str) -> tuple[Notice, ...]:
        listing = partition(place_pk(place.account, place.region), prefix)
        found = map(_notice, self._table.items(listing))
        return tuple(sorted(found, key=lambda notice: (notice.decided_at, notice.id)))

    def _write(self, operations: Sequence[Item]) -> None:
        for start in range(0, len(operations), _MOST):
            self._write_some(operations[start : start + _MOST])

    def _write_some(self, operations: Sequence[Item]) -> None:
        """Write the changes whose conditions hold; a failed condition does not stop the others."""
        for _ in range(ATTEMPTS):
            reasons = self._table.transact(operations)
            operations = [each for each, reason in zip(operations, reasons, strict=False) if not reason.refused]
            if not operations:
                return
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to store the notices.")


def _mark(
    row: tuple[ClusterKey, str], expression: str, values: Item, condition: str = "attribute_exists(due_shard)"
) -> Item:
    return {
        "Update": {
            "Key": notice_key(*row),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
    }


def _item(notice: Notice) -> Item:
    return item_of(notice_key(notice.key, notice.id), notice, **notice_index_values(notice))


def _notice(item: Item) -> Notice:
    decided = thing_of(Notice, item)
    if "unheard" in item:
        decided = replace(decided, state=NoticeState.UNHEARD, unheard=item["unheard"]["S"])
    if "message_id" not in item:
        return decided
    sent_at = datetime.fromisoformat(item["sent_at"]["S"])
    return replace(decided, state=NoticeState.SENT, message_id=item["message_id"]["S"], sent_at=sent_at)


def _watched_item(watched: Watched) -> Item:
    version, index = number(watched.version), watched_index_values(watched)
    return item_of(watched_key(watched.cluster.key), watched, version=version, **index)
