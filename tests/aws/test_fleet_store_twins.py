"""The fake fleet store and the real one live the same random lives: whatever is asked of both, both answer alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import boto3
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.aws.fleet_store import DynamoFleetStore
from chalicelib.domain.notices import NoticeKind, Watched
from chalicelib.fleet_ports import FleetStore
from tests.aws.table import create_table
from tests.fakes import NOW, Account, FakeFleetStore
from tests.fakes.fleet_builders import a_fleet_cluster, a_key, a_notice, a_place, a_trouble, a_watched

Act = tuple[str, Callable[[FleetStore], object]]

#: Names of which one begins another, with every sign EKS lets a name have.
KEYS = st.builds(
    lambda name, region: a_key(name, region=region),
    st.sampled_from(["a", "a-b", "a_b", "ab", "B"]),
    st.sampled_from(["us-east-1", "us-east-2"]),
)
DAYS = st.integers(-1, 2)
NOTICES = st.builds(
    lambda key, kind, rung, to, day: a_notice(
        key=key, kind=kind, rung=rung, recipient=to, decided_at=NOW + timedelta(days=day)
    ),
    KEYS,
    st.sampled_from([NoticeKind.DEADLINE, NoticeKind.SOLVED]),
    st.sampled_from([14, 7, None]),
    st.sampled_from(["jo", "joe"]),
    DAYS,
)


@st.composite
def keepings(draw: st.DrawFn) -> Act:
    key, day, gone = draw(KEYS), draw(st.none() | DAYS), draw(st.booleans())
    at = None if day is None else NOW + timedelta(days=day)
    watched = a_watched(cluster=a_fleet_cluster(key=key), at=at, gone_at=NOW if gone else None)

    def change(stored: Watched | None) -> Watched:
        return replace(watched, version=stored.version if stored else 0)

    return f"keep {key} {day} {gone}", lambda store: store.change_watched(key, change)


@st.composite
def decidings(draw: st.DrawFn) -> Act:
    notices = draw(st.lists(NOTICES, max_size=4))
    return f"decide {[notice.id for notice in notices]}", lambda store: store.add_notices(notices)


@st.composite
def sendings(draw: st.DrawFn) -> Act:
    sent, id = draw(st.lists(NOTICES, max_size=3)), draw(st.sampled_from(["m-1", "m-2"]))
    rows = [(notice.key, notice.id) for notice in sent]
    return f"send {rows} {id}", lambda store: store.mark_sent(rows, id, NOW)


@st.composite
def troublings(draw: st.DrawFn) -> Act:
    place = a_place(region=draw(st.sampled_from(["us-east-1", "us-east-2"])))
    trouble = draw(st.none() | st.builds(lambda code: a_trouble(code=code), st.sampled_from(["A", "B"])))
    return f"trouble {place} {trouble}", lambda store: store.set_place_trouble(place, trouble)


@st.composite
def readings(draw: st.DrawFn) -> Act:
    key, limit = draw(KEYS), draw(st.integers(1, 4))

    def walk(read: Callable[[int, str | None], tuple[tuple[object, ...], str | None]]) -> object:
        page, cursor = read(limit, None)
        pages = [page]
        while cursor:
            page, cursor = read(limit, cursor)
            pages.append(page)
        return pages

    def read(store: FleetStore) -> object:
        place = a_place(region=key.region)
        lists = walk(store.list_watched), walk(store.list_notices), store.pending_notices(limit)
        mine = store.watched(key), store.watched_in(place), store.notices_of(key)
        return lists, mine, store.place_trouble(place), store.place_troubles()

    return f"read {key} {limit}", read


ACTS = st.one_of(keepings(), decidings(), sendings(), troublings(), readings())


@settings(max_examples=30, deadline=None)
@given(st.lists(ACTS, min_size=3, max_size=25), readings())
def test_the_fake_fleet_store_answers_as_the_real_one_does(acts: list[Act], last: Act) -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        real, fake = DynamoFleetStore(client, create_table(client)), FakeFleetStore(Account())
        for told, act in [*acts, last]:
            assert act(real) == act(fake), told
