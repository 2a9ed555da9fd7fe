"""The contract of every `UserPool`, tested on the fake and on the adapter over the sandbox's Cognito."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

import pytest

from chalicelib.aws.cognito.user_pool import CLIENT, CognitoUserPool
from chalicelib.domain.errors.tree import LoginRefused
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.identity.user_pools import PoolUser, all_teams, pool_user
from chalicelib.ports.people import UserPool
from emulator.process import Sandbox
from tests.fakes import make_deps
from tests.fakes.clock import FakeClock
from tests.fakes.user_pool import FakeUserPool


class Pool(Protocol):
    """A pool that tests fill."""

    port: UserPool

    def add(self, username: str, *groups: str) -> str: ...

    def disable(self, username: str) -> None: ...

    def delete(self, username: str) -> None: ...

    def later(self) -> None: ...


@dataclass
class Fake:
    port: FakeUserPool

    def add(self, username: str, *groups: str) -> str:
        return self.port.add(username, *groups)

    def disable(self, username: str) -> None:
        self.port.users[username].enabled = False

    def delete(self, username: str) -> None:
        del self.port.users[username]

    def later(self) -> None:
        """Stores nothing."""


@dataclass
class Real:
    port: CognitoUserPool
    client: Any
    pool_id: str
    clock: FakeClock

    def add(self, username: str, *groups: str) -> str:
        made = self.client.admin_create_user(UserPoolId=self.pool_id, Username=username)["User"]["Attributes"]
        for group in groups:
            with suppress(self.client.exceptions.GroupExistsException):
                self.client.create_group(UserPoolId=self.pool_id, GroupName=group)
            self.client.admin_add_user_to_group(UserPoolId=self.pool_id, Username=username, GroupName=group)
        sub = next(one["Value"] for one in made if one["Name"] == "sub")
        return PoolUser(self.port._arn, sub, username).arn

    def disable(self, username: str) -> None:
        self.client.admin_disable_user(UserPoolId=self.pool_id, Username=username)

    def delete(self, username: str) -> None:
        self.client.admin_delete_user(UserPoolId=self.pool_id, Username=username)

    def later(self) -> None:
        self.clock.advance(seconds=CognitoUserPool.KEPT.total_seconds())


def a_pool(client: Any, *clients: str) -> tuple[str, str]:
    """A pool's id and its ARN."""
    pool = client.create_user_pool(PoolName="people")["UserPool"]
    for name in clients:
        client.create_user_pool_client(
            UserPoolId=pool["Id"],
            ClientName=name,
            GenerateSecret=True,
            CallbackURLs=["https://api.example/ui/callback"],
            LogoutURLs=["https://api.example/ui/signed-out"],
        )
    return pool["Id"], pool["Arn"]


def real(sandbox: Sandbox) -> Real:
    client, clock = sandbox.client("cognito-idp"), FakeClock()
    pool_id, arn = a_pool(client, CLIENT)
    return Real(CognitoUserPool(client, arn, "https://login.example", clock.now), client, pool_id, clock)


@pytest.fixture(params=["fake", "real"])
def pool(request: pytest.FixtureRequest) -> Pool:
    if request.param == "real":
        return real(request.getfixturevalue("sandbox"))
    world = make_deps()
    return Fake(FakeUserPool(world.account, world.clock))


def test_the_client_says_where_it_may_be_come_back_to(pool: Pool) -> None:
    client = pool.port.client()
    assert client.id
    assert client.login_url == "https://login.example"
    assert client.issuer.startswith("https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_")
    assert client.pool_arn.endswith(client.issuer.rpartition("/")[2])
    assert [each for each in (*client.callbacks, *client.signed_out) if not each.startswith("https://")] == []


def test_a_user_stands_with_their_groups_and_the_members_of_their_teams(pool: Pool) -> None:
    arn, mate = pool.add("learner", "administrators", "team-shop"), pool.add("mate", "team-shop")
    pool.add("stranger", "team-data")
    standing = pool.port.standing(arn)
    assert standing is not None
    assert set(standing.groups) == {"administrators", "team-shop"}
    [team] = standing.teams
    assert (team.name, set(team.patterns)) == ("shop", {arn, mate})


def test_the_teams_that_groups_make_have_all_their_members(pool: Pool) -> None:
    arn, mate = pool.add("learner", "administrators", "team-shop"), pool.add("mate", "team-shop", "team-data")
    assert {team.name: set(team.patterns) for team in pool.port.teams()} == {"data": {mate}, "shop": {arn, mate}}
    pool.add("third", "team-late")
    pool.later()
    assert [team.name for team in pool.port.teams()] == ["data", "late", "shop"]


def test_who_is_disabled_deleted_or_made_anew_stands_no_more(pool: Pool) -> None:
    arn = pool.add("learner")
    assert pool.port.standing(arn) is not None
    pool.disable("learner")
    pool.later()
    assert pool.port.standing(arn) is None
    pool.delete("learner")
    pool.later()
    assert pool.port.standing(arn) is None
    again = pool.add("learner")
    pool.later()
    assert (again == arn, pool.port.standing(arn)) == (False, None)
    assert pool.port.standing(again) is not None


def test_who_is_of_another_pool_stands_nowhere(pool: Pool) -> None:
    user = pool_user(pool.add("learner"))
    assert user is not None
    for other in (user.pool_arn + "x", user.pool_arn.replace("111122223333", "999988887777")):
        assert pool.port.standing(PoolUser(other, user.sub, user.username).arn) is None
    assert pool.port.standing("arn:aws:iam::111122223333:user/learner") is None


def test_what_the_pool_said_is_kept_for_a_minute(sandbox: Sandbox) -> None:
    pool = real(sandbox)
    learner = pool.add("learner")
    assert pool.port.standing(learner) is not None
    pool.disable("learner")
    pool.clock.advance(seconds=59)
    assert pool.port.standing(learner) is not None
    pool.clock.advance(seconds=1)
    assert pool.port.standing(learner) is None


@pytest.mark.parametrize("clients", [(), ("other",), (CLIENT, CLIENT)])
def test_a_pool_without_the_one_client_signs_nobody_in(sandbox: Sandbox, clients: tuple[str, ...]) -> None:
    client = sandbox.client("cognito-idp")
    _, arn = a_pool(client, *clients)
    with pytest.raises(LoginRefused):
        CognitoUserPool(client, arn, "https://login.example", FakeClock().now).client()


def test_other_clients_of_the_pool_do_not_disturb(sandbox: Sandbox) -> None:
    client = sandbox.client("cognito-idp")
    _, arn = a_pool(client, "other", CLIENT, "another")
    assert CognitoUserPool(client, arn, "https://login.example", FakeClock().now).client().id


@dataclass(frozen=True)
class BigGroup:
    """A client that knows one user, in one group after `others` other groups, by pages of 60."""

    members: int

    def admin_get_user(self, **_: str) -> Any:
        return {"Enabled": True, "UserAttributes": [{"Name": "sub", "Value": "sub-late"}]}

    def get_paginator(self, method: str) -> Any:
        return (
            self if method == "list_users_in_group" else SimpleNamespace(paginate=lambda **_: [{"Groups": self.groups}])
        )

    @property
    def groups(self) -> Any:
        return [{"GroupName": "team-shop"}]

    def paginate(self, **_: str) -> Iterator[Any]:
        for first in range(0, self.members or 1, 60):
            numbers = range(first, min(first + 60, self.members))
            users = [{"Username": f"u{n}", "Attributes": [{"Name": "sub", "Value": f"sub-{n}"}]} for n in numbers]
            yield {"Users": users, **({"NextToken": "more"} if first + 60 < self.members else {})}


@pytest.mark.parametrize(("members", "cut"), [(0, False), (1, False), (60, False), (1200, False), (1201, True)])
def test_whoever_is_in_a_group_is_in_its_team_however_many_are_and_a_team_that_is_cut_says_so(
    members: int, cut: bool
) -> None:
    """User 1,201 was in no team, so no ceiling of it held for them; and nothing reported that the list was cut."""
    arn = "arn:aws:cognito-idp:ap-northeast-2:111122223333:userpool/ap-northeast-2_Big"
    pool = CognitoUserPool(BigGroup(members), arn, "https://login.example", FakeClock().now)
    standing = pool.standing(PoolUser(arn, "sub-late", "late").arn)
    assert standing is not None
    [mine], [team] = standing.teams, pool.teams()
    assert mine.has(PoolUser(arn, "sub-late", "late").arn)
    assert (mine.cut, team.cut, len(mine.patterns), len(team.patterns)) == (
        cut,
        cut,
        min(members, 1200) + 1,
        min(members, 1200),
    )
    assert [each.cut for each in all_teams((Team("shop", ("*",)),), [team])] == [cut]
