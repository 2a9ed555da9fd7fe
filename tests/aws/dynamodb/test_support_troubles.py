"""The fleet's store with lost answers, repeated calls, and transactions that DynamoDB cancels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.dynamodb.support.store import DynamoFleetStore
from chalicelib.domain.errors.tree import AwsUnavailable, StaleLab, Throttled
from chalicelib.domain.support.watched import Watched
from tests.aws.dynamodb.table import create_table
from tests.aws.dynamodb.test_labs_troubles import Unreliable, cancelled
from tests.fakes.fleet_builders import HOME, a_key, a_notice, a_watched


@pytest.fixture
def client() -> Iterator[Unreliable]:
    with mock_aws():
        real = boto3.client("dynamodb", region_name="ap-northeast-2")
        create_table(real)
        yield Unreliable(real)


@pytest.fixture
def store(client: Unreliable) -> DynamoFleetStore:
    return DynamoFleetStore(client, "labs")


def sent_once_more(watched: Watched | None) -> Watched:
    kept = watched or a_watched()
    return replace(kept, other_owners=(*kept.other_owners, "again"))


def test_a_cluster_kept_by_a_call_that_was_sent_twice_is_kept_once(client: Unreliable, store: DynamoFleetStore) -> None:
    for owners in (("again",), ("again", "again")):
        client.plan = ["twice"]
        changed = store.change_watched(a_key(), sent_once_more)
        assert changed is not None
        assert changed.other_owners == owners
        assert store.watched(a_key()) == changed


def test_many_kept_by_a_call_whose_answer_was_lost_or_that_was_sent_twice_are_kept_once(
    client: Unreliable, store: DynamoFleetStore
) -> None:
    for plan in (["twice"], [cancelled("None", "TransactionConflict", "None")]):
        client.plan = list(plan)
        before = {one.cluster.key.name: one.version for one in store.watched_in(HOME)}
        store.change_place(HOME, {name: lambda kept, name=name: said_once_more(kept, name) for name in "abc"})
        after = {one.cluster.key.name: one.version for one in store.watched_in(HOME)}
        assert after == {name: before.get(name, 0) + 1 for name in "abc"}


def said_once_more(watched: Watched | None, name: str) -> Watched:
    kept = watched or a_watched(name)
    return replace(kept, acknowledged_by=f"{kept.acknowledged_by} again")


def test_a_conflict_is_tried_again_and_an_endless_one_ends_with_a_word(
    client: Unreliable, store: DynamoFleetStore
) -> None:
    client.plan = [cancelled("TransactionConflict")]
    assert store.change_watched(a_key(), sent_once_more) == store.watched(a_key())
    client.plan = [cancelled("TransactionConflict")] * 100
    with pytest.raises(StaleLab):
        store.change_watched(a_key(), sent_once_more)


def test_throttling_is_said(client: Unreliable, store: DynamoFleetStore) -> None:
    client.plan = [cancelled("ThrottlingError")]
    with pytest.raises(Throttled):
        store.change_watched(a_key(), sent_once_more)


def test_notices_whose_answer_was_lost_are_there_and_adding_them_again_changes_nothing(
    client: Unreliable, store: DynamoFleetStore
) -> None:
    client.plan = ["lost"]
    with pytest.raises(AwsUnavailable):
        store.add_notices([a_notice()])
    store.add_notices([a_notice(note="again"), a_notice(reminder=7)])
    assert store.pending_notices(10) == (a_notice(), a_notice(reminder=7))


def test_notices_sent_twice_are_written_once(client: Unreliable, store: DynamoFleetStore) -> None:
    client.plan = ["twice"]
    store.add_notices([a_notice(), a_notice(reminder=7)])
    assert store.pending_notices(10) == (a_notice(), a_notice(reminder=7))


def test_a_table_too_busy_for_notices_says_so(client: Unreliable, store: DynamoFleetStore) -> None:
    client.plan = [cancelled("TransactionConflict")] * 100
    with pytest.raises(AwsUnavailable):
        store.add_notices([a_notice()])
    assert store.pending_notices(10) == ()
