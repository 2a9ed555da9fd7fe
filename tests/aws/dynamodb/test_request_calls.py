"""How often `POST /labs` calls DynamoDB, whose answers are moto's: at most three times where nobody is in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.dynamodb.people import DynamoPeople
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.identity.person import Person
from tests.api.http import ADMIN, Http
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, OWNER
from tests.fakes.builders import ACCOUNT


@pytest.mark.parametrize(
    ("known", "headers", "calls"),
    [
        (False, {}, ["BatchGetItem", "TransactWriteItems"]),
        (False, {"idempotency-key": "k"}, ["BatchGetItem", "TransactWriteItems"]),
        (True, {}, ["BatchGetItem", "GetItem", "TransactWriteItems"]),
        (True, {"idempotency-key": "k"}, ["BatchGetItem", "GetItem", "TransactWriteItems"]),
    ],
)
def test_a_request_is_at_most_three_calls_to_dynamodb(known: bool, headers: dict[str, str], calls: list[str]) -> None:
    """Issue 19. All that it is judged by is one read; a person who is known is one more; storing and reserving is one write."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        http, asked = http_on(client, create_table(client)), list[str]()
        if known:
            assert http.world.deps.people.save_people([], [Person("person-1", (OWNER,), NOW, "jo@example.com")])
        client.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
        first = http.post("/labs", {"name": "a"}, headers=headers)
        assert (first.status, asked) == (202, calls)
        if headers:
            asked.clear()
            again = http.post("/labs", {"name": "a"}, headers=headers)
            assert (again.json["id"], asked) == (first.json["id"], ["BatchGetItem", "GetItem"])


def http_on(client: Any, table: str) -> Http:
    """Routes whose labs, rules and people are in DynamoDB, and all else in fakes."""
    http = Http()
    curfew = replace(http.world.deps.curfew, store=DynamoCurfewStore(client, table))
    people = DynamoPeople(client, table, ACCOUNT)
    http.world.deps = replace(http.world.deps, store=DynamoStore(client, table), curfew=curfew, people=people)
    return http


class Busy:
    """A client whose transactions find another one in their way so often; then they are written."""

    def __init__(self, client: Any, times: int) -> None:
        self._client, self._left = client, times
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._client, name)

        def counted(**request: Any) -> Any:
            self.calls.append(name)
            if name == "transact_write_items" and self._left > 0:
                self._left -= 1
                reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in request["TransactItems"][1:])]
                answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
                raise ClientError(answer, "TransactWriteItems")
            return act(**request)

        return counted


@pytest.mark.parametrize(("conflicts", "status"), [(1, 202), (7, 202), (8, 503)])
def test_in_the_worst_race_a_request_is_at_most_twelve_calls(conflicts: int, status: int) -> None:
    """Issue 19: known, with a key, and in a team with a ceiling, which is a sum that is read."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        table = create_table(client)
        http = http_on(client, table)
        assert http.world.deps.people.save_people([], [Person("person-1", (OWNER,), NOW, "jo@example.com")])
        http.people = replace(http.people, teams=(Team("eks", (OWNER,)),))
        assert http.put("/offers", {"teams": [{"team": "eks", "maxUsdMonthTeam": 99}]}, caller=ADMIN).status == 200
        busy = Busy(client, conflicts)
        http.world.deps = replace(http.world.deps, store=DynamoStore(busy, table))
        answer = http.post("/labs", {"name": "a"}, headers={"idempotency-key": "k"})
        assert answer.status == status
        assert len(busy.calls) <= 12, busy.calls
