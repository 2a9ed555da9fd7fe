"""The interfaces of the support watch: part of `ports/deps.py`, with the same guarantees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.notices.reminders import REMINDER_DAYS
from chalicelib.domain.support.owners import OWNER_TAGS

if TYPE_CHECKING:
    from chalicelib.domain.core.message import Message
    from chalicelib.domain.core.place import ClusterKey, Place
    from chalicelib.domain.identity.accounts import Registration
    from chalicelib.domain.notices.decision import NoticeRules
    from chalicelib.domain.notices.notice import Notice
    from chalicelib.domain.support.calendar import Calendar
    from chalicelib.domain.support.fleet import AddonAtNext, FleetCluster, Insight, ReadFailure
    from chalicelib.domain.support.watched import Watched


class Fleet(Protocol):
    """EKS in one place, read with the role of its registration."""

    def calendar(self) -> Calendar:
        """As `Clusters.versions`: live, else the bundled table, with the source."""

    def names(self, cursor: str | None) -> tuple[tuple[str, ...], str | None]:
        """One page of cluster names, and the next page's cursor."""

    def expect(self, names: Sequence[str]) -> None:
        """Announce the next clusters to read, so that calls which answer for many clusters are made once."""

    def read(self, name: str) -> FleetCluster:
        """The cluster with its nodes (managed groups, and instances tagged for it outside them). Raises ResourceGone."""

    def insights(self, name: str, refresh: bool) -> tuple[Insight, ...]:
        """Upgrade-readiness insights that do not pass, with details. `refresh` asks EKS to look anew (it may take minutes)."""

    def addons_at(self, name: str, version: str) -> tuple[AddonAtNext, ...]:
        """The cluster's add-ons, and whether each one's version runs on that Kubernetes version. Raises ResourceGone."""

    def set_support_policy(self, name: str, support_type: str) -> str:
        """Request STANDARD or EXTENDED; return the update's id. Raises AwsRefused if it is not allowed, ResourceGone."""


class FleetStore(Protocol):
    """The records of watched clusters, accounts and notices."""

    def registrations(self) -> tuple[Registration, ...]:
        """All registered accounts."""

    def register(self, registration: Registration) -> None:
        """Write or overwrite one."""

    def unregister(self, account: str) -> None:
        """Forget one; absent is fine."""

    def watched(self, key: ClusterKey) -> Watched | None:
        """The record of a cluster."""

    def watched_of(self, keys: Iterable[ClusterKey]) -> Mapping[ClusterKey, Watched]:
        """The records of these clusters."""

    def change_watched(self, key: ClusterKey, change: Callable[[Watched | None], Watched | None]) -> Watched | None:
        """Load, change, save if unchanged since, else try again. If `change` returns None, nothing is saved. Raises StaleLab."""

    def change_place(
        self, place: Place, changes: Mapping[str, Callable[[Watched | None], Watched | None]]
    ) -> Mapping[str, Watched | None]:
        """As `change_watched`, for many clusters of a place in few calls. By name."""

    def list_watched(self, limit: int, cursor: str | None) -> tuple[tuple[Watched, ...], str | None]:
        """Sorted: versions without a date, the nearest deadlines, clusters without deadlines. Deleted clusters are left out."""

    def watched_in(self, place: Place) -> tuple[Watched, ...]:
        """All records of one place, deleted clusters included."""

    def place_trouble(self, place: Place) -> ReadFailure | None:
        """The open trouble of a whole place."""

    def set_place_trouble(self, place: Place, trouble: ReadFailure | None) -> None:
        """Write it; None: it is readable again."""

    def place_troubles(self) -> Mapping[Place, ReadFailure]:
        """All places that can't be read now."""

    def add_notices(self, notices: Iterable[Notice]) -> None:
        """Write new rows; an existing row never changes."""

    def notices_of(self, key: ClusterKey) -> tuple[Notice, ...]:
        """All of a cluster's, oldest first."""

    def notices_in(self, place: Place) -> Mapping[ClusterKey, tuple[Notice, ...]]:
        """All of a place's, each cluster's oldest first."""

    def pending_notices(self, limit: int) -> tuple[Notice, ...]:
        """Not sent yet, unheard ones among them, oldest first. Reads only those."""

    def list_notices(self, limit: int, cursor: str | None) -> tuple[tuple[Notice, ...], str | None]:
        """All, newest decision first."""

    def mark_sent(self, ids: Sequence[tuple[ClusterKey, str]], message_id: str, sent_at: datetime) -> None:
        """Mark rows as sent; marking twice is fine."""

    def mark_unheard(self, ids: Sequence[tuple[ClusterKey, str]], why: str) -> None:
        """Mark rows without a reachable recipient; they stay pending. Sent rows stay sent."""

    def mark_bounced(self, notices: Sequence[Notice], message_id: str, why: str) -> None:
        """Mark the rows of a message that came back as unheard and pending. Rows of other messages do not change."""


class Notifier(Protocol):
    """Sends messages: SNS for people and chat, EventBridge for programs."""

    def send(self, message: Message) -> str:
        """Publish to the topic with attributes (kind, severity, account, owner, days); return the provider's message id."""

    def publish_events(self, events: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        """Put each (detail type, detail) on the bus, source `ekslab`, with the schema of docs/reference/events.md.

        A failure does not stop the others; the first failure is raised at the end.
        """


@dataclass(frozen=True)
class Watch:
    """The ports and settings of the support watch. `fleet(place)` is cheap; `home` is the service's own account.

    `home_regions`: the watched regions of `home`, unless it is registered. `default_owner`: the recipient for clusters without an
    owner. `unreadable_after_days`: a failure that lasts longer is reported. `reminder_days`: days before a deadline, falling.
    `owner_tags`: the tags that may name the owner, in order. `api_url`: the beginning of links in notices, if known.
    """

    fleet: Callable[[Place], Fleet]
    store: FleetStore
    notifier: Notifier
    home: str
    administrators: str | None = None
    home_regions: tuple[str, ...] = ()
    default_owner: str | None = None
    unreadable_after_days: int = 3
    reminder_days: tuple[int, ...] = REMINDER_DAYS
    api_url: str = ""
    owner_tags: tuple[str, ...] = OWNER_TAGS

    @property
    def rules(self) -> NoticeRules:
        """The rules of notices in this installation."""
        from chalicelib.domain.notices.decision import NoticeRules

        return NoticeRules(self.reminder_days, self.default_owner, self.administrators, self.unreadable_after_days)

    def registered(self) -> tuple[Registration, ...]:
        """Every watched account; the service's own in its home regions, unless it is registered otherwise."""
        from chalicelib.domain.identity.accounts import Registration

        known = self.store.registrations()
        if any(registration.account == self.home for registration in known):
            return known
        return (Registration(self.home, "home", self.home_regions), *known)
