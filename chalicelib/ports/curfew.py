"""The ports of curfew, part of `ports/deps.py`: stores, signals, link keys and subscriptions, with their guarantees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.curfew.signed_links import LinkUses
from chalicelib.domain.labs.schedule import Holidays, Schedule

if TYPE_CHECKING:
    from chalicelib.domain.core.message import Message
    from chalicelib.domain.core.place import Place
    from chalicelib.domain.costs import Billed, Prices, Running
    from chalicelib.domain.curfew.plan import Entry, EntryStatus, Plan, PlanHeader, PlanLine, PlanPage
    from chalicelib.domain.curfew.signed_links import KnownKeys, LinkSigner, SigningKey
    from chalicelib.domain.identity.callers import Team
    from chalicelib.domain.idleness.evidence import Evidence
    from chalicelib.domain.idleness.verdict import Verdict
    from chalicelib.domain.labs.lab import Lab
    from chalicelib.domain.teardown.adoption import TaggedCluster


class CurfewStore(Protocol):
    """Rules, plans, statuses and verdicts. All reads but those of lists of due items are strongly consistent."""

    def rules(self, usual: CurfewRules) -> CurfewRules:
        """The rules as administrators last set them, else `usual`."""

    def change_rules(self, usual: CurfewRules, change: Callable[[CurfewRules], CurfewRules]) -> CurfewRules:
        """Load (`usual` if never set), change, save if unchanged since, else try again. Raises StaleLab.

        Two administrators who set different rules at the same time both succeed: neither overwrites the other's rule.
        """

    def labs_awaiting(self, now: datetime, limit: int) -> tuple[tuple[str, Place], ...]:
        """(id, place) of ready and hibernated labs whose due_at is not after `now`, oldest first. Reads due labs only.

        Account and region are "" for an unreadable lab, so that it does not hide the others.
        """

    def alive_count(self) -> int:
        """The number of labs that are not over, from counters that every write updates; reads a few items at any number of labs."""

    def running(self) -> Running:
        """Labs by phase and their hourly cost, from the same counters."""

    def blocked(self, limit: int) -> tuple[Lab, ...]:
        """Blocked labs, longest blocked first. Reads no others."""

    def publish(self, day: date, entries: Sequence[Entry], now: datetime) -> PlanHeader:
        """Add entries (with standing statuses) to a day's plan and renew its hash, in one transaction a hundred items at a time.

        A published entry never changes. Without new entries the header stays, or is created. The hash covers the entries as
        published, not as stored: after tampering the hash does not fit.
        """

    def header(self, day: date) -> PlanHeader | None:
        """The header, without reading the entries."""

    def plan(self, day: date) -> Plan | None:
        """The whole plan, entries by time."""

    def plan_page(
        self, day: date, seen: Callable[[str], bool] | None, whose: str | None, limit: int, after: str | None
    ) -> PlanPage | None:
        """At most `limit` lines by time, after the entry `after`, of owners for whom `seen` is true (None: of all). `whose`: the
        only identity that is seen, if there is one.

        A page may be short. None if there is no plan."""

    def line(self, day: date, entry_id: str) -> PlanLine | None:
        """One entry with its status."""

    def lines(self, wanted: Sequence[tuple[date, str]]) -> tuple[PlanLine, ...]:
        """The existing ones of these entries, in no order: one query for each hundred."""

    def change_status(self, day: date, entry_id: str, change: Callable[[EntryStatus], EntryStatus]) -> EntryStatus:
        """Load, change, save if unchanged since, else try again. An unchanged status is not saved. Raises StaleLab, KeyError."""

    def unwarned(self, limit: int) -> tuple[EntryStatus, ...]:
        """Standing statuses whose warning is not delivered yet, oldest first. Reads no others."""

    def change_header(self, day: date, change: Callable[[PlanHeader], PlanHeader]) -> PlanHeader:
        """Load, change, save if unchanged since, else try again. Raises AwsUnavailable when too busy, KeyError.

        It records notices to administrators and releases; only `publish` changes entries, revision and hash.
        """

    def put_verdict(self, verdict: Verdict) -> None:
        """Keep the last verdict of a lab."""

    def verdict(self, lab_id: str) -> Verdict | None:
        """The last verdict of a lab."""


class CostExplorer(Protocol):
    """AWS's bill for the labs of this installation, from Cost Explorer."""

    def billed(self, start: date, end: date) -> Billed:
        """From the first day to the day before `end`, in days of UTC; a request costs money. Raises AwsRefused, Transient."""


class Signals(Protocol):
    """Reads the use of many clusters of one place in as few calls as the APIs allow."""

    def read(self, labs: Sequence[Lab], now: datetime, window: timedelta) -> Mapping[str, Evidence]:
        """Evidence by lab id, one for every lab. Never raises for one source or one lab: `unread` lists the failures."""

    def tagged_clusters(self) -> tuple[TaggedCluster, ...]:
        """Every EKS cluster of the place that carries the tag `ekslab:lab-id`, by the tagging API."""


class LinkKeys(Protocol):
    """The keys that sign keep-links."""

    def current(self) -> tuple[str, bytes]:
        """(id, key) to sign with."""

    def key(self, key_id: str) -> bytes | None:
        """A key that links may still be signed with (the current or the previous one); None for any other."""

    def renew(self, older_than: timedelta, now: datetime) -> bool:
        """Replace the current key if it is older than that, keep it as the previous key, and return whether it was replaced."""


class Subscriptions(Protocol):
    """Tells whether any subscription would take a message."""

    def undeliverable_reason(self, recipient: str, message: Message | None = None) -> str | None:
        """None if a confirmed subscription of the topic takes messages for this recipient; else the reason, as a sentence.

        Filters by account or owner are evaluated with `message` only; without it such a subscription counts as not taking it.
        Raises Transient.
        """


@dataclass(frozen=True)
class Curfew:
    """Curfew's ports and settings. `signals(place)` is cheap. `usual` and `schedule` are the installation's defaults.

    `zone`: the installation's time zone, in which the nightly report is sent at `report_hour`. `installation`: its name in tags.
    `teams`: an owner's teams are warned when no message reaches the owner. `is_known_country`: whether `holidays` covers it.
    """

    store: CurfewStore
    signals: Callable[[Place], Signals]
    keys: LinkKeys
    signer: LinkSigner
    reach: Subscriptions
    holidays: Holidays
    prices: Callable[[str], Prices]
    cost_explorer: CostExplorer
    usual: CurfewRules = field(default_factory=CurfewRules)
    schedule: Schedule = field(default_factory=Schedule)
    regions: tuple[str, ...] = ()
    zone: str = "UTC"
    report_hour: int = 7
    installation: str = ""
    teams: tuple[Team, ...] = ()
    link_uses: LinkUses = field(default_factory=LinkUses)
    is_known_country: Callable[[str], bool] = bool

    def rules(self) -> CurfewRules:
        """The present rules."""
        return self.store.rules(self.usual)

    def signing_key(self) -> SigningKey:
        """The key that signs new links. Raises ResourceGone if there is no secret."""
        from chalicelib.domain.curfew.signed_links import SigningKey

        return SigningKey(*self.keys.current(), self.signer)

    def known_keys(self) -> KnownKeys:
        """The keys that verify links; no key is fetched yet."""
        from chalicelib.domain.curfew.signed_links import KnownKeys

        return KnownKeys(self.keys.key, self.signer)
