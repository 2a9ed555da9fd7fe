"""Concurrent requests on the sandbox's DynamoDB: one name, one quota, one lab, and no limit is exceeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.errors.tree import EkslabError, Transient
from chalicelib.ports.deps import NewLabLimits
from emulator.process import running_sandbox
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, a_lab, a_spec


@pytest.fixture(scope="module")
def new_store() -> Iterator[Callable[[str], DynamoStore]]:
    with running_sandbox() as sandbox:
        yield lambda name: DynamoStore(sandbox.client("dynamodb"), create_table(sandbox.client("dynamodb"), name))


def outcomes(count: int, act: Callable[[int], object]) -> Counter[str]:
    """The outcomes of `count` concurrent acts: the result's or the error's class."""

    def tried(number: int) -> str:
        try:
            return type(act(number)).__name__
        except EkslabError as error:
            return type(error).__name__

    with ThreadPoolExecutor(count) as threads:
        return Counter(threads.map(tried, range(count)))


def test_of_many_who_want_a_name_one_gets_it(new_store: Callable[[str], DynamoStore]) -> None:
    store = new_store("names")
    got = outcomes(8, lambda n: store.create_lab(a_lab(id=f"lab-{n}"), None, "d", NOW))
    assert got == {"Lab": 1, "NameTaken": 7}


def test_an_owner_who_asks_many_times_at_once_gets_no_more_than_the_limit(
    new_store: Callable[[str], DynamoStore],
) -> None:
    store = new_store("limits")

    def ask(number: int) -> object:
        """Retry after "too busy", as a client does on 503."""
        while True:
            with suppress(Transient):
                lab = a_lab(id=f"lab-{number}", spec=a_spec(name=f"n{number}"))
                return store.create_lab(lab, None, "d", NOW, NewLabLimits(3))

    assert outcomes(64, ask) == {"Lab": 3, "TooManyLabs": 61}


def test_the_same_key_many_times_at_once_is_one_lab(new_store: Callable[[str], DynamoStore]) -> None:
    store = new_store("keys")
    got = outcomes(8, lambda n: store.create_lab(a_lab(id=f"lab-{n}"), "key", "d", NOW))
    assert got == {"Lab": 8}
    assert len(store.list_labs(None, (), 100, None).items) == 1


def test_no_change_is_lost_when_several_save_at_once(new_store: Callable[[str], DynamoStore]) -> None:
    store = new_store("changes")
    store.create_lab(a_lab(), None, "d", NOW)
    got = outcomes(4, lambda _: store.change_lab(a_lab().id, lambda lab: replace(lab, run=lab.run + 1)))
    assert store.load_lab(a_lab().id).run == got["Lab"] == 4
