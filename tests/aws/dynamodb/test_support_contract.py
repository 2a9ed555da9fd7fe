"""The contract of every FleetStore, tested on the fake, on moto's DynamoDB and on the sandbox's."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.dynamodb.support.store import DynamoFleetStore
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.notices.notice import Notice, NoticeKind, NoticeState
from chalicelib.domain.support.deadlines import DeadlineKind, Support, SupportPhase
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.support import FleetStore
from emulator.process import Sandbox
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, Account, FakeFleetStore
from tests.fakes.fleet_builders import (
    HOME,
    a_deadline,
    a_fleet_cluster,
    a_key,
    a_notice,
    a_place,
    a_registration,
    a_support,
    a_trouble,
    a_watched,
    an_addon,
    an_insight,
)

_numbers = itertools.count()
DAY = timedelta(days=1)


@pytest.fixture(params=["fake", "moto", "sandbox"])
def store(request: pytest.FixtureRequest) -> Iterator[FleetStore]:
    if request.param == "fake":
        yield FakeFleetStore(Account())
    elif request.param == "moto":
        with mock_aws():
            client = boto3.client("dynamodb", region_name="ap-northeast-2")
            yield DynamoFleetStore(client, create_table(client))
    else:
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        client = sandbox.client("dynamodb")
        table = create_table(client, f"fleet-{next(_numbers)}")
        yield DynamoFleetStore(client, table)
        client.delete_table(TableName=table)


def keep(store: FleetStore, *watched: Watched) -> None:
    for one in watched:
        store.change_watched(one.cluster.key, lambda _, one=one: one)


def a_rich_watched() -> Watched:
    cluster = a_fleet_cluster(insights=(an_insight(),), addons=(an_addon(),), deletion_protection=True)
    forced = a_deadline(kind=DeadlineKind.FORCED_UPGRADE, at=datetime(2027, 12, 2, tzinfo=UTC), target="1.35")
    support = a_support(deadlines=(a_deadline(), forced), lease_first=True, reason="1.34 is in standard support")
    said = {"acknowledged_by": "ops", "acknowledged_deadline": forced.id}
    instants = {"lease_ends_at": NOW + DAY, "snoozed_until": NOW, "upgraded_by_aws_at": NOW - DAY}
    return a_watched(cluster=cluster, support=support, trouble=a_trouble(), lab_id="lab-1", **said, **instants)


def a_poor_watched() -> Watched:
    bare = {"support_type": None, "platform_version": None, "created_at": None, "tags": {}, "nodes": ()}
    return a_watched(cluster=a_fleet_cluster(version="1.10", **bare), at=None, owner=None)


@pytest.mark.parametrize("watched", [a_watched(), a_rich_watched(), a_poor_watched()], ids=["plain", "rich", "poor"])
def test_a_cluster_comes_back_as_it_was_kept(store: FleetStore, watched: Watched) -> None:
    keep(store, watched)
    assert store.watched(a_key()) == replace(watched, version=1)
    assert store.watched_in(HOME) == (replace(watched, version=1),)
    assert store.list_watched(10, None) == ((replace(watched, version=1),), None)


def test_a_cluster_nobody_kept_is_none(store: FleetStore) -> None:
    assert store.watched(a_key()) is None
    assert store.change_watched(a_key(), lambda watched: watched) is None
    assert store.watched(a_key()) is None


def test_a_change_is_made_on_what_is_there_and_counted(store: FleetStore) -> None:
    keep(store, a_watched())
    changed = store.change_watched(a_key(), lambda watched: watched and replace(watched, acknowledged_by="ops"))
    assert changed is not None
    assert (changed.acknowledged_by, changed.version) == ("ops", 2)
    assert store.watched(a_key()) == changed


def test_a_change_that_changes_nothing_saves_nothing(store: FleetStore) -> None:
    keep(store, a_watched())
    kept = store.watched(a_key())
    assert store.change_watched(a_key(), lambda _: None) == kept
    assert store.change_watched(a_key(), lambda watched: watched) == kept
    assert store.watched(a_key()) == kept


def test_a_change_that_was_overtaken_is_made_again_on_what_is_there(store: FleetStore) -> None:
    keep(store, a_watched())
    seen: list[str | None] = []

    def change(watched: Watched | None) -> Watched | None:
        assert watched is not None
        seen.append(watched.owner)
        if len(seen) == 1 and not isinstance(store, FakeFleetStore):
            store.change_watched(a_key(), lambda other: other and replace(other, owner="team@example.com"))
        return replace(watched, acknowledged_by="ops")

    changed = store.change_watched(a_key(), change)
    assert changed is not None
    if not isinstance(store, FakeFleetStore):
        assert (seen[-1], changed.owner, changed.version) == ("team@example.com", "team@example.com", 3)


def test_two_who_keep_a_new_cluster_at_once_both_have_their_say(store: FleetStore) -> None:
    if isinstance(store, FakeFleetStore):
        # The fake allows no interleaving: there the other change comes just before.
        keep(store, a_watched(owner="first@example.com"))

    def change(watched: Watched | None) -> Watched:
        if watched is None:
            keep(store, a_watched(owner="first@example.com"))
        return replace(watched or a_watched(), acknowledged_by="second")

    changed = store.change_watched(a_key(), change)
    assert changed is not None
    assert (changed.owner, changed.acknowledged_by, changed.version) == ("first@example.com", "second", 2)


def test_many_clusters_of_a_place_are_changed_together_and_each_on_what_is_there(store: FleetStore) -> None:
    keep(store, *(a_watched(f"c-{i:03d}") for i in range(0, 230, 2)))
    keep(store, a_watched("c-1"), a_watched(cluster=a_fleet_cluster(key=a_key("c-000", region="us-east-1"))))

    def said(name: str) -> Callable[[Watched | None], Watched | None]:
        return lambda before: replace(before or a_watched(name), acknowledged_by=name)

    changes = {f"c-{i:03d}": said(f"c-{i:03d}") for i in range(230)}
    changes |= {"c-007": lambda _: None, "c-008": lambda before: before}
    changed = store.change_place(HOME, changes)
    assert {one.cluster.key.name: one for one in store.watched_in(HOME) if one.cluster.key.name != "c-1"} == {
        name: one for name, one in changed.items() if one is not None
    }
    assert changed["c-007"] is None
    assert {one.version for name, one in changed.items() if one and name != "c-008"} == {1, 2}
    assert {(name, one.acknowledged_by) for name, one in changed.items() if one} == {
        (name, None if name == "c-008" else name) for name in changes if name != "c-007"
    }
    assert store.change_place(HOME, {}) == {}


def test_who_is_overtaken_among_many_is_changed_anew_and_the_others_once(store: FleetStore) -> None:
    keep(store, *(a_watched(name) for name in "abc"))
    calls: Counter[str] = Counter()

    def change(name: str) -> Callable[[Watched | None], Watched | None]:
        def changed(before: Watched | None) -> Watched | None:
            assert before is not None
            calls[name] += 1
            if name == "b" and calls[name] == 1 and not isinstance(store, FakeFleetStore):
                store.change_watched(a_key("b"), lambda other: other and replace(other, owner="team@example.com"))
            return replace(before, acknowledged_by="ops")

        return changed

    store.change_place(HOME, {name: change(name) for name in "abc"})
    kept = store.watched_in(HOME)
    assert [one.acknowledged_by for one in kept] == ["ops"] * 3
    if not isinstance(store, FakeFleetStore):
        assert [(one.version, calls[one.cluster.key.name]) for one in kept] == [(2, 1), (3, 2), (2, 1)]


def test_clusters_too_large_for_one_transaction_are_kept_all_the_same(store: FleetStore) -> None:
    large = {
        f"c-{i:02d}": a_watched(cluster=a_fleet_cluster(f"c-{i:02d}", tags={"n": "x" * 350_000})) for i in range(15)
    }
    store.change_place(HOME, {name: lambda _, one=one: one for name, one in large.items()})
    assert [one.cluster.key.name for one in store.watched_in(HOME)] == sorted(large)


def test_clusters_are_read_by_their_keys_wherever_they_are(store: FleetStore) -> None:
    elsewhere = a_watched(cluster=a_fleet_cluster(key=a_key("b", region="us-east-1")))
    keep(store, *(a_watched(f"c-{i:03d}") for i in range(120)), elsewhere)
    keys = [a_key(f"c-{i:03d}") for i in range(130)]
    found = store.watched_of([*keys, elsewhere.cluster.key, keys[0]])
    assert set(found) == {*keys[:120], elsewhere.cluster.key}
    assert {key: one.cluster.key for key, one in found.items()} == {key: key for key in found}
    assert store.watched_of([]) == {}


def _walk(store: FleetStore, limit: int) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: str | None = None
    while not pages or cursor:
        watched, cursor = store.list_watched(limit, cursor)
        pages.append([one.cluster.key.name for one in watched])
    return pages


def test_clusters_are_listed_by_what_comes_first_and_those_without_a_deadline_last(store: FleetStore) -> None:
    at = {"overdue": NOW - DAY, "later": NOW + 90 * DAY, "never": None, "soon": NOW + DAY, "also-soon": NOW + DAY}
    keep(store, *(a_watched(name, at=instant) for name, instant in at.items()))
    in_order = ["overdue", "also-soon", "soon", "later", "never"]
    assert _walk(store, 10) == [in_order]
    assert _walk(store, 2) == [in_order[:2], in_order[2:4], in_order[4:]]
    assert _walk(store, 5) == [in_order]


def test_row_14_a_cluster_without_a_known_date_is_first_in_the_list(store: FleetStore) -> None:
    unknown = Support(SupportPhase.UNKNOWN, (), billed_extended=False)
    keep(store, a_watched("overdue", at=NOW - DAY), replace(a_watched("relic", at=None), support=unknown))
    assert _walk(store, 1) == [["relic"], ["overdue"]]


def test_a_cluster_moves_in_the_list_when_its_date_moves_and_leaves_it_when_it_is_gone(store: FleetStore) -> None:
    keep(store, a_watched("a", at=NOW + DAY), a_watched("b", at=NOW + 2 * DAY))
    keep(store, a_watched("a", at=NOW + 3 * DAY))
    assert _walk(store, 10) == [["b", "a"]]
    keep(store, a_watched("b", gone_at=NOW))
    assert _walk(store, 10) == [["a"]]
    assert [one.cluster.key.name for one in store.watched_in(HOME)] == ["a", "b"]
    keep(store, a_watched("b", at=NOW))
    assert _walk(store, 10) == [["b", "a"]]


def test_a_place_has_its_own_clusters_and_no_others(store: FleetStore) -> None:
    elsewhere = a_place(region="ap-northeast-1")
    other_account = a_place(account="444455556666", role_arn="arn:aws:iam::444455556666:role/watch")
    for place in (HOME, elsewhere, other_account):
        keep(store, a_watched(cluster=a_fleet_cluster(key=a_key(account=place.account, region=place.region))))
    for place in (HOME, elsewhere, other_account):
        (found,) = store.watched_in(place)
        assert (found.cluster.key.account, found.cluster.key.region) == (place.account, place.region)
    assert store.watched_in(a_place(region="ap-northeast")) == ()


def test_a_place_of_hundreds_comes_back_whole(store: FleetStore) -> None:
    padding = {"note": "x" * 9000}
    keep(store, *(a_watched(cluster=a_fleet_cluster(f"c-{i:03d}", tags=padding)) for i in range(150)))
    assert [one.cluster.key.name for one in store.watched_in(HOME)] == [f"c-{i:03d}" for i in range(150)]
    assert [len(page) for page in _walk(store, 100)] == [100, 50]


@pytest.mark.parametrize("cursor", ["nonsense", "e30=", "WzFd", "%%%"])
def test_a_made_up_cursor_is_a_bad_field(store: FleetStore, cursor: str) -> None:
    keep(store, a_watched())
    for read in (store.list_watched, store.list_notices):
        with pytest.raises(InvalidRequest) as refusal:
            read(2, cursor)
        assert [finding.path for finding in refusal.value.findings] == ["cursor"]


def test_the_registry_knows_an_account_once(store: FleetStore) -> None:
    store.unregister("444455556666")
    other = a_registration(
        account="444455556666", name="payments", role_arn="arn:aws:iam::444455556666:role/w", team="t"
    )
    for registration in (other, a_registration(), replace(other, regions=("us-east-1", "eu-west-1"))):
        store.register(registration)
    assert store.registrations() == (a_registration(), replace(other, regions=("us-east-1", "eu-west-1")))
    store.unregister(a_registration().account)
    assert [registration.name for registration in store.registrations()] == ["payments"]


def test_a_place_s_trouble_stays_until_it_reads_again(store: FleetStore) -> None:
    other = a_place(account="444455556666", role_arn="arn:aws:iam::444455556666:role/watch")
    assert store.place_trouble(HOME) is None
    store.set_place_trouble(HOME, None)
    store.set_place_trouble(HOME, a_trouble())
    store.set_place_trouble(other, a_trouble(code="ExpiredToken"))
    later = a_trouble(last_tried_at=NOW + DAY)
    store.set_place_trouble(HOME, later)
    assert store.place_trouble(HOME) == later
    assert store.place_troubles() == {HOME: later, other: a_trouble(code="ExpiredToken")}
    store.set_place_trouble(HOME, None)
    assert store.place_trouble(HOME) is None
    assert store.place_troubles() == {other: a_trouble(code="ExpiredToken")}


def test_a_notice_is_pending_until_it_is_sent_and_only_the_first_marking_counts(store: FleetStore) -> None:
    store.add_notices([a_notice()])
    assert store.pending_notices(10) == (a_notice(),)
    store.mark_sent([(a_key(), a_notice().id)], "message-1", NOW + DAY)
    store.mark_sent([(a_key(), a_notice().id)], "message-2", NOW + 2 * DAY)
    sent = replace(a_notice(), state=NoticeState.SENT, message_id="message-1", sent_at=NOW + DAY)
    assert store.pending_notices(10) == ()
    assert store.notices_of(a_key()) == (sent,)
    assert store.list_notices(10, None) == ((sent,), None)


def test_a_notice_decided_again_stays_as_it_was_sent_or_not(store: FleetStore) -> None:
    again = a_notice(decided_at=NOW + DAY, note="again")
    store.add_notices([a_notice(), again])
    store.add_notices([again, a_notice(reminder=7)])
    assert len(store.notices_of(a_key())) == 2
    store.mark_sent([(a_key(), a_notice().id)], "message-1", NOW)
    store.add_notices([again])
    (sent, pending) = store.notices_of(a_key())
    assert {sent.state, pending.state} == {NoticeState.SENT, NoticeState.PENDING}
    assert [notice.reminder for notice in store.pending_notices(10)] == [7]
    assert "again" not in {sent.note, pending.note}


def test_a_recipient_may_have_the_longest_name_a_tag_can_give(store: FleetStore) -> None:
    long, other = (a_notice(recipient="\N{FIRE}" * 255 + end) for end in "ab")
    store.add_notices([long, other, long])
    assert set(store.pending_notices(10)) == {long, other}
    store.mark_sent([(long.key, long.id)], "message-1", NOW)
    assert store.pending_notices(10) == (other,)
    assert {notice.recipient for notice in store.list_notices(10, None)[0]} == {long.recipient, other.recipient}


def test_marking_a_notice_that_is_not_there_makes_none(store: FleetStore) -> None:
    store.mark_sent([(a_key(), "deadline#none")], "message-1", NOW)
    assert store.notices_of(a_key()) == ()
    assert store.list_notices(10, None) == ((), None)


def _many(count: int) -> list[Notice]:
    kinds = list(NoticeKind)
    return [
        a_notice(f"c-{i % 7}", reminder=i, kind=kinds[i % len(kinds)], decided_at=NOW + timedelta(seconds=i))
        for i in range(count)
    ]


def test_hundreds_of_notices_are_written_once_each_whatever_was_there(store: FleetStore) -> None:
    notices = _many(250)
    store.add_notices(notices[50:60])
    store.add_notices(iter(notices))
    store.add_notices([])
    assert store.pending_notices(1000) == tuple(notices)
    assert store.pending_notices(3) == tuple(notices[:3])
    store.mark_sent([(notice.key, notice.id) for notice in notices[:5]], "message-1", NOW)
    assert store.pending_notices(2) == tuple(notices[5:7])


def test_all_notices_are_listed_newest_first_in_pages_without_gap_or_repeat(store: FleetStore) -> None:
    notices = _many(5)
    store.add_notices(notices)
    first, cursor = store.list_notices(3, None)
    second, end = store.list_notices(3, cursor)
    assert [*first, *second] == notices[::-1]
    assert end is None


def test_a_cluster_s_notices_are_its_own_oldest_first(store: FleetStore) -> None:
    late, early = a_notice(reminder=7, decided_at=NOW + DAY), a_notice(reminder=14, decided_at=NOW)
    store.add_notices([late, early, a_notice("orders-2"), a_notice(key=a_key(region="us-east-1"))])
    assert store.notices_of(a_key()) == (early, late)
    there = {a_key(): (early, late), a_key("orders-2"): (a_notice("orders-2"),)}
    assert store.notices_in(HOME) == there
    assert store.notices_in(a_place(account="444455556666")) == {}


def test_a_place_s_clusters_and_notices_are_not_mixed_up(store: FleetStore) -> None:
    keep(store, a_watched("a"), a_watched("b"))
    store.add_notices([a_notice("a"), a_notice("a-b"), a_notice("*")])
    assert [one.cluster.key.name for one in store.watched_in(HOME)] == ["a", "b"]
    assert store.notices_of(a_key("a")) == (a_notice("a"),)
    assert set(store.notices_in(HOME)) == {a_key("a"), a_key("a-b"), a_key("*")}


def test_of_many_notices_those_are_marked_that_may_be(store: FleetStore) -> None:
    notices = _many(130)
    store.add_notices(notices)
    ids = [(notice.key, notice.id) for notice in notices]
    store.mark_sent(ids[20:40], "message-1", NOW)
    store.mark_sent([*ids, *ids, (a_key(), "deadline#none")], "message-2", NOW)
    sent = {notice.id: notice.message_id for notice in store.list_notices(200, None)[0]}
    assert [sent[notice.id] for notice in notices] == ["message-2"] * 20 + ["message-1"] * 20 + ["message-2"] * 90
    store.mark_bounced(notices[:30], "message-2", "it came back")
    assert store.pending_notices(200) == tuple(
        replace(notice, state=NoticeState.UNHEARD, unheard="it came back") for notice in notices[:20]
    )
