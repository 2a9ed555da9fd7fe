"""The clusters that the service only watches: others' in two accounts; and AWS, which changes dates and forces upgrades."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.domain.core.message import Message
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.notices.notice import NoticeKind, NoticeState
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.support.deadlines import DeadlineKind
from chalicelib.domain.support.fleet import FleetCluster
from chalicelib.domain.support.observation import LIVE
from tests.fakes import NOW, a_calendar
from tests.fakes.fleet_builders import REGION, a_fleet_cluster, a_registration
from tests.workflows.machine import Machine
from tests.workflows.night.nights import Nights
from tests.workflows.night.test_fleets import OWNERS
from tests.workflows.watch.test_fleets import DAY, VERSIONS, date_texts

HOME, MEMBER = "111122223333", "444455556666"
#: The watch runs once within this time.
DAILY = timedelta(hours=26)
#: A version, the owner, the account, and the support policy.
KINDS = st.tuples(
    st.sampled_from(VERSIONS[1:]),
    st.sampled_from([*OWNERS, "shop@example.com", "Shop@Example.com"]),
    st.sampled_from([HOME, MEMBER]),
    st.sampled_from(["STANDARD", "EXTENDED"]),
)


class WatchedClusters(RuleBasedStateMachine):
    """`others`: each cluster in EKS, `touched`: its last change; `truth`: AWS's dates, `ever`: all dates it ever published."""

    nights: Nights
    now: datetime
    sent: list[tuple[datetime, Message, bool]]

    def __init__(self) -> None:
        super().__init__()
        self.others: dict[ClusterKey, FleetCluster] = {}
        self.touched: dict[ClusterKey, datetime] = {}
        self.truth = {entry.version: entry for entry in a_calendar().versions}
        self.ever: dict[str, set[str]] = {entry.version: set(date_texts(entry)) for entry in a_calendar().versions}

    def register_accounts(self) -> None:
        for account in (HOME, MEMBER):
            self.nights.world.watch.store.register(replace(a_registration(), account=account, name=account))

    @initialize(kinds=st.lists(KINDS, max_size=4), clusters=st.integers(0, 12))
    def others_have_clusters(self, kinds: list[tuple[str, str, str, str]], clusters: int) -> None:
        for number in range(clusters if kinds else 0):
            version, owner, account, policy = kinds[number % len(kinds)]
            key = ClusterKey(account, REGION, f"shop-{number}")
            self._put(a_fleet_cluster(key=key, version=version, tags={"owner": owner}, support_type=policy))

    def _put(self, cluster: FleetCluster) -> None:
        self.others[cluster.key], self.touched[cluster.key] = cluster, self.now

    @rule(number=st.integers(0, 11), again=st.booleans())
    def others_delete_one_of_theirs(self, number: int, again: bool) -> None:
        """And perhaps create one of the same name, of another version."""
        for key in [key for key in self.others if key.name == f"shop-{number}"]:
            gone = self.others.pop(key)
            self.touched[key] = self.now
            if again:
                self._put(replace(gone, version="1.36", created_at=self.now))

    @rule(version=st.sampled_from(VERSIONS[1:]), by=st.integers(-20, 60))
    def aws_moves_a_date(self, version: str, by: int) -> None:
        entry = self.truth[version]
        moved = max(entry.end_of_extended + by * DAY, entry.end_of_standard + DAY)
        if self.now < min(moved, entry.end_of_extended):
            self.truth[version] = replace(entry, end_of_extended=moved)
            self.ever[version] |= set(date_texts(self.truth[version]))
            self.calendar_is_told()

    @rule(version=st.sampled_from(VERSIONS[1:]), days=st.integers(1, 3))
    def aws_ends_standard_support_soon(self, version: str, days: int) -> None:
        entry = self.truth[version]
        soon = (self.now + days * DAY).replace(hour=0, minute=0)
        if self.now < entry.end_of_standard:
            self.truth[version] = replace(entry, end_of_standard=soon)
            self.ever[version] |= set(date_texts(self.truth[version]))
            self.calendar_is_told()

    def calendar_is_told(self) -> None:
        world = self.nights.world
        calendar = Calendar(tuple(self.truth.values()), LIVE, self.now)
        world.watch.fleets.calendar = world.clusters.calendar = calendar

    def forced(self, version: str, policy: str) -> str | None:
        """The version to which AWS upgrades a control plane now, if it is due."""
        calendar = Calendar(tuple(self.truth.values()), LIVE, self.now)
        for deadline in decide_support(version, policy, calendar, self.now).deadlines:
            if deadline.kind is DeadlineKind.FORCED_UPGRADE and deadline.at <= self.now:
                return deadline.target
        return None

    def aws_upgrades(self) -> None:
        """Each due cluster, including labs'."""
        for cluster in list(self.others.values()):
            target = self.forced(cluster.version, str(cluster.support_type))
            if target:
                self._put(replace(cluster, version=target))

    def watch(self, labs: list[FleetCluster]) -> None:
        """The daily run over others' clusters and labs'."""
        fleets = self.nights.world.watch.fleets
        for key in list(fleets.clusters):
            fleets.remove(key)
        fleets.add(*self.others.values(), *labs)
        Machine("watch_support", self.nights.world.deps).run({"time": self.now.isoformat()})

    @invariant()
    def the_watch_knows_within_a_day_what_there_is(self) -> None:
        kept = self.nights.world.watch.store.kept
        for key, touched in self.touched.items():
            if self.now - max(touched, NOW) <= DAILY:
                continue
            cluster, known = self.others.get(key), kept.get(key)
            if cluster is None:
                assert known is None or known.gone_at is not None, f"{key.name} is gone, and told as there"
            else:
                assert known is not None, f"{key.name} is there, and not known"
                told = known.gone_at is None and known.cluster.version == cluster.version
                assert told or known.trouble is not None, f"{key.name} is told as {known.cluster.version}"

    @invariant()
    def no_notice_is_sent_that_nobody_took(self) -> None:
        taken = {each for _, message, heard in self.sent if heard for each in message.notice_ids}
        for notice in self.nights.world.watch.store.notices.values():
            sent = notice.state is NoticeState.SENT and notice.message_id != "nothing-to-say"
            assert not sent or (notice.key, notice.id) in taken, f"{notice.id} is sent, and nobody took it"

    @invariant()
    def no_notice_names_a_date_that_aws_never_told(self) -> None:
        for notice in self.nights.world.watch.store.notices.values():
            if notice.kind in (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED):
                _, version, day = notice.deadline_id.split("#")
                assert day in self.ever[version], f"{notice.id}: never told"
