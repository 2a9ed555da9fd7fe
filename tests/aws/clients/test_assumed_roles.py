"""Roles of other accounts: assumed at first use, once for all clients, and again before their credentials expire."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.clients.assumed_roles import AssumedClients, AssumedSession
from chalicelib.aws.clients.calls import every
from chalicelib.domain.errors.tree import AccessDenied
from tests.fakes.clock import FakeClock

ROLE = "arn:aws:iam::444455556666:role/ekslab-member-read"
_SECRETS = {"SecretAccessKey": "secret", "SessionToken": "token"}
OTHER = "arn:aws:iam::777788889999:role/ekslab-member-read"


@dataclass
class Sts:
    """Returns credentials valid for an hour, and records the requests."""

    clock: FakeClock
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    refused: str | None = None

    def assume_role(self, **request: Any) -> Mapping[str, Any]:
        self.asked.append(request)
        if self.refused:
            raise ClientError({"Error": {"Code": self.refused, "Message": "Not you."}}, "AssumeRole")
        ends = self.clock.now() + timedelta(hours=1)
        return {"Credentials": {"AccessKeyId": f"key-{len(self.asked)}", **_SECRETS, "Expiration": ends}}


@dataclass
class Client:
    """A client like botocore's, with event hooks."""

    service: str
    region: str
    key: str
    handlers: list[Any] = field(default_factory=list)

    @property
    def meta(self) -> Any:
        return SimpleNamespace(events=SimpleNamespace(register=lambda _name, handler: self.handlers.append(handler)))

    def get_paginator(self, _method: str) -> Any:
        return SimpleNamespace(paginate=lambda: [{"clusters": [self.key]}])

    def answers(self, code: str) -> None:
        """Simulate an AWS answer with this error code."""
        for handler in self.handlers:
            handler(http_response=None, parsed={"Error": {"Code": code}}, model=None, context={})


@dataclass
class Assumed:
    sts: Sts
    clients: AssumedClients
    clock: FakeClock
    made: list[Client]


@pytest.fixture
def assumed() -> Assumed:
    clock, made = FakeClock(), []
    sts = Sts(clock)

    def new_client(service: str, region: str, credentials: Mapping[str, Any]) -> Client:
        made.append(Client(service, region, credentials["AccessKeyId"]))
        return made[-1]

    return Assumed(sts, AssumedClients(sts, new_client, clock.now), clock, made)


def test_a_role_is_assumed_when_its_client_is_first_used_and_once_for_all_its_clients(assumed: Assumed) -> None:
    eks, ec2 = (
        assumed.clients.of(lambda: ROLE, "eks", "us-east-1"),
        assumed.clients.of(lambda: ROLE, "ec2", "us-east-1"),
    )
    assert assumed.sts.asked == []
    assert (eks.key, ec2.key, eks.service) == ("key-1", "key-1", "eks")
    assert assumed.sts.asked == [{"RoleArn": ROLE, "RoleSessionName": "ekslab"}]
    assert len(assumed.made) == 2


def test_another_role_or_region_is_another_client(assumed: Assumed) -> None:
    clients = [
        assumed.clients.of(lambda role=role: role, "eks", region)
        for role, region in ((ROLE, "a"), (ROLE, "b"), (OTHER, "a"))
    ]
    assert [(client.key, client.region) for client in clients] == [("key-1", "a"), ("key-1", "b"), ("key-2", "a")]


def test_a_role_is_assumed_again_shortly_before_it_ends(assumed: Assumed) -> None:
    eks = assumed.clients.of(lambda: ROLE, "eks", "us-east-1")
    assert eks.key == "key-1"
    assumed.clock.advance(minutes=54)
    assert eks.key == "key-1"
    assumed.clock.advance(minutes=2)
    assert eks.key == "key-2"
    assert assumed.clients.of(lambda: ROLE, "ec2", "us-east-1").key == "key-2"


def test_a_list_is_read_with_the_new_credentials_too(assumed: Assumed) -> None:
    eks = assumed.clients.of(lambda: ROLE, "eks", "us-east-1")
    assert every(eks, "eks:ListClusters", "clusters") == ["key-1"]
    assumed.clock.advance(minutes=56)
    assert every(eks, "eks:ListClusters", "clusters") == ["key-2"]


def test_an_external_id_is_said_where_there_is_one(assumed: Assumed) -> None:
    clients = AssumedClients(assumed.sts, lambda *which: Client("", "", ""), assumed.clock.now, external_id="e-1")
    assert clients.of(lambda: ROLE, "eks", "us-east-1").key == ""
    assert assumed.sts.asked[0]["ExternalId"] == "e-1"


def test_whoever_only_reads_has_the_role_for_reading_only(assumed: Assumed) -> None:
    policy = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    new_client = assumed.clients._new_client
    clients = AssumedClients(assumed.sts, new_client, assumed.clock.now, session_policy=policy)
    assert clients.of(lambda: ROLE, "eks", "us-east-1").key == "key-1"
    assert assumed.sts.asked[0]["PolicyArns"] == [{"arn": policy}]


def test_a_role_that_cannot_be_assumed_is_an_error_of_its_first_use_and_is_tried_again(assumed: Assumed) -> None:
    eks = assumed.clients.of(lambda: ROLE, "eks", "us-east-1")
    assumed.sts.refused = "AccessDenied"
    with pytest.raises(AccessDenied, match="sts:AssumeRole"):
        eks.list_clusters()
    assumed.sts.refused = None
    assert eks.key == "key-2"


def test_many_threads_assume_a_role_once(assumed: Assumed) -> None:
    with ThreadPoolExecutor(10) as pool:
        keys = list(pool.map(lambda _: assumed.clients.of(lambda: ROLE, "eks", "us-east-1").key, range(100)))
    assert set(keys) == {"key-1"}
    assert (len(assumed.sts.asked), len(assumed.made)) == (1, 1)


def test_expirations_in_another_zone_are_the_same_instants(assumed: Assumed) -> None:
    zone = datetime.fromisoformat("2026-11-23T20:00:00+09:00").tzinfo
    assumed.clock.instant = assumed.clock.instant.astimezone(zone)
    eks = assumed.clients.of(lambda: ROLE, "eks", "us-east-1")
    assert eks.key == "key-1"
    assumed.clock.advance(minutes=10)
    assert eks.key == "key-1"


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException"])
def test_credentials_that_aws_takes_no_more_are_new_at_the_next_call(assumed: Assumed, code: str) -> None:
    eks = assumed.clients.of(lambda: ROLE, "eks", "us-east-1")
    assert eks.key == "key-1"
    assumed.made[0].answers(code)
    assert eks.key == "key-2"
    assumed.made[0].answers(code)
    assert eks.key == "key-2", "what an old client hears late says nothing of the new credentials"


def test_other_refusals_leave_credentials_alone(assumed: Assumed) -> None:
    eks = assumed.clients.of(lambda: ROLE, "eks", "us-east-1")
    assert eks.key == "key-1"
    assumed.made[0].answers("AccessDeniedException")
    assert eks.key == "key-1"


def test_a_role_that_is_registered_anew_is_the_one_assumed_next(assumed: Assumed) -> None:
    roles = [ROLE]
    eks = assumed.clients.of(lambda: roles[0], "eks", "us-east-1")
    assert eks.key == "key-1"
    roles[0] = OTHER
    assert eks.key == "key-2"
    assert [asked["RoleArn"] for asked in assumed.sts.asked] == [ROLE, OTHER]


def test_a_session_signs_with_the_credentials_of_the_moment(assumed: Assumed) -> None:
    session = AssumedSession(assumed.clients, lambda: ROLE)
    assert session.get_credentials().get_frozen_credentials()[:3] == ("key-1", "secret", "token")
    assumed.clock.advance(minutes=56)
    assert session.get_credentials().access_key == "key-2"
