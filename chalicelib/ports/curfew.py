"""What curfew needs from the world: part of `ports/deps.py`, with its promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.link_uses import LinkUses
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.labs.schedule import Holidays, Schedule

if TYPE_CHECKING:
    from chalicelib.domain.core.message import Message
    from chalicelib.domain.core.place import Place
    from chalicelib.domain.costs import Prices, Running
    from chalicelib.domain.curfew.keep_link import KnownKeys, LinkSigner, SigningKey
    from chalicelib.domain.curfew.plan import Entry, EntryStatus, Plan, PlanHeader
    from chalicelib.domain.identity.callers import Team
    from chalicelib.domain.idleness.evidence import Evidence
    from chalicelib.domain.idleness.verdict import Verdict
    from chalicelib.domain.labs.lab import Lab
    from chalicelib.domain.teardown.adoption import TaggedCluster


class CurfewStore(Protocol):
    """Rules, plans, statuses and verdicts. Everything is strongly consistent unless it is a list of what is due."""

    def rules(self, usual: CurfewRules) -> CurfewRules:
        """The rules as administrators last set them; `usual` where they never did."""
        ...

    def put_rules(self, rules: CurfewRules) -> None:
        """They hold from now on."""
        ...

    def change_rules(self, usual: CurfewRules, change: Callable[[CurfewRules], CurfewRules]) -> CurfewRules:
        """Load (`usual` where they were never set), change, save if nobody saved in between, else again. Raises StaleLab.

        So that somebody who sets one of them never takes back what another set at the same time: the stop switch, say.
        """
        ...

    def labs_awaiting(self, now: datetime, limit: int) -> tuple[tuple[str, Place], ...]:
        """(id, place) of ready and hibernated labs whose due_at is not after `now`, oldest first. Reads only what is due.

        Account and region are "" where a lab can't be read: it must not hide the others.
        """
        ...

    def alive_count(self) -> int:
        """How many labs are not over, kept by the store as labs come and go: a few items, however many labs there are."""
        ...

    def running(self) -> Running:
        """Labs by phase, and what they cost an hour, kept as `alive_count` is; labs from before that are in it once saved."""
        ...

    def blocked(self, limit: int) -> tuple[Lab, ...]:
        """Blocked labs, longest first. Reads only those."""
        ...

    def publish(self, day: date, entries: Sequence[Entry], now: datetime) -> PlanHeader:
        """Add entries (with standing statuses) to a day's plan and renew its hash, in one transaction a hundred items at a time.

        An entry whose id is published already stays as it is. Nothing new: the header as it is (made if there is none).
        The hash is over what was published, not over what is stored by now: a broken plan stays broken.
        """
        ...

    def header(self, day: date) -> PlanHeader | None:
        """Without reading the entries."""
        ...

    def plan(self, day: date) -> Plan | None:
        """The whole plan, entries by time."""
        ...

    def line(self, day: date, entry_id: str) -> tuple[Entry, EntryStatus] | None:
        """One entry with its status."""
        ...

    def change_status(self, day: date, entry_id: str, change: Callable[[EntryStatus], EntryStatus]) -> EntryStatus:
        """Load, change, save if nobody saved in between, else again. Unchanged saves nothing. Raises StaleLab, KeyError."""
        ...

    def unwarned(self, limit: int) -> tuple[EntryStatus, ...]:
        """Standing statuses whose warning has not been delivered, oldest first. Reads only those."""
        ...

    def change_header(self, day: date, change: Callable[[PlanHeader], PlanHeader]) -> PlanHeader:
        """Load, change, save if nobody saved in between, else again. Raises StaleLab, KeyError.

        For what administrators were told and what they released; entries, revision and hash are for `publish` alone.
        """
        ...

    def put_verdict(self, verdict: Verdict) -> None:
        """Keep the last verdict of a lab."""
        ...

    def verdict(self, lab_id: str) -> Verdict | None:
        """The last one."""
        ...


class Signals(Protocol):
    """Reads the use of many clusters of one place in as few calls as the APIs allow."""

    def read(self, labs: Sequence[Lab], now: datetime, window: timedelta) -> Mapping[str, Evidence]:
        """Evidence by lab id, one for every lab. Never raises for one source or one lab: what failed is in `unread`."""
        ...

    def tagged_clusters(self) -> tuple[TaggedCluster, ...]:
        """Every EKS cluster of the place that carries the tag `ekslab:lab-id`, by the tagging API."""
        ...


class LinkKeys(Protocol):
    """The secrets that keep-links are signed with."""

    def current(self) -> tuple[str, bytes]:
        """(id, key) to sign with."""
        ...

    def key(self, key_id: str) -> bytes | None:
        """A key that links may still be signed with (the current or the previous one); None for any other."""
        ...

    def renew(self, older_than: timedelta, now: datetime) -> bool:
        """Put a new key in the place of the current one if that is so old; return whether it was. The old one is the previous."""
        ...


class Subscriptions(Protocol):
    """Whether a message to somebody would arrive at all."""

    def undeliverable_reason(self, recipient: str, message: Message | None = None) -> str | None:
        """None if a confirmed subscription of the topic takes messages for this recipient; else why not, in a sentence.

        With `message`, subscriptions that filter by account or owner are judged, too; without, they count as not taking it.
        Raises Transient.
        """
        ...


@dataclass(frozen=True)
class Curfew:
    """Curfew's world. `signals(place)` is cheap. `usual` and `schedule` are what this installation begins with.

    `zone`: the installation's own, in which the nightly report is sent at `report_hour`. `installation` names it in tags.
    `teams`: those that a lab's owner is in hear of it when the owner can't.
    `is_known_country`: whether `holidays` knows this country; it need not be asked for any other.
    """

    store: CurfewStore
    signals: Callable[[Place], Signals]
    keys: LinkKeys
    signer: LinkSigner
    reach: Subscriptions
    holidays: Holidays
    prices: Callable[[str], Prices]
    usual: CurfewRules = field(default_factory=CurfewRules)
    schedule: Schedule = field(default_factory=Schedule)
    regions: tuple[str, ...] = ()
    zone: str = "UTC"
    report_hour: int = 7
    installation: str = ""
    teams: tuple[Team, ...] = ()
    link_uses: LinkUses = field(default_factory=LinkUses)
    is_known_country: Callable[[str], bool] = bool

    def signing_key(self) -> SigningKey:
        """What links are signed with now. Raises ResourceGone if there is no secret."""
        from chalicelib.domain.curfew.keep_link import SigningKey

        return SigningKey(*self.keys.current(), self.signer)

    def known_keys(self) -> KnownKeys:
        """What links may still be signed with; asks for no key yet."""
        from chalicelib.domain.curfew.keep_link import KnownKeys

        return KnownKeys(self.keys.key, self.signer)
