"""The proxy of `ekslab dashboard`: admitted requests, forwarded ones, and no session in the browser."""

from __future__ import annotations

import argparse
import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ekslab.client import Answer, Client
from ekslab.commands.dashboard import dashboard
from ekslab.dashboard import LINK_LASTS, Door, Page, end_session, is_page, listen, serve
from ekslab.parsing.parser import parse

PORT = 4711
HONEST = {"host": f"127.0.0.1:{PORT}", "cookie": f"ekslab-{PORT}=secret"}
SAME = {"origin": f"http://127.0.0.1:{PORT}"}


def a_door() -> Door:
    return Door(PORT, 0.0, "link", "secret")


def test_the_honest_are_let_in() -> None:
    assert a_door().refusal("GET", "/ui/labs", HONEST) == ""
    assert a_door().refusal("POST", "/ui/labs/x/end", {**HONEST, **SAME, "sec-fetch-site": "same-origin"}) == ""
    assert (
        a_door().refusal("GET", "/ui/labs", {**HONEST, "cookie": f"other=1; ekslab-{PORT}=secret; ekslab-80=x"}) == ""
    )


ATTACKS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "DNS rebinding": ("GET", "/ui/labs", {**HONEST, "host": "evil.example"}),
    "DNS rebinding with the port": ("GET", "/ui/labs", {**HONEST, "host": f"evil.example:{PORT}"}),
    "localhost, which may be another": ("GET", "/ui/labs", {**HONEST, "host": f"localhost:{PORT}"}),
    "an address like ours": ("GET", "/ui/labs", {**HONEST, "host": f"127.0.0.2:{PORT}"}),
    "no port": ("GET", "/ui/labs", {**HONEST, "host": "127.0.0.1"}),
    "no host": ("GET", "/ui/labs", {"cookie": HONEST["cookie"]}),
    "two hosts": ("GET", "/ui/labs", {**HONEST, "host": f"127.0.0.1:{PORT}\0127.0.0.1:{PORT}"}),
    "a form without an origin": ("POST", "/ui/x", HONEST),
    "a form of another site": ("POST", "/ui/x", {**HONEST, "origin": "https://evil.example"}),
    "a form of another port": ("POST", "/ui/x", {**HONEST, "origin": "http://127.0.0.1:8080"}),
    "a form of another scheme": ("POST", "/ui/x", {**HONEST, "origin": f"https://127.0.0.1:{PORT}"}),
    "a form of localhost": ("POST", "/ui/x", {**HONEST, "origin": f"http://localhost:{PORT}"}),
    "a form from nowhere": ("POST", "/ui/x", {**HONEST, "origin": "null"}),
    "a form that the browser calls same-site": ("POST", "/ui/x", {**HONEST, **SAME, "sec-fetch-site": "same-site"}),
    "a page read by another origin": ("GET", "/ui/labs", {**HONEST, "origin": "http://127.0.0.1:8080"}),
    "no cookie": ("GET", "/ui/labs", {"host": HONEST["host"]}),
    "a wrong cookie": ("GET", "/ui/labs", {**HONEST, "cookie": f"ekslab-{PORT}=guess"}),
    "the cookie of another port": ("GET", "/ui/labs", {**HONEST, "cookie": "ekslab-80=secret"}),
    "two cookies": ("GET", "/ui/labs", {**HONEST, "cookie": f"ekslab-{PORT}=secret; ekslab-{PORT}=secret"}),
    "the API behind": ("GET", "/labs", HONEST),
    "the API's root": ("POST", "/sessions", {**HONEST, **SAME}),
    "out of the page": ("GET", "/ui/../labs", HONEST),
    "out of it, encoded": ("GET", "/ui/%2e%2e/labs", HONEST),
    "out of it, half encoded": ("GET", "/ui/.%2E/labs", HONEST),
    "out of it, at the end": ("GET", "/ui/..", HONEST),
    "out of it, backwards": ("GET", "/ui/..\\labs", HONEST),
    "a slash encoded": ("GET", "/ui%2f..%2flabs", HONEST),
    "another server": ("GET", "//evil.example/ui/", HONEST),
    "an absolute address": ("GET", "http://evil.example/ui/", HONEST),
    "a name like ours": ("GET", "/uix/labs", HONEST),
    "a header in the path": ("GET", "/ui/\r\nx: y", HONEST),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused(attack: str) -> None:
    method, path, headers = ATTACKS[attack]
    assert a_door().refusal(method, path, headers)


def test_the_link_works_once_and_for_a_minute() -> None:
    door = a_door()
    assert not door.use_link("guess", 1.0)
    assert door.use_link("link", 1.0)
    assert not door.use_link("link", 1.0)
    assert not a_door().use_link("link", LINK_LASTS + 1)
    assert not Door(PORT, 0.0, "", "secret").use_link("", 1.0)


def test_paths_of_the_page_are_pages() -> None:
    for path in ("/", "/ui", "/ui/labs", "/ui/labs/lab-1?did=end", "/ui/static/style.css?v=1", "/openapi.json"):
        assert is_page(path), path


@dataclass
class Service:
    """The server behind the proxy; records the requests."""

    came: list[tuple[str, str, dict[str, str], bytes | None]] = field(default_factory=list)
    fails: bool = False

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Page:
        self.came.append((method, path, dict(headers), body))
        if self.fails:
            raise OSError("unreachable")
        answer = {
            "content-type": "text/html",
            "set-cookie": "stolen=1",
            "content-security-policy": "default-src 'none'",
        }
        return Page(200, answer, b'<input name="form_token" value="t.1">')


@dataclass
class Running:
    port: int
    door: Door
    service: Service

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse()

    def log_in(self) -> str:
        answer = self.ask("GET", f"/start?{self.door.link}")
        assert answer.status == 303
        return str(answer.getheader("set-cookie"))


@pytest.fixture
def running() -> Iterator[Running]:
    server = listen(0)
    door, service = Door(server.server_address[1], 0.0), Service()
    door.began = float("inf")
    thread = threading.Thread(target=serve, args=(door, service, "the-session", server))
    thread.start()
    yield Running(door.port, door, service)
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_link_becomes_a_cookie_that_no_script_and_no_other_site_has(running: Running) -> None:
    cookie = running.log_in()
    assert cookie.startswith(f"ekslab-{running.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert running.ask("GET", "/start?again").status == 403


def test_the_session_goes_to_the_service_and_never_to_the_browser(running: Running) -> None:
    cookie = running.log_in().partition(";")[0]
    answer = running.ask(
        "GET", "/ui/labs?whose=me", cookie=f"{cookie}; private=1", authorization="x", accept="text/html"
    )
    assert (answer.status, answer.getheader("set-cookie")) == (200, None)
    assert answer.getheader("content-security-policy") == "default-src 'none'"
    [(method, path, sent, body)] = running.service.came
    assert (method, path, body) == ("GET", "/ui/labs?whose=me", None)
    assert (sent["cookie"], sent["accept"]) == ("__Host-ekslab=the-session", "text/html")
    assert "authorization" not in sent
    assert "the-session" not in f"{answer.headers} {answer.read()!r}"


def test_a_form_is_handed_on_and_a_foreign_one_is_not(running: Running) -> None:
    cookie = running.log_in().partition(";")[0]
    kind = "application/x-www-form-urlencoded"
    sent = running.ask("POST", "/ui/ask", "a=1", cookie=cookie, origin=running.door.origin, content_type=kind)
    assert (sent.status, running.service.came[0][3]) == (200, b"a=1")
    assert running.ask("POST", "/ui/ask", "a=1", cookie=cookie, origin="https://evil.example").status == 403
    assert running.ask("POST", "/ui/ask", "a=1", cookie=cookie).status == 403
    assert running.ask("POST", "/ui/ask", "a" * 300_000, cookie=cookie, origin=running.door.origin).status == 413
    assert running.ask("DELETE", "/ui/ask", cookie=cookie).status == 501
    assert len(running.service.came) == 1


def test_a_service_that_does_not_answer_is_said(running: Running) -> None:
    cookie = running.log_in().partition(";")[0]
    running.service.fails = True
    assert running.ask("GET", "/ui/labs", cookie=cookie).status == 502


def test_the_session_is_ended_with_its_own_form() -> None:
    service = Service()
    end_session(service, "the-session")
    method, path, sent, body = service.came[-1]
    assert (method, path, body, sent["cookie"]) == (
        "POST",
        "/ui/signout",
        b"form_token=t.1",
        "__Host-ekslab=the-session",
    )
    service.fails = True
    end_session(service, "the-session")


class _Refusing:
    def call(self, *_: Any) -> Answer:
        return Answer(403, {}, {"detail": "Sign the request."})


def test_without_a_session_nothing_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    options: argparse.Namespace = parse(["dashboard", "--no-browser"])
    assert dashboard(Client(transport=_Refusing()), options) == 1
    assert "127.0.0.1" not in capsys.readouterr().out


class _Admitting:
    def call(self, *_: Any) -> Answer:
        return Answer(200, {}, {"token": "the-session"})


def test_the_address_ends_its_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line break inside a message is printed as `\\x0a`: the link that people copied ended in it, and was refused."""

    def ends(*_: Any) -> None:
        return None

    for name in ("serve", "end_session", "to_service"):
        monkeypatch.setattr(f"ekslab.dashboard.{name}", ends)
    options: argparse.Namespace = parse(["dashboard", "--no-browser", "--url", "http://127.0.0.1:1/api"])
    assert dashboard(Client(transport=_Admitting()), options) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"The page, for the next minute and once: http://127\.0\.0\.1:\d+/start\?[\w.-]+", first)
    assert second == "Ctrl-C ends it, and the session."
