"""A browser against the fakes: it opens a session for a person, sends the cookie, and fills the pages' forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from tests.api.http import Answer, Http
from tests.fakes.user_pool import FakeUserPool

COOKIE = "__Host-ekslab"
LOGIN_COOKIE = "__Host-ekslab-login"
HOST = "api.example"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Form:
    """A form of a page, with the values of its fields."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Collects the parts of a page that tests need."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if tag == "form":
            self.forms.append(Form(str(given.get("action") or "")))
        if tag in ("input", "select", "textarea") and self.forms and given.get("name"):
            self.forms[-1].fields[str(given["name"])] = given.get("value") or ""


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def with_login(http: Http) -> FakeUserPool:
    """The same service with a user pool for the login."""
    world = http.world
    pool = FakeUserPool(world.account, world.clock)
    world.deps = replace(world.deps, user_pool=pool)
    http.people = replace(http.people, standing_of=pool.standing)
    return pool


def kept_cookies(answer: Answer) -> dict[str, str]:
    """The cookies of an answer: name and value of each; an empty value deletes one."""
    pairs = (cookie.partition(";")[0].partition("=") for cookie in answer.cookies)
    return {name: value for name, _, value in pairs}


@dataclass
class Browser:
    """`cookie` None: no session. `language`: the accepted one."""

    http: Http
    cookie: str | None = None
    language: str = ""

    @classmethod
    def of(cls, http: Http, arn: str) -> Browser:
        answer = http.post("/sessions", None, caller=arn)
        assert answer.status == 201, answer.text
        return cls(http, answer.json["token"])

    @classmethod
    def signed_in(cls, http: Http, pool: FakeUserPool, username: str) -> Browser:
        """By the login page, as this user of the pool."""
        begun = http.get("/ui/login", caller="", headers={"host": HOST})
        back = pool.authorize(begun.headers["Location"], username)
        kept = f"{LOGIN_COOKIE}={kept_cookies(begun)[LOGIN_COOKIE]}"
        answer = http.get("/ui/callback", query=back, caller="", headers={"host": HOST, "cookie": kept})
        assert answer.status == 303, answer.text
        return cls(http, kept_cookies(answer)[COOKIE])

    def _headers(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        sent = {"cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        sent |= {"accept-language": self.language} if self.language else {}
        return {**sent, **(more or {})}

    def get(self, path: str) -> Answer:
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        return self.http.get(parts.path, query=query or None, caller="", headers=self._headers())

    def post(self, path: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        return self.http.post(path, urlencode(fields), caller="", headers=self._headers({**FORM, **(headers or {})}))

    def token(self, path: str = "/ui/labs") -> str:
        """A form token of this session."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]

    def send(self, path: str, **fields: Any) -> Answer:
        """A form with a valid token."""
        return self.post(path, {"form_token": self.token(), **fields})

    def follow(self, answer: Answer, at: str) -> Answer:
        assert answer.status == 303, answer.text
        return self.get(urljoin(at, answer.headers["Location"]))
