"""A cluster's life under the watch, in memory: days pass, runs happen or are missed, people and AWS act, mails are sent.

The rules under test are the real ones; `decide` can be replaced by a broken one, to see that the promises detect it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone

from chalicelib.domain.core.message import Message
from chalicelib.domain.notices.decision import NoticeRules, decide_notices
from chalicelib.domain.notices.digest import compose
from chalicelib.domain.notices.notice import Notice, NoticeState
from chalicelib.domain.notices.reminders import latest_snooze
from chalicelib.domain.support.calendar import Calendar, VersionSupport
from chalicelib.domain.support.observation import LIVE, ClusterContext, observed
from chalicelib.domain.support.watched import Watched
from tests.fakes.fleet_builders import a_fleet_cluster

OWNER, TEAM, ADMINISTRATORS = "ops@example.com", "team@example.com", "admins@example.com"
RULES = NoticeRules(administrators=ADMINISTRATORS)
Decide = Callable[[Watched, Sequence[Notice], NoticeRules, datetime], Sequence[Notice]]


@dataclass(frozen=True)
class Version:
    """A version's days, in AWS's format."""

    name: str
    released: date
    standard_ends: date
    extended_ends: date


@dataclass(frozen=True)
class Scenario:
    """`happens`: day -> events; `missed`: days without a run; `crashes`: days whose run sends and dies before it marks."""

    versions: tuple[Version, ...]
    begins: date
    days: int
    policy: str | None = "EXTENDED"
    hour: int = 6
    offset_hours: int = 0
    happens: Mapping[int, str] = field(default_factory=dict)
    missed: frozenset[int] = frozenset()
    crashes: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Run:
    """One run: the known facts, the decisions, and the ids delivered by its end."""

    now: datetime
    watched: Watched
    fresh: tuple[Notice, ...]
    delivered: frozenset[str]


class Life:
    """Plays a scenario to its end. The promises check `runs`, `sent` (id -> times), `messages` and `notices`."""

    def __init__(self, scenario: Scenario, decide: Decide = decide_notices) -> None:
        self.scenario, self.decide = scenario, decide
        self.versions = {version.name: version for version in scenario.versions}
        self.version, self.policy = scenario.versions[0].name, scenario.policy
        self.kept: Watched | None = None
        self.gone = False
        self.lease_ends_at: datetime | None = None
        self.notices: dict[str, Notice] = {}
        self.sent: dict[str, int] = {}
        self.messages: list[Message] = []
        self.runs: list[Run] = []
        for day in range(scenario.days):
            self._live(day)

    def _live(self, day: int) -> None:
        now = datetime.combine(self.scenario.begins + timedelta(days=day), time(self.scenario.hour), UTC)
        self._happen(self.scenario.happens.get(day, ""), now)
        if day in self.scenario.missed:
            return
        watched = self._scan(now)
        fresh = tuple(self.decide(watched, tuple(self.notices.values()), RULES, now))
        for notice in fresh:
            self.notices.setdefault(notice.id, notice)
        self._deliver(watched, now, marks=day not in self.scenario.crashes)
        self.runs.append(Run(now, watched, fresh, frozenset(self.sent)))

    def _happen(self, what: str, now: datetime) -> None:
        this, kept = self.versions[self.version], self.kept
        names = list(self.versions)
        match what.split():
            case ["upgrade"] if self.version != names[-1]:
                self.version = names[names.index(self.version) + 1]
            case ["delete"]:
                self.gone = True
            case ["policy", policy] if now.date() < this.standard_ends:
                self.policy = policy
            case ["lease", days]:
                self.lease_ends_at = now + timedelta(days=int(days))
            case ["move", days]:
                moved = max(this.extended_ends + timedelta(days=int(days)), this.standard_ends + timedelta(days=1))
                self.versions[self.version] = replace(this, extended_ends=moved)
            case ["acknowledge"] if kept is not None and kept.support.next is not None:
                self.kept = replace(kept, acknowledged_by=OWNER, acknowledged_deadline=kept.support.next.id)
            case ["snooze"] if kept is not None and kept.support.next is not None:
                self.kept = replace(kept, snoozed_until=latest_snooze(kept.support.next, now))

    def _scan(self, now: datetime) -> Watched:
        if self.gone and self.kept is not None:
            self.kept = replace(self.kept, gone_at=self.kept.gone_at or now)
            return self.kept
        cluster = a_fleet_cluster(version=self.version, support_type=self.policy)
        joined = ClusterContext(OWNER, TEAM, lease_ends_at=self.lease_ends_at)
        kept = observed(self.kept, cluster, joined, self.calendar(now), now)
        assert kept is not None
        self.kept = kept
        return kept

    def _deliver(self, watched: Watched, now: datetime, marks: bool) -> None:
        pending = [notice for notice in self.notices.values() if notice.state is NoticeState.PENDING]
        for recipient in sorted({notice.recipient for notice in pending}):
            text = [notice for notice in pending if notice.recipient == recipient]
            self.messages += compose(recipient, [(notice, watched) for notice in text], now)
            for notice in text:
                self.sent[notice.id] = self.sent.get(notice.id, 0) + 1
                if marks:
                    self.notices[notice.id] = replace(notice, state=NoticeState.SENT, sent_at=now)

    def calendar(self, now: datetime) -> Calendar:
        """AWS's answer, with midnights in the scenario's time zone."""
        zone = timezone(timedelta(hours=self.scenario.offset_hours))
        entries = tuple(
            VersionSupport(
                v.name, _midnight(v.released, zone), _midnight(v.standard_ends, zone), _midnight(v.extended_ends, zone)
            )
            for v in self.versions.values()
        )
        return Calendar(entries, LIVE, now)


def _midnight(day: date, zone: timezone) -> datetime:
    return datetime.combine(day, time(), UTC).astimezone(zone)
