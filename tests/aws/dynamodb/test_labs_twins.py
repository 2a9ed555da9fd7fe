"""The fake store and the real one with the same random lives give the same answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.ports.deps import NewLabLimits, Store
from tests.aws.dynamodb.table import create_table
from tests.examples import examples
from tests.fakes import NOW, Account, FakeStore, a_lab, a_spec
from tests.fakes.builders import in_phase

Act = tuple[str, Callable[[Store], object]]

IDS = st.sampled_from(["lab-a", "lab-b", "lab-c", "lab-d"])
NAMES = st.sampled_from(["blue", "red"])
OWNERS = st.sampled_from([f"arn:aws:iam::111122223333:user/{name}" for name in ("data2", "data3")])
MINUTES = st.integers(0, 3)


@st.composite
def creations(draw: st.DrawFn) -> Act:
    when = NOW + timedelta(minutes=draw(MINUTES))
    due_at = draw(st.sampled_from([None, when]))
    lab = a_lab(id=draw(IDS), owner=draw(OWNERS), spec=a_spec(name=draw(NAMES)), created_at=when, due_at=due_at)
    key, digest = draw(st.sampled_from([None, "key"])), draw(st.sampled_from(["one", "two"]))
    most, now = draw(st.sampled_from([None, 1, 2])), when + timedelta(days=draw(st.sampled_from([0, 0, 8])))
    message = f"create {lab.id} {lab.name} {lab.owner[-4:]} {key} {digest} {most} {now:%d %H:%M}"
    return message, lambda store: store.create_lab(lab, key, digest, now, NewLabLimits(most))


@st.composite
def changes(draw: st.DrawFn) -> Act:
    lab_id, phase, due = draw(IDS), draw(st.sampled_from(Phase)), draw(st.sampled_from([None, NOW]))

    def change(lab: Lab) -> Lab:
        return replace(in_phase(lab, phase, NOW), due_at=due)

    return f"move {lab_id} to {phase}", lambda store: store.change_lab(lab_id, change)


@st.composite
def readings(draw: st.DrawFn) -> Act:
    owner, phases, limit = (
        draw(st.none() | OWNERS),
        draw(st.lists(st.sampled_from(Phase), max_size=2)),
        draw(st.integers(1, 3)),
    )
    due = NOW + timedelta(minutes=draw(MINUTES))

    def read(store: Store) -> object:
        pages, cursor = [], None
        while True:
            page = store.list_labs(owner, phases, limit, cursor)
            pages.append(page.items)
            cursor = page.cursor
            if cursor is None:
                return pages, set(store.labs_due(due, 10))

    return f"list {owner} {phases} {limit}", read


def outcome(act: Callable[[Store], object], store: Store) -> Any:
    try:
        return act(store)
    except EkslabError as error:
        return type(error).__name__, str(error)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.one_of(creations(), changes(), readings()), min_size=3, max_size=25))
def test_the_fake_store_answers_as_the_real_one_does(acts: list[Act]) -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        real, fake = DynamoStore(client, create_table(client)), FakeStore(Account())
        for message, act in acts:
            assert outcome(act, real) == outcome(act, fake), message
