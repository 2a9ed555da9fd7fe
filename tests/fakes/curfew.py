"""Curfew's fakes: plans and rules in dictionaries over the same labs, settable signals, one signing key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from chalicelib.aws.messaging.link_keys import ItsdangerousLinkSigner
from chalicelib.domain.core.message import Message
from chalicelib.domain.core.place import Place
from chalicelib.domain.costs import Billed, Prices, Running
from chalicelib.domain.curfew.plan import (
    Entry,
    EntryOutcome,
    EntryStatus,
    Plan,
    PlanHeader,
    PlanLine,
    PlanPage,
    entry_digest,
    hash_of_digests,
)
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import ResourceGone, StaleLab
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import OVER, RESTING, Lab, Phase
from chalicelib.domain.teardown.adoption import TaggedCluster
from chalicelib.ports.curfew import Curfew
from tests.fakes.account import Account, port
from tests.fakes.store import FakeStore


@dataclass
class FakeCurfewStore:
    """Implements the CurfewStore port over the labs of a FakeStore."""

    account: Account
    store: FakeStore
    kept_rules: CurfewRules | None = None
    entries: dict[tuple[date, str], Entry] = field(default_factory=dict)
    statuses: dict[tuple[date, str], EntryStatus] = field(default_factory=dict)
    headers: dict[date, PlanHeader] = field(default_factory=dict)
    digests: dict[date, dict[str, str]] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    port_name: str = "curfew_store"

    def __post_init__(self) -> None:
        self.store.rules_of = lambda: self.kept_rules

    @port
    def rules(self, usual: CurfewRules) -> CurfewRules:
        return self.kept_rules or usual

    @port
    def put_rules(self, rules: CurfewRules) -> None:
        self.kept_rules = rules

    @port
    def change_rules(self, usual: CurfewRules, change: Callable[[CurfewRules], CurfewRules]) -> CurfewRules:
        for _ in range(8):
            stored = self.kept_rules
            changed = change(stored or usual)
            if self.kept_rules is stored:
                self.kept_rules = changed
                return changed
        raise StaleLab("The rules of curfew were always saved by others.")

    @port
    def labs_awaiting(self, now: datetime, limit: int) -> tuple[tuple[str, Place], ...]:
        due = [
            (lab.due_at, lab.id, lab.place) for lab in self.store.labs.values() if lab.phase in RESTING and lab.due_at
        ]
        return tuple((lab_id, place) for at, lab_id, place in sorted(due, key=lambda d: d[:2]) if at <= now)[:limit]

    @port
    def alive_count(self) -> int:
        return sum(lab.phase not in OVER for lab in self.store.labs.values())

    @port
    def running(self) -> Running:
        alive = [lab for lab in self.store.labs.values() if lab.phase not in OVER]
        phases = {phase: sum(lab.phase is phase for lab in alive) for phase in Phase}
        usd = sum(lab.hourly_usd or 0.0 for lab in alive)
        return Running({phase: labs for phase, labs in phases.items() if labs}, round(usd, 6))

    @port
    def blocked(self, limit: int) -> tuple[Lab, ...]:
        found = [lab for lab in self.store.labs.values() if lab.phase is Phase.BLOCKED]
        return tuple(sorted(found, key=lambda lab: (lab.phase_since, lab.id))[:limit])

    @port
    def publish(self, day: date, entries: Sequence[Entry], now: datetime) -> PlanHeader:
        digests = self.digests.setdefault(day, {})
        new = {entry.id: entry for entry in reversed(entries) if entry.id not in digests}.values()
        header = self.headers.get(day)
        if header is not None and not new:
            return header
        for entry in new:
            self.entries[day, entry.id], digests[entry.id] = entry, entry_digest(entry)
            self.statuses[day, entry.id] = EntryStatus(day, entry.id, entry.lab_id)
        fresh = PlanHeader(day, 1, hash_of_digests(digests[each] for each in sorted(digests)), now, len(digests))
        self.headers[day] = (
            fresh
            if header is None
            else replace(header, revision=header.revision + 1, hash=fresh.hash, published_at=now, entries=fresh.entries)
        )
        return self.headers[day]

    @port
    def header(self, day: date) -> PlanHeader | None:
        return self.headers.get(day)

    @port
    def plan(self, day: date) -> Plan | None:
        if day not in self.headers:
            return None
        ids = sorted(entry_id for of, entry_id in self.entries if of == day)
        return Plan(
            self.headers[day], tuple(PlanLine(self.entries[day, each], self.statuses[day, each]) for each in ids)
        )

    @port
    def line(self, day: date, entry_id: str) -> PlanLine | None:
        entry = self.entries.get((day, entry_id))
        return None if entry is None else PlanLine(entry, self.statuses[day, entry_id])

    @port
    def lines(self, wanted: Sequence[tuple[date, str]]) -> tuple[PlanLine, ...]:
        return tuple(PlanLine(self.entries[each], self.statuses[each]) for each in set(wanted) if each in self.entries)

    @port
    def plan_page(
        self, day: date, seen: Callable[[str], bool] | None, whose: str | None, limit: int, after: str | None
    ) -> PlanPage | None:
        ids = sorted(entry_id for of, entry_id in self.entries if of == day)
        if day not in self.headers:
            return None
        plan = Plan(
            self.headers[day], tuple(PlanLine(self.entries[day, each], self.statuses[day, each]) for each in ids)
        )
        lines = [line for line in plan.lines if line[0].id > (after or "")]
        mine = [line for line in lines if seen is None or seen(line[0].owner)]
        last = mine[limit - 1][0].id if len(mine) > limit else None
        others = None if after or last else len(lines) - len(mine)
        return PlanPage(plan.header, tuple(mine[:limit]), others, plan.is_whole, last)

    @port
    def change_status(self, day: date, entry_id: str, change: Callable[[EntryStatus], EntryStatus]) -> EntryStatus:
        stored = self.statuses[day, entry_id]
        changed = change(stored)
        if changed != stored:
            self.statuses[day, entry_id] = changed = replace(changed, version=stored.version + 1)
        return changed

    @port
    def unwarned(self, limit: int) -> tuple[EntryStatus, ...]:
        waiting = [f for f in self.statuses.values() if f.outcome is EntryOutcome.STANDING and f.warned_at is None]
        return tuple(sorted(waiting, key=lambda status: status.entry_id)[:limit])

    @port
    def change_header(self, day: date, change: Callable[[PlanHeader], PlanHeader]) -> PlanHeader:
        self.headers[day] = change(self.headers[day])
        return self.headers[day]

    @port
    def put_verdict(self, verdict: Verdict) -> None:
        self.verdicts[verdict.lab_id] = verdict

    @port
    def verdict(self, lab_id: str) -> Verdict | None:
        return self.verdicts.get(lab_id)


@dataclass
class FakeSignals:
    """Implements the Signals port. `evidence`: by lab id, a function of `now`; a lab without one is unreadable."""

    account: Account
    evidence: dict[str, Callable[[datetime], Evidence]] = field(default_factory=dict)
    clusters: list[TaggedCluster] = field(default_factory=list)
    asked: list[Place] = field(default_factory=list)
    port_name: str = "signals"

    def of(self, place: Place) -> FakeSignals:
        """The same signals for every place; the places are recorded."""
        self.asked.append(place)
        return self

    @port
    def read(self, labs: Sequence[Lab], now: datetime, window: timedelta) -> Mapping[str, Evidence]:
        return {lab.id: self.evidence[lab.id](now) if lab.id in self.evidence else unread(lab.id, now) for lab in labs}

    @port
    def tagged_clusters(self) -> tuple[TaggedCluster, ...]:
        return tuple(self.clusters)


def unread(lab_id: str, now: datetime) -> Evidence:
    """Evidence with every signal unreadable."""
    return Evidence(lab_id, now, now - timedelta(hours=3), "ACTIVE", unread=("AWS/EKS metrics: not there",))


@dataclass
class FakeLinkKeys:
    """Implements the LinkKeys port; `rotate` makes the current key the previous one, `lose` deletes the secret.

    `since`: the creation time of the current key; None: recent.
    """

    keys: dict[str, bytes] = field(default_factory=lambda: {"one": b"1" * 32})
    order: list[str] = field(default_factory=lambda: ["one"])
    since: datetime | None = None

    def current(self) -> tuple[str, bytes]:
        if not self.order:
            raise ResourceGone("secretsmanager:GetSecretValue", "ResourceNotFoundException", "There is no secret.")
        return self.order[-1], self.keys[self.order[-1]]

    def key(self, key_id: str) -> bytes | None:
        return self.keys.get(key_id) if key_id in self.order[-2:] else None

    def renew(self, older_than: timedelta, now: datetime) -> bool:
        if not self.order or self.since is None or now - self.since < older_than:
            return False
        self.rotate(f"key-{len(self.order)}", b"2" * 32)
        self.since = now
        return True

    def rotate(self, key_id: str, key: bytes) -> None:
        self.keys[key_id] = key
        self.order.append(key_id)

    def lose(self) -> None:
        self.order.clear()


@dataclass
class FakeReach:
    """Implements the Reach port; `unreachable` maps recipients to reasons."""

    unreachable: dict[str, str] = field(default_factory=dict)

    def undeliverable_reason(self, recipient: str, message: Message | None = None) -> str | None:
        known = {name.casefold(): why for name, why in self.unreachable.items()}
        return known.get(recipient.casefold())


@dataclass
class FakeCostExplorer:
    """Implements the CostExplorer port; `asked`: the requested days."""

    account: Account
    answer: Billed = field(default_factory=Billed)
    asked: list[tuple[date, date]] = field(default_factory=list)
    port_name: str = "cost_explorer"

    @port
    def billed(self, start: date, end: date) -> Billed:
        self.asked.append((start, end))
        return self.answer


@dataclass
class FakeCurfew:
    """Every fake by name, and `curfew` over them. `days_off`: public holidays by country."""

    store: FakeCurfewStore
    signals: FakeSignals
    keys: FakeLinkKeys
    reach: FakeReach
    days_off: dict[str, frozenset[date]]
    cost_explorer: FakeCostExplorer
    curfew: Curfew


def a_price_list(region: str = "ap-northeast-2") -> Prices:
    """The prices of ap-northeast-2 that EKS labs commonly need."""
    return Prices(
        region,
        0.10,
        0.50,
        0.0912,
        0.059,
        0.005,
        {"t3.medium": 0.052, "g5.xlarge": 1.237},
        "a price list",
        date(2026, 11, 1),
    )


def make_curfew(account: Account, store: FakeStore) -> FakeCurfew:
    """A fresh, empty world; steps and use cases take its `.curfew`."""
    curfew_store, signals, keys, reach = (
        FakeCurfewStore(account, store),
        FakeSignals(account),
        FakeLinkKeys(),
        FakeReach(),
    )
    days_off: dict[str, frozenset[date]] = {}
    cost_explorer = FakeCostExplorer(account)

    def holidays(country: str, year: int) -> frozenset[date]:
        return frozenset(day for day in days_off.get(country, frozenset()) if day.year == year)

    curfew = Curfew(
        curfew_store,
        signals.of,
        keys,
        ItsdangerousLinkSigner(),
        reach,
        holidays,
        a_price_list,
        cost_explorer,
        regions=("ap-northeast-2",),
        is_known_country=lambda country: country in {"KR", "US", "DE", "DE-BY", *days_off},
    )
    return FakeCurfew(curfew_store, signals, keys, reach, days_off, cost_explorer, curfew)
