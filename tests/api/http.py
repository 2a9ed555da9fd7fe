"""A client of the routes: builds API Gateway's events, runs the app on them, and parses the answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from chalice import Chalice

from chalicelib.api.routes.labs import make_blueprint
from chalicelib.domain.identity.people import People
from chalicelib.ports.deps import Deps
from tests.fakes import OWNER, FakeWorld, make_deps
from tests.fakes.builders import ACCOUNT

ADMIN = "arn:aws:iam::111122223333:user/teacher"
STRANGER = "arn:aws:iam::111122223333:user/stranger"


@dataclass
class Answer:
    """An HTTP answer; `json` parses its body. `cookies`: the unparsed Set-Cookie headers."""

    status: int
    headers: Mapping[str, str]
    text: str
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Http:
    """Signed requests of `caller` against a fake world. `headers`: sent with each."""

    world: FakeWorld = field(default_factory=make_deps)
    caller: str | None = OWNER
    people: People = field(default_factory=lambda: People(ACCOUNT, (ADMIN,), is_directory_role=lambda *_: True))
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def app(self) -> Chalice:
        """An application of its own, for direct calls."""
        return _application(lambda: self.world.deps, lambda: self.people)

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> Answer:
        return self.call("POST", path, body=body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Answer:
        return self.call("PATCH", path, body=body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Answer:
        return self.call("PUT", path, body=body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.call("DELETE", path, **options)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        caller: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        resource, given = _resource(path)
        who, is_binary = self.caller if caller is None else caller, isinstance(body, bytes)
        identity = {"sourceIp": "15.230.39.7", **({"userArn": who, "accountId": who.split(":")[4]} if who else {})}
        event = {
            "httpMethod": method,
            "path": path,
            "headers": {"content-type": "application/json", **self.headers, **(headers or {})},
            "multiValueQueryStringParameters": {key: [value] for key, value in query.items()} if query else None,
            "pathParameters": given,
            "stageVariables": None,
            "body": base64.b64encode(body).decode() if is_binary else _text(body),
            "isBase64Encoded": is_binary,
            "requestContext": {
                "httpMethod": method,
                "resourcePath": resource,
                "path": f"/api{path}",
                "identity": identity,
            },
        }
        answer = self._answer(event)
        several = answer.get("multiValueHeaders", {}).get("Set-Cookie", [])
        one = [answer["headers"]["Set-Cookie"]] if "Set-Cookie" in answer["headers"] else []
        return Answer(answer["statusCode"], answer["headers"], answer["body"], (*several, *one))

    def _answer(self, event: Mapping[str, Any]) -> Any:
        try:
            desk = _free.pop()
        except IndexError:
            desk = _Desk()
        desk.http = self
        try:
            return desk.app(event, None)
        finally:
            _free.append(desk)


class _Desk:
    """An application that serves one world at a time: registering its routes takes longer than most requests."""

    def __init__(self) -> None:
        self.http = Http()
        self.app = _application(lambda: self.http.world.deps, lambda: self.http.people)


_free: list[_Desk] = []
"""Desks between two requests; one that is asked during another's has one of its own."""


def _application(get_deps: Callable[[], Deps], get_people: Callable[[], People]) -> Chalice:
    app = Chalice(app_name="ekslab-test")
    app.register_blueprint(make_blueprint(get_deps, get_people))
    return app


def _text(body: Any) -> str | None:
    return body if body is None or isinstance(body, str) else json.dumps(body)


def _resource(path: str) -> tuple[str, dict[str, str] | None]:
    parts = path.strip("/").split("/")
    if path.startswith("/ui/"):
        return "/ui/{path+}", {"path": unquote(path.removeprefix("/ui/"))}
    if parts[0] == "labs" and len(parts) > 1:
        return "/".join(["/labs/{lab_id}", *parts[2:]]), {"lab_id": parts[1]}
    if parts[0] in ("clusters", "orphans") and len(parts) > 3:
        given = dict(zip(("account", "region", "name"), map(unquote, parts[1:4]), strict=True))
        return "/".join([f"/{parts[0]}/{{account}}/{{region}}/{{name}}", *parts[4:]]), given
    if parts[0] == "plan" and len(parts) > 1:
        return "/".join(["/plan/{date}", *parts[2:]]), {"date": unquote(parts[1])}
    if parts[0] == "calendar" and len(parts) == 2:
        return "/calendar/{file}", {"file": unquote(parts[1])}
    if parts[0] in ("keep", "decide", "confirm", "unsubscribe") and len(parts) == 2:
        return f"/{parts[0]}/{{token}}", {"token": unquote(parts[1])}
    if parts[0] == "mail" and len(parts) == 3:
        return "/mail/{action}/{token}", {"action": unquote(parts[1]), "token": unquote(parts[2])}
    if parts[0] == "people" and len(parts) == 2:
        return "/people/{name}", {"name": unquote(parts[1])}
    if parts[0] == "accounts" and len(parts) == 2:
        return "/accounts/{account}", {"account": parts[1]}
    return path, None
