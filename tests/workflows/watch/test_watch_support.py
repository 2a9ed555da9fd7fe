"""The support watch from the schedule's event to the mail, on fakes: nothing is lost or repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import AccessDenied, AwsUnavailable, Throttled
from chalicelib.domain.notices.notice import NoticeKind, NoticeState
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.domain.support.fleet import NodeKind, Nodes
from tests.fakes import NOW, OWNER, FakeWorld, a_lab, make_deps
from tests.fakes.fleet import FakeFleet
from tests.fakes.fleet_builders import HOME, OPS, REGION, a_fleet_cluster, a_key, a_registration, an_addon, an_insight
from tests.workflows.machine import LambdaDied, Machine

DENIED = AccessDenied("eks:DescribeCluster", "AccessDeniedException", "not authorized")
ELSEWHERE = Place("444455556666", "eu-west-1", "arn:aws:iam::444455556666:role/ekslab-member-read")


@pytest.fixture
def world() -> FakeWorld:
    world = make_deps()
    world.watch.store.register(a_registration())
    return world


def run(world: FakeWorld, at: datetime = NOW, **options: Any) -> str:
    """One day's run, with the schedule event's time."""
    return Machine("watch_support", world.deps, **options).run({"time": at.isoformat()})


def days(count: int) -> datetime:
    return NOW + timedelta(days=count)


def test_the_owner_of_a_cluster_near_its_deadline_gets_one_message_and_the_bus_an_event(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    assert run(world) == "Finished"
    [message] = world.watch.notifier.to(OPS)
    assert "orders" in message.body
    assert [kind for kind, _ in world.watch.notifier.events] == ["SupportDeadlineNear"] * 1
    kept = world.watch.store.kept[a_key("orders")]
    assert (kept.support.phase, kept.owner, kept.read_at) == (SupportPhase.STANDARD, OPS, NOW)


def test_row_20_a_lab_that_was_upgraded_by_hand_has_the_version_that_eks_tells(world: FakeWorld) -> None:
    """Issue 12, row 20: `GET /labs` kept the old version."""
    lab = a_lab(phase="ready")
    world.store.put(lab)
    key = ClusterKey(lab.account, lab.region, lab.name)
    world.watch.fleets.add(replace(a_fleet_cluster("myeks", "1.37", tags={"ekslab:lab-id": lab.id}), key=key))
    run(world)
    assert world.store.load_lab(lab.id).kubernetes_version == "1.37"
    before = world.store.load_lab(lab.id)
    run(world, days(1))
    assert world.store.load_lab(lab.id) == before


def test_the_same_day_twice_says_nothing_twice(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    run(world)
    before = world.watch.notifier.messages
    assert run(world) == "Finished"
    assert world.watch.notifier.messages == before


def test_an_owner_of_forty_clusters_gets_one_digest(world: FakeWorld) -> None:
    world.watch.fleets.add(*(a_fleet_cluster(f"orders-{n}", "1.34") for n in range(40)))
    run(world)
    assert len(world.watch.notifier.to(OPS)) == 1


def test_a_scan_of_a_thousand_clusters_with_faulty_ones_reports_all_the_others(world: FakeWorld) -> None:
    fleets = world.watch.fleets
    clusters = [a_fleet_cluster(f"c{n:04}", "1.34") for n in range(1000)]
    fleets.add(*clusters)
    faults = [DENIED, AwsUnavailable("500"), Throttled("for ever"), KeyError("cluster"), AttributeError("new_call")]
    for n, fault in enumerate((faults * 2)[:8]):
        fleets.break_cluster(clusters[n * 100].key, fault)
    fleets.vanish(clusters[50].key, clusters[950].key)
    assert run(world) == "Finished"
    kept = world.watch.store.kept
    good = {c.key for n, c in enumerate(clusters) if n not in {50, 950, *range(0, 800, 100)}}
    assert {key for key, one in kept.items() if one.trouble is None} == good
    troubles = {one.trouble.code for one in kept.values() if one.trouble}
    assert troubles == {"AccessDeniedException", "AwsUnavailable", "Throttled", "KeyError", "AttributeError"}
    assert len(kept) == 998


def test_a_page_of_names_that_fails_costs_the_pages_before_it_nothing_and_is_asked_for_again(world: FakeWorld) -> None:
    world.watch.fleets.add(*(a_fleet_cluster(f"c{n:04}", "1.36") for n in range(250)))
    pages = iter(range(100))
    ask = FakeFleet.names

    def fails_once(fleet: FakeFleet, cursor: str | None) -> tuple[tuple[str, ...], str | None]:
        if next(pages) == 1:
            raise Throttled("eks:ListClusters")
        return ask(fleet, cursor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeFleet, "names", fails_once)
        assert run(world) == "Finished"
    assert len(world.watch.store.kept) == 250
    assert world.watch.store.place_troubles() == {}
    assert next(pages) == 4


def test_a_place_that_cannot_be_read_is_a_finding_and_the_others_are_read(world: FakeWorld) -> None:
    world.watch.store.register(
        a_registration(account=ELSEWHERE.account, regions=("eu-west-1",), role_arn=ELSEWHERE.role_arn)
    )
    world.watch.fleets.break_place(ELSEWHERE, AccessDenied("sts:AssumeRole", "AccessDenied", "no"))
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    assert run(world) == "Finished"
    assert a_key("orders") in world.watch.store.kept
    [(place, trouble)] = world.watch.store.place_troubles().items()
    assert (place, trouble.code, trouble.since) == (ELSEWHERE, "AccessDenied", NOW)
    run(world, days(3))
    assert world.watch.store.place_troubles()[ELSEWHERE].since == NOW
    text = [n for n in world.watch.store.notices.values() if n.kind is NoticeKind.UNREADABLE]
    assert [(n.key.account, n.key.name, n.state) for n in text] == [(ELSEWHERE.account, "*", NoticeState.SENT)]
    world.watch.fleets.mend()
    run(world, days(4))
    assert world.watch.store.place_troubles() == {}


def test_a_scan_whose_lambda_dies_each_time_loses_that_place_alone(world: FakeWorld) -> None:
    world.watch.store.register(
        a_registration(account=ELSEWHERE.account, regions=("eu-west-1",), role_arn=ELSEWHERE.role_arn)
    )
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    scans = iter(range(100))

    def dies(function: str) -> None:
        if function == "scan_place" and next(scans) > 0:
            raise LambdaDied

    assert run(world, before=dies) == "Finished"
    assert list(world.watch.store.place_troubles()) == [ELSEWHERE]
    assert a_key("orders") in world.watch.store.kept


def test_trouble_is_told_after_days_with_its_beginning_and_what_was_known_stays(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    run(world)
    world.watch.fleets.break_cluster(a_key("orders"), DENIED)
    for day in range(1, 5):
        run(world, days(day))
    kept = world.watch.store.kept[a_key("orders")]
    assert kept.trouble is not None
    assert (kept.trouble.since, kept.trouble.last_tried_at, kept.cluster.version) == (days(1), days(4), "1.34")
    text = [n for n in world.watch.store.notices.values() if n.kind is NoticeKind.UNREADABLE]
    assert [n.decided_at for n in text] == [days(4)]
    world.watch.fleets.mend()
    run(world, days(5))
    assert world.watch.store.kept[a_key("orders")].trouble is None


def test_a_cluster_never_read_is_listed_with_its_trouble(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("secret"))
    world.watch.fleets.break_cluster(a_key("secret"), DENIED)
    run(world)
    kept = world.watch.store.kept[a_key("secret")]
    assert (kept.support.phase, kept.support.next, kept.gone_at) == (SupportPhase.UNKNOWN, None, None)
    world.watch.fleets.mend()
    run(world, days(1))
    kept = world.watch.store.kept[a_key("secret")]
    assert (kept.trouble, kept.cluster.version, kept.owner) == (None, "1.34", OPS)


def test_a_deleted_cluster_is_gone_and_those_told_hear_it_once(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"), a_fleet_cluster("other", "1.37"))
    run(world)
    world.watch.fleets.remove(a_key("orders"))
    for day in (1, 2, 3):
        run(world, days(day))
    assert world.watch.store.kept[a_key("orders")].gone_at == days(1)
    assert world.watch.store.kept[a_key("other")].gone_at is None
    solved = [n for n in world.watch.store.notices.values() if n.kind is NoticeKind.SOLVED]
    assert {n.recipient for n in solved} == {n.recipient for n in world.watch.store.notices.values()}
    assert len({(n.recipient, n.deadline_id) for n in solved}) == len(solved)
    assert all(n.state is NoticeState.SENT for n in solved)


def test_a_place_that_cannot_be_listed_makes_no_cluster_gone(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    run(world)
    world.watch.fleets.break_place(HOME, DENIED)
    run(world, days(1))
    assert world.watch.store.kept[a_key("orders")].gone_at is None


def test_a_forced_upgrade_is_seen_and_the_nodes_that_stayed_behind_are_told(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("old", "1.31"))
    run(world)
    world.watch.fleets.upgrade(a_key("old"), "1.32")
    run(world, days(4))
    assert world.watch.store.kept[a_key("old")].upgraded_by_aws_at == days(4)
    kinds = {n.kind for n in world.watch.store.notices.values() if n.decided_at == days(4)}
    assert {NoticeKind.UPGRADED_BY_AWS, NoticeKind.NODES_BEHIND} <= kinds


def test_an_upgrade_before_the_date_is_its_owners_doing(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("old", "1.31"))
    run(world)
    world.watch.fleets.upgrade(a_key("old"), "1.32")
    run(world, days(2))
    assert world.watch.store.kept[a_key("old")].upgraded_by_aws_at is None


def test_a_lab_is_told_its_lease_ends_first(world: FakeWorld) -> None:
    lab = a_lab(phase="ready", lease_ends_at=NOW + timedelta(days=2))
    world.store.put(lab)
    world.watch.fleets.add(a_fleet_cluster(lab.name, "1.34", tags={"ekslab:lab-id": lab.id}))
    world.watch.fleets.add(a_fleet_cluster("pretender", "1.34", tags={"ekslab:lab-id": lab.id}))
    run(world)
    kept = world.watch.store.kept[a_key(lab.name)]
    assert (kept.lab_id, kept.lease_ends_at, kept.owner, kept.support.lease_first) == (lab.id, days(2), OWNER, True)
    assert world.watch.store.kept[a_key("pretender")].lab_id is None


def test_readiness_is_read_when_a_deadline_is_near_and_kept_when_eks_does_not_answer(world: FakeWorld) -> None:
    near, far = a_fleet_cluster("near", "1.34"), a_fleet_cluster("far", "1.37")
    fleets = world.watch.fleets
    fleets.add(near, far)
    fleets.insights = {key: (an_insight(),) for key in (near.key, far.key)}
    fleets.addons = {key: (an_addon(),) for key in (near.key, far.key)}
    run(world)
    assert world.watch.store.kept[near.key].cluster.insights == (an_insight(),)
    assert world.watch.store.kept[near.key].cluster.addons == (an_addon(),)
    assert world.watch.store.kept[far.key].cluster.insights == ()
    assert fleets.refreshed == [near.key]
    world.watch.fail("insights", Throttled("slow down"))
    run(world, days(1))
    assert world.watch.store.kept[near.key].cluster.insights == (an_insight(),)


def test_readiness_that_the_role_may_not_read_is_told_in_awss_words(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("near", "1.34"))
    world.watch.fail("insights", AccessDenied("eks:ListInsights", "AccessDeniedException", "not authorized"))
    run(world)
    told = ("eks:ListInsights: AccessDeniedException: not authorized",)
    assert world.watch.store.kept[a_key("near")].cluster.unread == told
    run(world, days(1))
    assert world.watch.store.kept[a_key("near")].cluster.unread == ()


def test_events_that_the_bus_refuses_are_named_by_the_runs_summary_and_delay_no_mail(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("near", "1.34"))
    world.watch.fail("publish_events", AccessDenied("events:PutEvents", "AccessDeniedException", "not authorized"))
    machine = Machine("watch_support", world.deps)
    machine.run({"time": NOW.isoformat()})
    ended = machine.output["finish"]
    assert ended["outcome"] == "done"
    assert ["AccessDeniedException" in each for each in ended["dropped_events"]] == [True]
    assert world.watch.notifier.messages


def test_a_crash_after_deciding_loses_no_notice(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    dead = Machine("watch_support", world.deps, before=lambda f: _die_in(f, "deliver_notices"))
    assert dead.run({"time": NOW.isoformat()}) == "Incomplete"
    assert world.watch.notifier.messages == ()
    assert run(world, days(1)) == "Finished"
    assert len(world.watch.notifier.to(OPS)) == 1
    assert all(n.state is NoticeState.SENT for n in world.watch.store.notices.values())


def test_a_message_that_fails_is_sent_in_the_next_round_and_holds_up_no_other(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("a", tags={"owner": "data@example.com"}), a_fleet_cluster("b"))
    world.watch.fail("send", AwsUnavailable("not now"))
    machine = Machine("watch_support", world.deps)
    assert machine.run({"time": NOW.isoformat()}) == "Finished"
    assert machine.waited >= 300
    assert [len(world.watch.notifier.to(who)) for who in ("data@example.com", OPS)] == [1, 1]


def test_a_bus_that_fails_holds_up_no_mail(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    world.watch.fail("publish_events", AwsUnavailable("not now"), times=9)
    assert run(world) == "Finished"
    assert len(world.watch.notifier.to(OPS)) == 1


def test_a_topic_that_takes_nothing_leaves_everything_for_the_next_run(world: FakeWorld) -> None:
    world.watch.fleets.add(a_fleet_cluster("orders", "1.34"))
    world.watch.fail("send", AwsUnavailable("not now"), times=9)
    assert run(world) == "Incomplete"
    assert all(n.state is NoticeState.PENDING for n in world.watch.store.notices.values())


def test_many_places_pass_in_portions_that_fit_into_a_payload(world: FakeWorld) -> None:
    regions = tuple(f"eu-{part}-{n}" for part in ("west", "north", "south") for n in range(10))
    for n in range(30):
        account = f"{n:012}"
        role = f"arn:aws:iam::{account}:role/ekslab-member-read"
        world.watch.store.register(a_registration(account=account, regions=regions, role_arn=role))
    machine = Machine("watch_support", world.deps)
    assert machine.run({"time": NOW.isoformat()}) == "Finished"
    assert machine.path.count("ScanPlace") == 30 * 30 + 1
    assert machine.path.count("Begin") == 4


def test_clusters_of_an_account_that_is_watched_no_more_are_forgotten_quietly(world: FakeWorld) -> None:
    elsewhere = a_key("theirs", account=ELSEWHERE.account, region="eu-west-1")
    world.watch.store.register(
        a_registration(account=ELSEWHERE.account, regions=("eu-west-1",), role_arn=ELSEWHERE.role_arn)
    )
    world.watch.fleets.add(a_fleet_cluster(key=elsewhere))
    run(world)
    said = len(world.watch.store.notices)
    world.watch.store.unregister(ELSEWHERE.account)
    run(world, days(1))
    assert world.watch.store.kept[elsewhere].gone_at == days(1)
    assert len(world.watch.store.notices) == said


def test_self_managed_nodes_behind_are_reported_until_they_follow(world: FakeWorld) -> None:
    lagging = a_fleet_cluster("orders", "1.37", nodes=(Nodes("i-1", NodeKind.SELF_MANAGED, "1.35", 2),))
    world.watch.fleets.add(lagging)
    for day in range(15):
        run(world, days(day))
    text = [n for n in world.watch.store.notices.values() if n.kind is NoticeKind.NODES_BEHIND]
    assert [n.decided_at for n in sorted(text, key=lambda n: n.decided_at)] == [days(0), days(7), days(14)]
    world.watch.fleets.add(replace(lagging, nodes=(Nodes("i-1", NodeKind.SELF_MANAGED, "1.37", 2),)))
    run(world, days(21))
    assert len([n for n in world.watch.store.notices.values() if n.kind is NoticeKind.NODES_BEHIND]) == 3


def test_the_home_account_is_watched_without_being_registered() -> None:
    world = make_deps()
    home = replace(world.deps, watch=replace(world.deps.watch, home_regions=(REGION,)))
    world.watch.fleets.add(a_fleet_cluster("orders"))
    assert Machine("watch_support", home).run({"time": NOW.isoformat()}) == "Finished"
    assert a_key("orders") in world.watch.store.kept


def _die_in(function: str, deadly: str) -> None:
    if function == deadly:
        raise LambdaDied


def test_a_second_owner_tag_silences_nobody(world: FakeWorld) -> None:
    """Issue 11, row 7: the first is notified, whatever the second is; and an acknowledgement by the first silences no other."""
    tags = {"owner": OPS, "ekslab:owner": "mallory@example.com"}
    world.watch.fleets.add(replace(a_fleet_cluster("orders", "1.35"), tags=tags))
    run(world)
    kept = world.watch.store.kept[a_key("orders")]
    assert (kept.owner, kept.other_owners) == (OPS, ("mallory@example.com",))
    assert len(world.watch.notifier.to(OPS)) == len(world.watch.notifier.to("mallory@example.com")) == 1

    silenced = replace(
        kept, acknowledged_by=OPS, acknowledged_deadline=kept.support.next.id if kept.support.next else None
    )
    world.watch.store.put(silenced)
    run(world, days(40))
    assert len(world.watch.notifier.to("mallory@example.com")) > len(world.watch.notifier.to(OPS))


def test_a_labs_owner_is_who_asked_for_it_whatever_its_tags_say(world: FakeWorld) -> None:
    lab = a_lab(phase="ready", spec=replace(a_lab().spec, version="1.34"))
    world.store.create_lab(lab, None, "", NOW)
    tags = {"ekslab:lab-id": lab.id, "Owner": "mallory@example.com"}
    world.watch.fleets.add(replace(a_fleet_cluster(lab.name, "1.34"), tags=tags))
    run(world)
    kept = world.watch.store.kept[a_key(lab.name)]
    assert (kept.owner, kept.other_owners, kept.lab_id) == (lab.owner, ("mallory@example.com",), lab.id)
