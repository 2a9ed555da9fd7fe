"""The fake fleet store and the real one with the same random lives give the same answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.aws.dynamodb.support.store import DynamoFleetStore
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.support import FleetStore
from tests.aws.dynamodb.table import create_table
from tests.examples import examples
from tests.fakes import NOW, Account, FakeFleetStore
from tests.fakes.fleet_builders import a_fleet_cluster, a_key, a_notice, a_place, a_trouble, a_watched

_numbers = itertools.count()
Act = tuple[str, Callable[[FleetStore], object]]

#: Names that are prefixes of others. Few of each, so that they coincide.
KEYS = st.sampled_from([a_key("a"), a_key("a-b"), a_key("a", region="us-east-1"), a_key("B", region="us-east-1")])
DAYS = st.integers(0, 1)
NOTICES = st.builds(
    lambda key, reminder, day: a_notice(key=key, reminder=reminder, decided_at=NOW + timedelta(days=day)),
    KEYS,
    st.sampled_from([14, None]),
    DAYS,
)


@st.composite
def keepings(draw: st.DrawFn) -> Act:
    key, day, gone = draw(KEYS), draw(st.none() | DAYS), draw(st.sampled_from([False, False, True]))
    at = None if day is None else NOW + timedelta(days=day)
    watched = a_watched(cluster=a_fleet_cluster(key=key), at=at, gone_at=NOW if gone else None)

    def change(stored: Watched | None) -> Watched:
        return replace(watched, version=stored.version if stored else 0)

    return f"keep {key} {day} {gone}", lambda store: store.change_watched(key, change)


@st.composite
def decidings(draw: st.DrawFn) -> Act:
    notices = draw(st.lists(NOTICES, min_size=1, max_size=4))
    return f"decide {[notice.id for notice in notices]}", lambda store: store.add_notices(notices)


@st.composite
def sendings(draw: st.DrawFn) -> Act:
    sent, id = draw(st.lists(NOTICES, min_size=1, max_size=3)), draw(st.sampled_from(["m-1", "m-2"]))
    rows = [(notice.key, notice.id) for notice in sent]
    return f"send {rows} {id}", lambda store: store.mark_sent(rows, id, NOW)


@st.composite
def troublings(draw: st.DrawFn) -> Act:
    place = a_place(region=draw(KEYS).region)
    trouble = draw(st.none() | st.builds(lambda code: a_trouble(code=code), st.sampled_from(["A", "B"])))
    return f"trouble {place} {trouble}", lambda store: store.set_place_trouble(place, trouble)


def everything(store: FleetStore, limit: int) -> object:
    """All readable state, lists page by page."""

    def walk(read: Callable[[int, str | None], tuple[tuple[object, ...], str | None]]) -> object:
        page, cursor = read(limit, None)
        pages = [page]
        while cursor:
            page, cursor = read(limit, cursor)
            pages.append(page)
        return pages

    lists = walk(store.list_watched), walk(store.list_notices), store.pending_notices(limit), store.place_troubles()
    keys = [a_key("a"), a_key("a-b"), a_key("a", region="us-east-1")]
    each = [(store.watched(key), store.notices_of(key)) for key in keys]
    places = [a_place(region=key.region) for key in keys[1:]]
    return lists, each, [(store.watched_in(place), store.place_trouble(place)) for place in places]


ACTS = st.one_of(keepings(), decidings(), sendings(), troublings())


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("dynamodb", region_name="ap-northeast-2")


@settings(max_examples=examples(40), deadline=None)
@given(acts=st.lists(ACTS, min_size=10, max_size=30), limit=st.integers(1, 3))
def test_the_fake_fleet_store_answers_as_the_real_one_does(client: Any, acts: list[Act], limit: int) -> None:
    table = create_table(client, f"fleet-{next(_numbers)}")
    real, fake = DynamoFleetStore(client, table), FakeFleetStore(Account())
    for message, act in acts:
        assert act(real) == act(fake), message
    assert everything(real, limit) == everything(fake, limit)
    client.delete_table(TableName=table)
