"""The store with lost answers, repeated calls, and transactions that DynamoDB cancels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from chalicelib.aws.dynamodb.keys import lab_key
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, StaleLab, Throttled, Unreadable
from chalicelib.ports.deps import NewLabLimits
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, a_lab, a_spec


@dataclass
class Unreliable:
    """A client whose transactions fail as planned: `lost` (acts, then times out), `twice` (sent again by botocore), or an error
    raised instead of acting.
    """

    client: Any
    plan: list[Any] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def transact_write_items(self, **request: Any) -> Any:
        trouble = self.plan.pop(0) if self.plan else None
        if isinstance(trouble, Exception):
            raise trouble
        answer = self.client.transact_write_items(**request)
        if trouble == "lost":
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return self.client.transact_write_items(**request) if trouble == "twice" else answer


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    error = {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"}
    return ClientError({"Error": error, "CancellationReasons": reasons}, "TransactWriteItems")


@pytest.fixture
def client() -> Iterator[Unreliable]:
    with mock_aws():
        real = boto3.client("dynamodb", region_name="ap-northeast-2")
        create_table(real)
        yield Unreliable(real)


@pytest.fixture
def store(client: Unreliable) -> DynamoStore:
    return DynamoStore(client, "labs")


def test_a_lab_whose_answer_was_lost_is_found_by_asking_again(client: Unreliable, store: DynamoStore) -> None:
    client.plan = ["lost"]
    with pytest.raises(AwsUnavailable):
        store.create_lab(a_lab(), "key", "digest", NOW)
    assert store.create_lab(a_lab(id="lab-2"), "key", "digest", NOW).id == a_lab().id


def test_a_creation_sent_twice_makes_one_lab_and_counts_it_once(client: Unreliable, store: DynamoStore) -> None:
    client.plan = ["twice"]
    assert store.create_lab(a_lab(), None, "digest", NOW, NewLabLimits(2)) == replace(a_lab(), version=1)
    count = client.get_item(TableName="labs", Key={"pk": {"S": f"OWNER#{a_lab().owner}"}, "sk": {"S": "COUNT"}})
    assert count["Item"]["alive"] == {"N": "1"}


def test_a_change_sent_twice_is_made_once(client: Unreliable, store: DynamoStore) -> None:
    store.create_lab(a_lab(), None, "digest", NOW)
    client.plan = ["twice"]
    assert store.change_lab(a_lab().id, lambda lab: replace(lab, run=lab.run + 1)).run == 1
    assert store.load_lab(a_lab().id).run == 1


def test_a_conflict_with_another_transaction_is_tried_again(client: Unreliable, store: DynamoStore) -> None:
    client.plan = [cancelled("None", "TransactionConflict", "None", "None")] * 2
    store.create_lab(a_lab(), None, "digest", NOW)
    client.plan = [cancelled("TransactionConflict")]
    assert store.change_lab(a_lab().id, lambda lab: replace(lab, run=7)).run == 7


def test_endless_conflicts_end_with_a_word(client: Unreliable, store: DynamoStore) -> None:
    conflict = cancelled("TransactionConflict", "None", "None", "None")
    client.plan = [conflict] * 100
    with pytest.raises(AwsUnavailable):
        store.create_lab(a_lab(), None, "digest", NOW)
    client.plan = []
    store.create_lab(a_lab(), None, "digest", NOW)
    client.plan = [conflict] * 100
    with pytest.raises(StaleLab):
        store.change_lab(a_lab().id, lambda lab: replace(lab, run=7))


def test_throttling_and_mistakes_are_not_taken_for_conflicts(client: Unreliable, store: DynamoStore) -> None:
    client.plan = [cancelled("None", "ThrottlingError", "None", "None"), cancelled("None", "ValidationError")]
    with pytest.raises(Throttled):
        store.create_lab(a_lab(), None, "digest", NOW)
    with pytest.raises(AwsRefused):
        store.create_lab(a_lab(), None, "digest", NOW)


def test_a_lab_that_another_version_wrote_is_due_like_the_others_and_unreadable_alone(
    client: Unreliable, store: DynamoStore
) -> None:
    for number in (1, 2):
        store.create_lab(a_lab(id=f"lab-{number}", spec=a_spec(name=f"n{number}")), None, "", NOW)
    broken = client.get_item(TableName="labs", Key=lab_key("lab-1"))["Item"] | {"body": {"S": '{"id": "lab-1"}'}}
    client.put_item(TableName="labs", Item=broken)
    assert set(store.labs_due(NOW + timedelta(hours=1), 10)) == {"lab-1", "lab-2"}
    with pytest.raises(Unreadable):
        store.load_lab("lab-1")
    assert store.load_lab("lab-2").id == "lab-2"
