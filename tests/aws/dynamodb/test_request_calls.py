"""The number of `POST /labs`'s DynamoDB calls, answered by moto: at most three for any caller and any ceilings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, product
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
from tests.api.http import ADMIN, STRANGER, Http
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, OWNER, a_lab
from tests.fakes.builders import ACCOUNT


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k"}])
def test_a_request_is_at_most_three_calls_to_dynamodb(known: bool, headers: dict[str, str]) -> None:
    """Issue 19. One read has all data for the decision, including the caller's; one write stores and reserves."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        http, asked = http_on(client, create_table(client)), list[str]()
        if known:
            assert http.world.deps.people.save_people([], [Person("person-1", (OWNER,), NOW, "jo@example.com")])
        client.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
        first = http.post("/labs", {"name": "a"}, headers=headers)
        assert (first.status, asked) == (202, ["BatchGetItem", "TransactWriteItems"])
        if headers:
            asked.clear()
            again = http.post("/labs", {"name": "a"}, headers=headers)
            assert (again.json["id"], asked) == (first.json["id"], ["BatchGetItem", "GetItem"])


def http_on(client: Any, table: str) -> Http:
    """Routes with labs, rules and people in DynamoDB, and all else in fakes."""
    http = Http()
    curfew = replace(http.world.deps.curfew, store=DynamoCurfewStore(client, table))
    people = DynamoPeople(client, table, ACCOUNT)
    http.world.deps = replace(http.world.deps, store=DynamoStore(client, table), curfew=curfew, people=people)
    return http


SSO = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_{{}}_0123456789abcdef/kim"
#: Callers: unknown, known by name, with another permission set than before, with a second identity, in a role's session.
CALLERS = {
    "unknown": f"arn:aws:iam::{ACCOUNT}:user/unknown",
    "known": OWNER,
    "another permission set": SSO.format("Other"),
    "a role's session": f"arn:aws:sts::{ACCOUNT}:assumed-role/Learners/jun",
    "administrator": ADMIN,
}
PEOPLE = (
    Person("person-1", (OWNER, f"arn:aws:iam::{ACCOUNT}:user/second"), NOW, "jo@example.com"),
    Person("person-2", (SSO.format("Labs").replace("_0123456789abcdef", ""),), NOW, "kim@example.com"),
)
CEILINGS: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "months": {"maxUsdMonth": {"person": 900, "role": 900, "team": 900, "installation": 900}},
    "team rules": {
        "teams": [{"team": "eks", "maxUsdMonthTeam": 900, "maxUsdMonth": 900}, {"team": "all", "maxUsdMonthTeam": 900}]
    },
    "full": {"maxUsdMonth": {"installation": 0}},
    "to approve": {"askUsd": 0, "maxUsdMonth": {"team": 900}},
}
#: Half a day before a month's end in any zone: a lease of a day spans two months.
MONTHS_END = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
#: A new lab in the middle of a month and at its end, a dry run, and a taken name; with the expected status.
WAYS: Mapping[str, tuple[datetime, int]] = {
    "new": (NOW, 202),
    "end": (MONTHS_END, 202),
    "dry": (MONTHS_END, 200),
    "taken": (MONTHS_END, 409),
}


def test_whoever_asks_under_whatever_ceilings_makes_at_most_three_calls() -> None:
    """Issue 19, the property: a hundred kinds of requests, every other one with a key, each with its expected answer."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        http, asked = http_on(client, create_table(client)), list[str]()
        teams = (Team("eks", (OWNER, "*/kim", "*/jun")), Team("all", ("*",)))
        http.people = replace(http.people, teams=teams)
        curfew, limits = (
            replace(http.world.deps.curfew, teams=teams),
            replace(http.world.deps.limits, max_labs_per_owner=999),
        )
        http.world.deps = replace(http.world.deps, curfew=curfew, limits=replace(limits, max_labs_per_role=999))
        assert all(http.world.deps.people.save_people([], [person]) for person in PEOPLE)
        assert http.post("/labs", {"name": "taken"}, caller=STRANGER).status == 202
        client.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
        usual, numbers = {"maxUsdMonth": None, "teams": None, "askUsd": None}, count()
        for ceilings, offers in CEILINGS.items():
            assert http.put("/offers", {**usual, **offers}, caller=ADMIN).status == 200
            for number, (who, way) in zip(numbers, product(CALLERS, WAYS), strict=False):
                http.world.clock.instant, status = WAYS[way]
                asked.clear()
                answer = http.call(
                    "POST",
                    "/labs",
                    body={"name": "taken" if way == "taken" else f"n{number}", "leaseHours": 24},
                    query={"dryRun": "true"} if way == "dry" else None,
                    headers={"idempotency-key": f"k{number}"} if number % 2 else {},
                    caller=CALLERS[who],
                )
                # A taken name is reported before a reached ceiling.
                refused = ceilings == "full" and way != "taken"
                assert answer.status == (403 if refused else status), (who, ceilings, way, answer.text)
                assert len(asked) <= 3, (who, ceilings, way, asked)


def test_who_comes_by_a_new_permission_set_is_kept_with_it_by_the_write_that_stores_the_lab() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        http, asked = http_on(client, create_table(client)), list[str]()
        people = http.world.deps.people
        assert people.save_people([], [PEOPLE[1]])
        client.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
        assert http.post("/labs", {"name": "a"}, caller=SSO.format("Other")).status == 202
        assert asked == ["BatchGetItem", "TransactWriteItems"]
        kept = people.person("person-2")
        assert kept is not None
        assert [one.split("_")[1] for one in kept.identities] == ["Labs/kim", "Other/kim"]
        assert (
            people.people_of([kept.identities[0]]).get(kept.identities[0])
            == people.person_by_key("address/kim@example.com")
            == kept
        )


def test_who_is_saved_by_others_meanwhile_has_their_lab_all_the_same() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        http = http_on(client, create_table(client))
        people, store = http.world.deps.people, http.world.deps.store
        before = replace(PEOPLE[1], version=1)
        assert people.save_people([], [PEOPLE[1]])
        assert people.save_people([before], [replace(before, zone="Asia/Seoul")])
        late = (before, before.known_as(SSO.format("Other")))
        lab = a_lab(owner=late[1].identities[-1])
        assert store.create_lab(lab, None, "d", NOW, known=late).id == lab.id
        kept = people.person("person-2")
        assert kept is not None
        assert (kept.zone, kept.identities) == ("Asia/Seoul", before.identities)


class Busy:
    """A client whose first transactions conflict with others; later ones are written."""

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
    """Issue 19: known, with a key, and in a team with a ceiling, whose sum is read."""
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
