"""Whether IAM confirms a role as Identity Center's: asked once in 15 minutes; no answer counts as no."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.aws.infrastructure.roles import DirectoryRoles
from tests.fakes import NOW
from tests.fakes.clock import FakeClock

NAME = "AWSReservedSSO_Labs_0123456789abcdef"


class Iam:
    """Answers GetRole with a path and an id, or raises."""

    def __init__(
        self, path: str = "/aws-reserved/sso.amazonaws.com/eu-west-1/", failure: Exception | None = None
    ) -> None:
        self.path, self.failure, self.asked = path, failure, 0

    def get_role(self, **asked: str) -> Any:
        self.asked += 1
        if self.failure:
            raise self.failure
        return {"Role": {"RoleName": asked["RoleName"], "Path": self.path, "RoleId": "AROAEXAMPLE"}}


def roles(iam: Iam, now: datetime = NOW) -> DirectoryRoles:
    return DirectoryRoles(iam, lambda: now)


@pytest.mark.parametrize(
    ("path", "role_id", "answer"),
    [
        ("/aws-reserved/sso.amazonaws.com/", "AROAEXAMPLE", True),
        ("/aws-reserved/sso.amazonaws.com/eu-west-1/", None, True),
        ("/aws-reserved/sso.amazonaws.com/eu-west-1/", "AROAOTHER", False),
        ("/", "AROAEXAMPLE", False),
        ("/x/", "AROAEXAMPLE", False),
        ("/x/aws-reserved/sso.amazonaws.com/", "AROAEXAMPLE", False),
    ],
)
def test_the_path_says_it_and_the_id_must_be_the_sessions(path: str, role_id: str | None, answer: bool) -> None:
    assert roles(Iam(path))(NAME, role_id) is answer


def test_an_answer_is_kept_for_a_quarter_of_an_hour() -> None:
    iam, clock = Iam(), FakeClock()
    known = DirectoryRoles(iam, clock.now)
    for _ in range(3):
        assert known(NAME, "AROAEXAMPLE")
    assert iam.asked == 1
    clock.instant += timedelta(minutes=15)
    iam.path = "/"
    assert not known(NAME, "AROAEXAMPLE")
    assert iam.asked == 2


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity", "Throttling", "ValidationError"])
def test_no_answer_is_a_no_and_is_asked_again(code: str) -> None:
    iam = Iam(failure=ClientError({"Error": {"Code": code, "Message": ""}}, "GetRole"))
    known = roles(iam)
    assert not known(NAME, None)
    iam.failure = EndpointConnectionError(endpoint_url="https://iam.amazonaws.com")
    assert not known(NAME, None)
    iam.failure = None
    assert known(NAME, None)
