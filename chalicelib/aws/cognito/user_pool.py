"""The port `UserPool` over Cognito: its one client, codes for tokens, and the pool's present facts of a user.

The client's id and secret are in no environment: its addresses name the API, whose function CloudFormation creates first.
They are read once in a process. At the token endpoint, TLS and the client's secret prove the sender: OpenID Connect Core 1.0,
3.1.3.7 then accepts TLS instead of the token's signature. Redirects are refused, answers bounded.
"""

from __future__ import annotations

import base64
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.aws.clients.calls import call, every, first_pages
from chalicelib.domain.errors.tree import AwsUnavailable, LoginRefused, ResourceGone
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.identity.user_pools import TEAM, PoolUser, Standing, pool_user
from chalicelib.ports.people import PoolClient

#: The template's name for the page's client.
CLIENT = "page"
#: The most pages of one team's members, 60 each; a team with more is `cut`.
_MOST_PAGES = 20


class CognitoUserPool:
    """Holds the boto3 `cognito-idp` client. `pool_arn` names the pool; `login_url` is the address of its login."""

    KEPT = timedelta(minutes=1)

    def __init__(self, cognito: Any, pool_arn: str, login_url: str, now: Callable[[], datetime]) -> None:
        self._cognito, self._arn, self._url, self._now = cognito, pool_arn, login_url, now
        self._pool_id = pool_arn.rpartition("/")[2]
        self._client: tuple[PoolClient, str] | None = None
        self._known: dict[str, tuple[Standing | None, datetime]] = {}
        self._teams: tuple[tuple[Team, ...], datetime] | None = None

    def client(self) -> PoolClient:
        return self._asked()[0]

    def redeem(self, code: str, verifier: str, callback: str) -> Mapping[str, object]:
        client, secret = self._asked()
        try:
            return id_token_claims(client.login_url, client.id, secret, code, verifier, callback)
        except LoginRefused:
            # The secret may have changed.
            self._client = None
            raise

    def teams(self) -> tuple[Team, ...]:
        now = self._now()
        if self._teams is None or self._teams[1] <= now:
            groups = every(self._cognito, "cognito-idp:ListGroups", "Groups", UserPoolId=self._pool_id)
            names = sorted(group["GroupName"] for group in groups if group["GroupName"].startswith(TEAM))
            self._teams = tuple(map(self._team, names)), now + self.KEPT
        return self._teams[0]

    def standing(self, arn: str) -> Standing | None:
        now = self._now()
        known, until = self._known.get(arn, (None, now))
        if now < until:
            return known
        user = pool_user(arn)
        found = self._look_up(user) if user is not None and user.pool_arn == self._arn else None
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[arn] = (found, now + self.KEPT)
        return found

    def _asked(self) -> tuple[PoolClient, str]:
        if self._client is None:
            found = call(
                self._cognito,
                "cognito-idp:DescribeUserPoolClient",
                UserPoolId=self._pool_id,
                ClientId=self._client_id(),
            )
            client = found["UserPoolClient"]
            self._client = (self._shown(client), str(client["ClientSecret"]))
        return self._client

    def _client_id(self) -> str:
        """The page's client, by its name: administrators may give the pool other clients."""
        action, key = "cognito-idp:ListUserPoolClients", "UserPoolClients"
        clients = every(self._cognito, action, key, UserPoolId=self._pool_id)
        named = [one["ClientId"] for one in clients if one["ClientName"] == CLIENT]
        if len(named) != 1:
            raise LoginRefused(
                "The user pool has {number} clients called {name}: there must be one.", number=len(named), name=CLIENT
            )
        return str(named[0])

    def _shown(self, found: Mapping[str, Any]) -> PoolClient:
        region = self._arn.split(":")[3]
        issuer = f"https://cognito-idp.{region}.amazonaws.com/{self._pool_id}"
        callbacks, signed_out = tuple(found.get("CallbackURLs", ())), tuple(found.get("LogoutURLs", ()))
        return PoolClient(str(found["ClientId"]), self._url, issuer, self._arn, callbacks, signed_out)

    def _look_up(self, user: PoolUser) -> Standing | None:
        try:
            found = call(self._cognito, "cognito-idp:AdminGetUser", UserPoolId=self._pool_id, Username=user.username)
        except ResourceGone:
            return None
        if not found["Enabled"] or _sub(found["UserAttributes"]) != user.sub:
            return None
        action, request = "cognito-idp:AdminListGroupsForUser", {"UserPoolId": self._pool_id, "Username": user.username}
        groups = tuple(sorted(group["GroupName"] for group in every(self._cognito, action, "Groups", **request)))
        return Standing(groups, tuple(self._team(group, user) for group in groups if group.startswith(TEAM)))

    def _team(self, group: str, *known: PoolUser) -> Team:
        """The team of a group; `known` users are members by an earlier read, wherever they are in the list."""
        request, action = {"UserPoolId": self._pool_id, "GroupName": group}, "cognito-idp:ListUsersInGroup"
        pages = list(first_pages(self._cognito, action, _MOST_PAGES, **request))
        rows = (row for page, _ in pages for row in page["Users"])
        users = (*known, *(PoolUser(self._arn, _sub(row["Attributes"]), row["Username"]) for row in rows))
        cut = not any(is_last for _, is_last in pages)
        return Team(group.removeprefix(TEAM), tuple(dict.fromkeys(user.arn for user in users)), cut)


def _sub(attributes: list[Mapping[str, str]]) -> str:
    return next((one["Value"] for one in attributes if one["Name"] == "sub"), "")


_TIMEOUT, _MOST_BYTES = 5, 65536


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: a redirect is an error."""


def id_token_claims(
    url: str, client_id: str, secret: str, code: str, verifier: str, callback: str
) -> Mapping[str, object]:
    """The claims of the ID token. Raises LoginRefused if the endpoint refuses, AwsUnavailable if it does not answer."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier}
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(f"{url}/oauth2/token", urlencode(form).encode(), headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as answer:
            return claims_of(answer.read(_MOST_BYTES + 1))
    except urllib.error.HTTPError as error:
        if error.code == 429 or error.code >= 500:
            raise AwsUnavailable(f"The login answered with {error.code}.") from error
        raise LoginRefused("The login does not take the code: it works once, and for some minutes.") from error
    except (OSError, http.client.HTTPException) as error:
        raise AwsUnavailable("The login does not answer.") from error


def claims_of(body: bytes) -> Mapping[str, object]:
    """The claims in a token endpoint's answer. Raises LoginRefused."""
    try:
        if len(body) > _MOST_BYTES:
            raise ValueError("too long")
        _, payload, _ = json.loads(body)["id_token"].split(".")
        claims = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise LoginRefused("The login gave no ID token that can be read.") from error
    if not isinstance(claims, dict):
        raise LoginRefused("The login gave no ID token that can be read.")
    return claims
