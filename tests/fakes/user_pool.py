"""A user pool in memory: its users, the login page for browsers, and codes for ID tokens."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from chalicelib.domain.errors.tree import LoginRefused
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.identity.user_pools import TEAM, PoolUser, Standing, pool_user
from chalicelib.ports.people import PoolClient
from tests.fakes.account import Account, port
from tests.fakes.builders import ACCOUNT
from tests.fakes.clock import FakeClock

POOL = "ap-northeast-2_Fake"
POOL_ARN = f"arn:aws:cognito-idp:ap-northeast-2:{ACCOUNT}:userpool/{POOL}"
LOGIN = "https://login.example"
PAGE = "https://api.example/api/ui"
OTHER_PAGE = "https://labs.example/ui"
Claims = dict[str, object]


@dataclass
class FakeUser:
    sub: str
    groups: tuple[str, ...] = ()
    enabled: bool = True


@dataclass
class FakeUserPool:
    """`forge` changes the claims of its tokens: an attacker's version."""

    account: Account
    clock: FakeClock
    users: dict[str, FakeUser] = field(default_factory=dict)
    codes: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    made: int = 0
    issued: int = 0
    forge: Callable[[Claims], Claims] = lambda claims: claims
    port_name = "user_pool"

    def add(self, username: str, *groups: str) -> str:
        """Add a user; return the ARN under which they own labs."""
        self.made += 1
        self.users[username] = FakeUser(f"{self.made:08d}-aaaa-bbbb-cccc-000000000000", groups)
        return self.arn_of(username)

    def arn_of(self, username: str) -> str:
        return PoolUser(POOL_ARN, self.users[username].sub, username).arn

    def authorize(self, address: str, username: str) -> dict[str, str]:
        """Sign in at the browser's login address; return the parameters of the callback."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{LOGIN}/oauth2/authorize?"), address
        assert (asked["client_id"], asked["response_type"]) == (self.client().id, "code")
        assert asked["redirect_uri"] in self.client().callbacks
        self.issued += 1
        code = f"code-number-{self.issued}"
        self.codes[code] = (username, asked)
        return {"code": code, "state": asked["state"]}

    @port
    def client(self) -> PoolClient:
        callbacks = (f"{PAGE}/callback", f"{OTHER_PAGE}/callback")
        signed_out = (f"{PAGE}/signed-out", f"{OTHER_PAGE}/signed-out")
        issuer = f"https://cognito-idp.ap-northeast-2.amazonaws.com/{POOL}"
        return PoolClient("client-1", LOGIN, issuer, POOL_ARN, callbacks, signed_out)

    @port
    def redeem(self, code: str, verifier: str, callback: str) -> Mapping[str, object]:
        username, asked = self.codes.pop(code, (None, {}))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if username is None or challenge != asked["code_challenge"] or callback != asked["redirect_uri"]:
            raise LoginRefused("The login does not take the code.")
        now, client = int(self.clock.now().timestamp()), self.client()
        claims: Claims = {
            "iss": client.issuer,
            "aud": client.id,
            "token_use": "id",
            "nonce": asked["nonce"],
            "sub": self.users[username].sub,
            "cognito:username": username,
            "email": "somebody@example.com",
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
        }
        return self.forge(claims)

    @port
    def standing(self, arn: str) -> Standing | None:
        user = pool_user(arn)
        found = self.users.get(user.username) if user and user.pool_arn == POOL_ARN else None
        if user is None or found is None or not found.enabled or found.sub != user.sub:
            return None
        teams = tuple(self._team(group) for group in found.groups if group.startswith(TEAM))
        return Standing(found.groups, teams)

    @port
    def teams(self) -> tuple[Team, ...]:
        groups = {group for user in self.users.values() for group in user.groups if group.startswith(TEAM)}
        return tuple(map(self._team, sorted(groups)))

    def _team(self, group: str) -> Team:
        members = (self.arn_of(name) for name, user in self.users.items() if group in user.groups)
        return Team(group.removeprefix(TEAM), tuple(members))
