"""Random fleets under the daily watch: dates move, EKS is throttled, people and AWS upgrade, subscriptions come and go.

Each claim of a mail is compared with EKS's answers so far and with the performed upgrades, both kept by the test. For each
promise a broken rule below shows that its check fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.errors.tree import Throttled
from chalicelib.domain.notices import decision
from chalicelib.domain.notices.notice import Notice, NoticeKind, NoticeState
from chalicelib.domain.support import observation
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.calendar import Calendar, VersionSupport
from chalicelib.domain.support.deadlines import DeadlineKind
from chalicelib.domain.support.observation import LIVE
from chalicelib.workflows.watch import delivery
from tests.examples import examples
from tests.fakes import NOW, a_calendar, make_deps
from tests.fakes.curfew import FakeReach
from tests.fakes.fleet_builders import a_fleet_cluster, a_registration
from tests.workflows.machine import Machine

DAY = timedelta(days=1)
#: The first two are one person.
OWNERS = (
    "ops@example.com",
    "Ops@Example.com",
    "shop@example.com",
    "ops@example.com / shop@example.com",
    "net@example.com",
)
VERSIONS = ("1.9", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35")
MOST_CLUSTERS = 200
NOBODY = "Nobody has confirmed a subscription."


class WatchedFleet(RuleBasedStateMachine):
    """`told`: EKS's latest dates, by version; `ever`: all its dates so far; `raised`: (cluster, version) after its end."""

    def __init__(self) -> None:
        super().__init__()
        self.world = make_deps()
        self.world.watch.store.register(replace(a_registration(), team="team@example.com"))
        self.now, self.mails = NOW, 0
        self.deaf: set[str] = set()
        self.truth = {entry.version: entry for entry in a_calendar().versions}
        self.told: dict[str, VersionSupport] = {}
        self.ever: dict[str, set[str]] = {entry.version: days(entry) for entry in a_calendar().versions}
        self.raised: set[tuple[ClusterKey, str]] = set()
        self.policies: set[ClusterKey] = set()

    @initialize(
        kinds=st.lists(
            st.tuples(st.sampled_from(VERSIONS), st.sampled_from(OWNERS), st.sampled_from(["STANDARD", "EXTENDED"])),
            min_size=1,
            max_size=12,
        ),
        clusters=st.one_of(st.integers(1, 12), st.integers(1, MOST_CLUSTERS)),
        unheard=st.sets(st.sampled_from(["ops@example.com", "shop@example.com", "team@example.com"]), max_size=2),
    )
    def clusters_are_found(self, kinds: list[tuple[str, str, str]], clusters: int, unheard: set[str]) -> None:
        """A number of clusters of these kinds, by turns."""
        for number in range(clusters):
            version, owner, policy = kinds[number % len(kinds)]
            cluster = a_fleet_cluster(f"c{number:03}", version, tags={"owner": owner}, support_type=policy)
            self.world.watch.fleets.add(cluster)
        self.subscriptions_change(unheard)

    @rule(unheard=st.sets(st.sampled_from(["ops@example.com", "shop@example.com", "team@example.com"]), max_size=3))
    def subscriptions_change(self, unheard: set[str]) -> None:
        self.world.curfew.reach.unreachable.clear()
        self.world.curfew.reach.unreachable.update(dict.fromkeys(unheard, NOBODY))

    @rule(days=st.integers(1, 40), throttled=st.booleans())
    def days_pass(self, days: int, throttled: bool) -> None:
        """At most the last day's run is throttled: then dates come from the bundled table."""
        self.now += days * DAY
        self._aws_upgrades()
        live = Calendar(tuple(self.truth.values()), LIVE, self.now)
        self.world.watch.fleets.calendar = a_calendar() if throttled else live
        if not throttled:
            self.told = dict(self.truth)
            for version, entry in self.truth.items():
                self.ever.setdefault(version, set()).update(date_texts(entry))
        self.mails = len(self.world.watch.notifier.messages)
        self.deaf = {name.casefold() for name in self.world.curfew.reach.unreachable}
        assert Machine("watch_support", self.world.deps).run({"time": self.now.isoformat()}) == "Finished"

    def _aws_upgrades(self) -> None:
        """AWS upgrades all due clusters to its target version."""
        calendar, fleets = Calendar(tuple(self.truth.values()), LIVE, self.now), self.world.watch.fleets
        for key, cluster in list(fleets.clusters.items()):
            for deadline in decide_support(cluster.version, cluster.support_type, calendar, self.now).deadlines:
                if deadline.kind is DeadlineKind.FORCED_UPGRADE and deadline.at <= self.now and deadline.target:
                    fleets.upgrade(key, deadline.target)
                    self.raised.add((key, deadline.target))

    @rule(version=st.sampled_from(VERSIONS[1:]), by=st.integers(-20, 60))
    def a_date_moves(self, version: str, by: int) -> None:
        entry = self.truth[version]
        moved = max(entry.end_of_extended + by * DAY, entry.end_of_standard + DAY)
        if self.now < entry.end_of_extended and self.now < moved:
            self.truth[version] = replace(entry, end_of_extended=moved)

    @rule(number=st.integers(0, MOST_CLUSTERS - 1))
    def somebody_upgrades(self, number: int) -> None:
        fleets = self.world.watch.fleets
        for key, cluster in list(fleets.clusters.items()):
            following = f"1.{int(cluster.version.split('.')[1]) + 1}"
            if key.name == f"c{number:03}" and following in self.truth:
                ended = self.truth.get(cluster.version)
                if ended and self.now >= min(ended.end_of_extended, ended.end_of_standard):
                    self.raised.add((key, following))
                fleets.upgrade(key, following)

    @rule(number=st.integers(0, MOST_CLUSTERS - 1), policy=st.sampled_from(["STANDARD", "EXTENDED"]))
    def somebody_sets_a_policy(self, number: int, policy: str) -> None:
        fleets = self.world.watch.fleets
        for key, cluster in list(fleets.clusters.items()):
            if key.name == f"c{number:03}" and cluster.support_type != policy:
                fleets.add(replace(cluster, support_type=policy))
                self.policies.add(key)

    @rule(number=st.integers(0, MOST_CLUSTERS - 1), broken=st.booleans())
    def a_cluster_is_throttled(self, number: int, broken: bool) -> None:
        fleets = self.world.watch.fleets
        for key in list(fleets.clusters):
            if key.name == f"c{number:03}":
                fleets.mend(key)
                if broken:
                    fleets.break_cluster(key, Throttled("eks:DescribeCluster: ThrottlingException: Rate exceeded"))

    @rule(number=st.integers(0, MOST_CLUSTERS - 1))
    def a_cluster_is_deleted(self, number: int) -> None:
        for key in list(self.world.watch.fleets.clusters):
            if key.name == f"c{number:03}":
                self.world.watch.fleets.remove(key)

    def last_sent(self) -> list[Notice]:
        """The subjects of the last run's mails."""
        sent = {each for message in self.world.watch.notifier.messages[self.mails :] for each in message.notice_ids}
        return [notice for notice in self.world.watch.store.notices.values() if (notice.key, notice.id) in sent]

    def is_told(self, notice: Notice) -> bool:
        """Whether the mail states it: decided facts that no longer hold are left out."""
        watched = self.world.watch.store.kept[notice.key]
        known = (watched.support.begun, *watched.support.deadlines)
        return notice.deadline_id in {deadline.id for deadline in known if deadline}

    @invariant()
    def no_mail_names_a_date_that_eks_had_not_told(self) -> None:
        """EKS's earlier dates override the bundled table, also while EKS is unreachable."""
        for notice in self.last_sent():
            if notice.kind in (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED) and self.is_told(notice):
                _, version, day = notice.deadline_id.split("#")
                troubled = self.world.watch.store.kept[notice.key].trouble is not None
                if version in self.told and not troubled:
                    assert day in date_texts(self.told[version]), f"{notice.id}: EKS told {self.told[version]}"
                assert day in self.ever[version], f"{notice.id}: never told"
            if notice.kind is NoticeKind.DATE_MOVED:
                assert notice.note in self.ever[notice.deadline_id.split("#")[1]]

    @invariant()
    def no_mail_names_a_version_or_a_deed_that_was_not_so(self) -> None:
        clusters = self.world.watch.fleets.clusters
        for notice in self.last_sent():
            if notice.kind is NoticeKind.UPGRADED_BY_AWS:
                assert (notice.key, notice.deadline_id.split("#")[1]) in self.raised, notice.id
            if notice.kind is not NoticeKind.SOLVED or notice.decided_at != self.now:
                continue
            if notice.note == "The cluster is gone.":
                assert notice.key not in clusters
            elif notice.note == "Its support policy was changed.":
                assert notice.key in self.policies, notice.id
            elif notice.note.startswith("It runs"):
                assert notice.note == f"It runs {clusters[notice.key].version} now."

    @invariant()
    def nothing_is_sent_that_nobody_took(self) -> None:
        for message in self.world.watch.notifier.messages[self.mails :]:
            assert message.recipient.casefold() not in self.deaf
        taken = {each for message in self.world.watch.notifier.messages for each in message.notice_ids}
        for notice in self.world.watch.store.notices.values():
            sent = notice.state is NoticeState.SENT and notice.message_id != "nothing-to-say"
            assert not sent or (notice.key, notice.id) in taken, f"{notice.id} is sent, and in no mail"

    @invariant()
    def who_is_one_person_gets_no_digest_for_each_spelling(self) -> None:
        """Many clusters are reported in several messages, each of them in one."""
        messages = self.world.watch.notifier.messages[self.mails :]
        names = {message.recipient for message in messages}
        assert len({name.casefold() for name in names}) == len(names)
        told = [(message.recipient, each) for message in messages for each in message.notice_ids]
        assert len(set(told)) == len(told)


def days(entry: VersionSupport) -> set[str]:
    return set(date_texts(entry))


def date_texts(entry: VersionSupport) -> tuple[str, str]:
    return f"{entry.end_of_standard:%Y-%m-%d}", f"{entry.end_of_extended:%Y-%m-%d}"


TestWatchedFleet = WatchedFleet.TestCase
TestWatchedFleet.settings = settings(max_examples=examples(12), stateful_step_count=12, deadline=None)


def by_spelling(notices: Iterable[Notice]) -> dict[str, list[Notice]]:
    """The earlier behaviour: each spelling of an address counts as a person."""
    found: dict[str, list[Notice]] = {}
    for notice in notices:
        found.setdefault(notice.recipient, []).append(notice)
    return found


def a_throttled_fleet() -> WatchedFleet:
    """A cluster of 1.31 with an end postponed by AWS; then EKS can't be asked for the dates."""
    fleet = WatchedFleet()
    fleet.clusters_are_found([("1.31", OWNERS[0], "EXTENDED")], 1, set())
    fleet.a_date_moves("1.31", 60)
    fleet.days_pass(1, throttled=False)
    fleet.days_pass(1, throttled=True)
    return fleet


def test_row_13_a_date_that_eks_moved_stays_moved_while_it_cant_be_asked() -> None:
    """Issue 12, row 13."""
    fleet = a_throttled_fleet()
    fleet.no_mail_names_a_date_that_eks_had_not_told()
    assert [n for n in fleet.world.watch.store.notices.values() if n.kind is NoticeKind.DATE_MOVED] == []


def dates_are_as_told() -> None:
    a_throttled_fleet().no_mail_names_a_date_that_eks_had_not_told()


def deeds_are_as_done() -> None:
    """Its owner upgrades a cluster a week before its standard support ends."""
    fleet = WatchedFleet()
    fleet.clusters_are_found([("1.34", OWNERS[0], "EXTENDED")], 1, set())
    fleet.days_pass(1, throttled=False)
    fleet.somebody_upgrades(0)
    fleet.days_pass(1, throttled=False)
    assert any(notice.kind in (NoticeKind.SOLVED, NoticeKind.UPGRADED_BY_AWS) for notice in fleet.last_sent())
    fleet.no_mail_names_a_version_or_a_deed_that_was_not_so()


def what_is_sent_is_taken() -> None:
    fleet = WatchedFleet()
    fleet.clusters_are_found([("1.31", OWNERS[0], "EXTENDED")], 1, {OWNERS[0]})
    fleet.days_pass(1, throttled=False)
    assert fleet.world.watch.notifier.messages
    fleet.nothing_is_sent_that_nobody_took()


def one_person_hears_once() -> None:
    fleet = WatchedFleet()
    fleet.clusters_are_found([("1.31", OWNERS[0], "EXTENDED"), ("1.31", OWNERS[1], "EXTENDED")], 4, set())
    fleet.days_pass(1, throttled=False)
    fleet.who_is_one_person_gets_no_digest_for_each_spelling()


#: The broken function, its name at the import, the broken version, and the promise that then fails.
BROKEN: dict[str, tuple[Any, str, Any, Callable[[], None]]] = {
    "what EKS told is forgotten": (
        observation,
        "_steady",
        lambda before, cluster, support, now: support,
        dates_are_as_told,
    ),
    "whatever raised a version was AWS": (
        observation,
        "_was_forced",
        lambda before, cluster, now: before.cluster.version != cluster.version,
        deeds_are_as_done,
    ),
    "a mail names the version that was": (
        decision,
        "why_solved",
        lambda watched, sending: f"It runs {sending.deadline_id.split('#')[1]} now.",
        deeds_are_as_done,
    ),
    "a mail counts as sent whoever takes it": (
        FakeReach,
        "undeliverable_reason",
        lambda reach, recipient, message=None: None,
        what_is_sent_is_taken,
    ),
    "an address is another one in capitals": (delivery, "by_recipient", by_spelling, one_person_hears_once),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_that_is_broken_on_purpose_is_noticed(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    where, name, broken, promise = BROKEN[rule]
    promise()
    monkeypatch.setattr(where, name, broken)
    with pytest.raises(AssertionError):
        promise()
