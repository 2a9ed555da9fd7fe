"""The fleet's store in memory: DynamoDB's guarantees with simple dictionaries."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.notices.notice import Notice, NoticeState
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.watched import Watched
from tests.fakes.account import Account, port

Item = TypeVar("Item")
_NEVER, _FIRST = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)


@dataclass
class FakeFleetStore:
    """Implements the FleetStore port."""

    account: Account
    registry: dict[str, Registration] = field(default_factory=dict)
    kept: dict[ClusterKey, Watched] = field(default_factory=dict)
    notices: dict[tuple[ClusterKey, str], Notice] = field(default_factory=dict)
    troubles: dict[tuple[str, str], tuple[Place, ReadFailure]] = field(default_factory=dict)
    port_name: str = "fleet_store"

    @port
    def registrations(self) -> tuple[Registration, ...]:
        return tuple(self.registry[account] for account in sorted(self.registry))

    @port
    def register(self, registration: Registration) -> None:
        self.registry[registration.account] = registration

    @port
    def unregister(self, account: str) -> None:
        self.registry.pop(account, None)

    @port
    def watched(self, key: ClusterKey) -> Watched | None:
        return self.kept.get(key)

    @port
    def watched_of(self, keys: Iterable[ClusterKey]) -> Mapping[ClusterKey, Watched]:
        return {key: self.kept[key] for key in keys if key in self.kept}

    @port
    def change_watched(self, key: ClusterKey, change: Callable[[Watched | None], Watched | None]) -> Watched | None:
        return self._changed(key, change)

    @port
    def change_place(
        self, place: Place, changes: Mapping[str, Callable[[Watched | None], Watched | None]]
    ) -> Mapping[str, Watched | None]:
        keys = {name: ClusterKey(place.account, place.region, name) for name in changes}
        return {name: self._changed(keys[name], change) for name, change in changes.items()}

    def _changed(self, key: ClusterKey, change: Callable[[Watched | None], Watched | None]) -> Watched | None:
        stored = self.kept.get(key)
        changed = change(stored)
        if changed is None or changed == stored:
            return stored
        self.kept[key] = replace(changed, version=(stored.version if stored else 0) + 1)
        return self.kept[key]

    @port
    def list_watched(self, limit: int, cursor: str | None) -> tuple[tuple[Watched, ...], str | None]:
        alive = [watched for watched in self.kept.values() if watched.gone_at is None]
        return _page(sorted(alive, key=_comes_first), limit, cursor)

    @port
    def watched_in(self, place: Place) -> tuple[Watched, ...]:
        return tuple(self.kept[k] for k in sorted(self.kept) if (k.account, k.region) == (place.account, place.region))

    @port
    def place_trouble(self, place: Place) -> ReadFailure | None:
        found = self.troubles.get((place.account, place.region))
        return found[1] if found else None

    @port
    def set_place_trouble(self, place: Place, trouble: ReadFailure | None) -> None:
        self.troubles.pop((place.account, place.region), None)
        if trouble is not None:
            self.troubles[place.account, place.region] = (place, trouble)

    @port
    def place_troubles(self) -> Mapping[Place, ReadFailure]:
        return dict(self.troubles[where] for where in sorted(self.troubles))

    @port
    def add_notices(self, notices: Iterable[Notice]) -> None:
        for notice in notices:
            self.notices.setdefault((notice.key, notice.id), notice)

    @port
    def notices_of(self, key: ClusterKey) -> tuple[Notice, ...]:
        return tuple(notice for notice in self._oldest_first() if notice.key == key)

    @port
    def notices_in(self, place: Place) -> Mapping[ClusterKey, tuple[Notice, ...]]:
        here = {key for key, _ in self.notices if (key.account, key.region) == (place.account, place.region)}
        return {key: tuple(notice for notice in self._oldest_first() if notice.key == key) for key in here}

    @port
    def pending_notices(self, limit: int) -> tuple[Notice, ...]:
        return tuple(notice for notice in self._oldest_first() if notice.state is not NoticeState.SENT)[:limit]

    @port
    def list_notices(self, limit: int, cursor: str | None) -> tuple[tuple[Notice, ...], str | None]:
        return _page(self._oldest_first()[::-1], limit, cursor)

    @port
    def mark_sent(self, ids: Sequence[tuple[ClusterKey, str]], message_id: str, sent_at: datetime) -> None:
        for row in ids:
            notice = self.notices.get(row)
            if notice is not None and notice.state is not NoticeState.SENT:
                self.notices[row] = replace(notice, state=NoticeState.SENT, message_id=message_id, sent_at=sent_at)

    @port
    def mark_unheard(self, ids: Sequence[tuple[ClusterKey, str]], why: str) -> None:
        for row in ids:
            notice = self.notices.get(row)
            if notice is not None and notice.state is not NoticeState.SENT:
                self.notices[row] = replace(notice, state=NoticeState.UNHEARD, unheard=why)

    @port
    def mark_bounced(self, notices: Sequence[Notice], message_id: str, why: str) -> None:
        for given in notices:
            notice = self.notices.get((given.key, given.id))
            if notice is not None and notice.message_id == message_id:
                again = replace(notice, state=NoticeState.UNHEARD, unheard=why, message_id=None, sent_at=None)
                self.notices[given.key, given.id] = again

    def put(self, *watched: Watched) -> None:
        """Store clusters unchanged: for tests that start in the middle of a story."""
        self.kept |= {one.cluster.key: one for one in watched}

    def _oldest_first(self) -> list[Notice]:
        return sorted(self.notices.values(), key=lambda notice: (notice.decided_at, notice.key, notice.id))


def _comes_first(watched: Watched) -> tuple[datetime, ClusterKey]:
    deadline = watched.support.next
    if watched.is_undated:
        return _FIRST, watched.cluster.key
    return (deadline.at if deadline else _NEVER), watched.cluster.key


def _page(items: Sequence[Item], limit: int, cursor: str | None) -> tuple[tuple[Item, ...], str | None]:
    start = _position(cursor)
    end = start + limit
    more = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else None
    return tuple(items[start:end]), more


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor))
    except ValueError as problem:
        message = "This cursor was not given out by this service."
        raise InvalidRequest([error("cursor", "bad-cursor", message)]) from problem
