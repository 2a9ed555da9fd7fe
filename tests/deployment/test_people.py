"""Deployment's warnings about patterns that admit more than one permission set."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from deployment.people import wide_patterns

SSO = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_"


class Iam:
    """Has roles of the permission sets PlatformTeam and PlatformTeam_ReadOnly, or denies reading them."""

    def __init__(self, denied: bool = False) -> None:
        self.denied = denied

    def get_paginator(self, _operation: str) -> "Iam":
        return self

    def paginate(self, **asked: str) -> Iterator[Any]:
        assert asked["PathPrefix"] == "/aws-reserved/sso.amazonaws.com/"
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListRoles")
        for name in ("PlatformTeam", "PlatformTeam_ReadOnly"):
            yield {"Roles": [{"RoleName": f"AWSReservedSSO_{name}_0123456789abcdef"}]}


def said(parameters: dict[str, str], denied: bool = False) -> tuple[str, ...]:
    return wide_patterns(lambda *_, **__: Iam(denied), parameters)


def test_a_pattern_that_fits_two_permission_sets_is_told() -> None:
    [line] = said({"Administrators": f"{SSO}Platform*/*,{SSO}PlatformTeam_*/*", "Teams": f"shop={SSO}PlatformTeam/*"})
    assert (
        line
        == f"Administrators: {SSO}Platform*/* fits people of 2 permission sets: PlatformTeam, PlatformTeam_ReadOnly."
    )


def test_what_can_not_be_looked_up_is_said_and_stops_nothing() -> None:
    assert said({"Viewers": f"{SSO}Platform*/*"}, denied=True)[0].startswith("Whether a pattern")
    assert said({"Administrators": "arn:aws:iam::111122223333:user/teacher"}, denied=True) == ()
