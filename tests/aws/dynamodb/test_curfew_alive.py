"""Labs alive are counted exactly: in a table from before the counters, with repeated calls, and with concurrent ones."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.keys import ALIVE, TALLIES, lab_key
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.core.place import Place
from chalicelib.domain.costs import Running
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.labs.lab import Phase
from emulator.process import Sandbox
from tests.aws.dynamodb.table import create_table
from tests.aws.dynamodb.test_curfew_troubles import Meddled
from tests.aws.dynamodb.test_labs_troubles import cancelled
from tests.aws.given_curfew import Kept, created, kept_on, moto_client
from tests.fakes import NOW
from tests.fakes.builders import ACCOUNT, in_phase


@pytest.fixture
def client() -> Iterator[Meddled]:
    with moto_client() as real:
        create_table(real)
        yield Meddled(real)


@pytest.fixture
def kept(client: Meddled) -> Kept:
    return Kept(DynamoStore(client, "labs"), DynamoCurfewStore(client, "labs"))


def tallies(client: Any) -> list[Any]:
    values = {":pk": {"S": ALIVE}}
    items = client.query(TableName="labs", KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values)["Items"]
    return list(items)


def as_before(client: Any, *numbers: int) -> None:
    """Labs as written before they had their own place attributes and counters."""
    for number in numbers:
        item = client.get_item(TableName="labs", Key=lab_key(f"lab-{number}"))["Item"]
        del item["region"], item["account"], item["counted"], item["tallied"]
        client.put_item(TableName="labs", Item=item)
    for summary in tallies(client):
        client.delete_item(TableName="labs", Key={"pk": summary["pk"], "sk": summary["sk"]})


def ended(kept: Kept, number: int, phase: Phase = Phase.DELETED) -> None:
    kept.labs.change_lab(f"lab-{number}", lambda lab: in_phase(lab, phase, NOW))


def a_table_from_before(client: Any, kept: Kept, count: int) -> None:
    """`count` labs, the last of which has ended."""
    for number in range(count):
        created(kept, number, phase=Phase.READY, due_at=NOW)
    ended(kept, count - 1)
    as_before(client, *range(count))


def test_labs_from_before_are_counted_by_the_first_question(client: Meddled, kept: Kept) -> None:
    a_table_from_before(client, kept, 70)
    assert kept.curfew.alive_count() == 69
    assert kept.curfew.alive_count() == 69
    ended(kept, 0)
    created(kept, 500)
    assert kept.curfew.alive_count() == 69


def test_a_lab_from_before_that_is_saved_first_is_counted_by_that(client: Meddled, kept: Kept) -> None:
    a_table_from_before(client, kept, 4)
    kept.labs.change_lab("lab-0", lambda lab: replace(lab, run=7))
    ended(kept, 1)
    created(kept, 9)
    assert kept.curfew.alive_count() == 3
    ended(kept, 0)
    assert kept.curfew.alive_count() == 2


def test_labs_that_come_and_go_while_the_others_are_counted_are_counted_once(client: Meddled, kept: Kept) -> None:
    a_table_from_before(client, kept, 70)
    others = Kept(DynamoStore(client.client, "labs"), DynamoCurfewStore(client.client, "labs"))

    def meanwhile() -> None:
        ended(others, 3)
        others.labs.change_lab("lab-4", lambda lab: replace(lab, run=7))
        created(others, 500)
        assert others.curfew.alive_count() == 69

    client.before_writing = [meanwhile]
    assert kept.curfew.alive_count() == 69


def test_a_lab_counted_between_its_loading_and_its_saving_is_counted_once(client: Meddled, kept: Kept) -> None:
    a_table_from_before(client, kept, 3)
    client.before_writing = [lambda: DynamoCurfewStore(client.client, "labs").alive_count()]
    kept.labs.change_lab("lab-0", lambda lab: replace(lab, run=lab.run + 1))
    assert kept.labs.load_lab("lab-0").run == 1
    assert kept.curfew.alive_count() == 2
    for number in (0, 1):
        ended(kept, number)
    assert kept.curfew.alive_count() == 0


def test_a_count_that_dies_half_way_is_completed_by_the_next(client: Meddled, kept: Kept) -> None:
    a_table_from_before(client, kept, 70)
    client.plan = [None, "lost"]
    with pytest.raises(AwsUnavailable):
        kept.curfew.alive_count()
    client.plan = ["twice", cancelled("TransactionConflict")]
    assert kept.curfew.alive_count() == 69


def test_a_table_too_busy_to_count_says_so_and_is_not_taken_for_counted(client: Meddled, kept: Kept) -> None:
    a_table_from_before(client, kept, 4)
    client.plan = [cancelled("TransactionConflict")] * 100
    with pytest.raises(AwsUnavailable):
        kept.curfew.alive_count()
    client.plan = []
    assert kept.curfew.alive_count() == 3


@pytest.mark.parametrize("trouble", ["twice", "lost"])
def test_a_repeated_creation_or_end_counts_once(client: Meddled, kept: Kept, trouble: str) -> None:
    client.plan = [trouble]
    try:
        created(kept, 1)
    except AwsUnavailable:
        created(kept, 1)
    assert kept.curfew.alive_count() == 1
    client.plan = [trouble]
    try:
        ended(kept, 1)
    except AwsUnavailable:
        ended(kept, 1, Phase.FAILED)
    assert kept.curfew.alive_count() == 0


def test_a_creation_that_is_refused_counts_nothing(client: Meddled, kept: Kept) -> None:
    created(kept, 1)
    client.plan = [cancelled("None", "None", "None", "None", "ValidationError")]
    with pytest.raises(AwsRefused):
        created(kept, 2)
    assert kept.curfew.alive_count() == 1


def test_the_question_reads_a_few_items_however_many_labs_there_are(client: Meddled, kept: Kept) -> None:
    for number in range(60):
        created(kept, number)
    assert kept.curfew.alive_count() == 60
    assert len(tallies(client)) <= TALLIES + 1


def test_labs_from_before_tell_their_place_and_unreadable_ones_hide_no_other(client: Meddled, kept: Kept) -> None:
    a_table_from_before(client, kept, 3)
    item = client.get_item(TableName="labs", Key=lab_key("lab-1"))["Item"]
    client.put_item(TableName="labs", Item={**item, "body": {"S": '{"id": "lab-1"}'}})
    assert set(kept.curfew.labs_awaiting(NOW, 10)) == {
        ("lab-0", Place(ACCOUNT, "ap-northeast-2")),
        ("lab-1", Place("", "")),
    }


def test_a_class_that_comes_and_goes_at_once_is_counted_right(sandbox: Sandbox) -> None:
    with kept_on(sandbox.client("dynamodb")) as kept, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: created(kept, number), range(40)))
        assert kept.curfew.alive_count() == 40
        list(threads.map(lambda number: ended(kept, number), range(0, 40, 2)))
        assert kept.curfew.alive_count() == 20


def test_labs_from_before_phases_were_counted_are_with_their_next_save(client: Meddled, kept: Kept) -> None:
    for number in range(3):
        created(kept, number, phase=Phase.READY)
    for number in range(3):
        item = client.get_item(TableName="labs", Key=lab_key(f"lab-{number}"))["Item"]
        del item["tallied"]
        client.put_item(TableName="labs", Item=item)
    for summary in tallies(client):
        client.put_item(TableName="labs", Item={name: summary[name] for name in ("pk", "sk", "alive")})
    assert kept.curfew.running() == Running({}, 0.0)
    kept.labs.change_lab("lab-0", lambda lab: replace(lab, hourly_usd=0.5))
    ended(kept, 1)
    assert kept.curfew.running() == Running({Phase.READY: 1}, 0.5)
    assert kept.curfew.alive_count() == 2
