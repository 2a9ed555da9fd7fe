"""The page on 127.0.0.1: a proxy that opens a session with the person's AWS credentials and adds it to each request.

The browser never holds the session. It sends a cookie of this proxy, set by a link that works once. Requests of other pages, of
other programs on this machine, and with other host names are refused.
"""

from __future__ import annotations

import contextlib
import hmac
import http.client
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from ekslab.words import t

HOST = "127.0.0.1"
#: Bytes of a form, and seconds that the first link works and that the service may take.
_LONGEST_FORM, LINK_LASTS, _TIMEOUT = 256 * 1024, 60.0, 30.0
_SERVICE_COOKIE = "__Host-ekslab"
#: The headers passed on with a request, and with its answer to the browser. Cookies are neither.
_SENT = ("accept", "accept-language", "content-type")
_RETURNED = (
    *("content-type", "content-disposition", "location", "cache-control", "content-security-policy", "referrer-policy"),
    *("x-content-type-options", "x-frame-options", "x-robots-tag", "cross-origin-opener-policy"),
    "cross-origin-resource-policy",
)


class Upstream(Protocol):
    """Sends one request to the service's page."""

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Page:
        """The answer, with any status. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """An answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Door:
    """The admitted browser. `link` works once; `cookie` replaces it."""

    port: int
    began: float
    link: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def origin(self) -> str:
        """The origin of this page, in a browser's form."""
        return f"http://{HOST}:{self.port}"

    @property
    def cookie_name(self) -> str:
        """Named by the port: browsers send cookies to every port of a host."""
        return f"ekslab-{self.port}"

    def use_link(self, given: str, now: float) -> bool:
        """Whether this is the link, used for the first time and before it expires."""
        good = (
            bool(self.link)
            and hmac.compare_digest(self.link.encode(), given.encode())
            and now - self.began <= LINK_LASTS
        )
        if good:
            self.link = ""
        return good

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        """The reason to refuse a request; empty if it is accepted."""
        if headers.get("host") != f"{HOST}:{self.port}":
            return t("This page is on 127.0.0.1 only.")
        origin = headers.get("origin")
        if origin is None and method == "POST":
            return t("A form says where it comes from.")
        if origin is not None and origin != self.origin:
            return t("This was sent from another page.")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and method == "POST":
            return t("This was sent from another page.")
        if not is_page(path):
            return t("Only the page is here.")
        return "" if self._knows(headers.get("cookie", "")) else t("Open the link that `ekslab dashboard` printed.")

    def _knows(self, cookies: str) -> bool:
        named = [part.strip().partition("=") for part in cookies.split(";")]
        values = [value for name, _, value in named if name == self.cookie_name]
        return len(values) == 1 and hmac.compare_digest(values[0].encode(), self.cookie.encode())


def is_page(target: str) -> bool:
    """Whether this is a path of the page that no other parser reads as another path."""
    path = target.partition("?")[0]
    plain = not any(odd in path.lower() for odd in ("//", "\\", "%2f", "%5c", "%2e", "%00", "/../", "/./"))
    safe = plain and target.isascii() and target.isprintable() and " " not in target and "#" not in target
    ends = path.rsplit("/", 1)[-1] not in (".", "..")
    return safe and ends and (path in ("/", "/ui", "/openapi.json") or path.startswith("/ui/"))


def serve(door: Door, upstream: Upstream, session: str, server: ThreadingHTTPServer) -> None:
    """Answer until the server is shut down."""
    server.RequestHandlerClass = _handler(door, upstream, session)
    server.serve_forever(poll_interval=0.2)


def listen(port: int) -> ThreadingHTTPServer:
    """On this port of 127.0.0.1, or a free one (0). Raises OSError."""
    server = ThreadingHTTPServer((HOST, port), BaseHTTPRequestHandler)
    server.daemon_threads = True
    return server


def to_service(url: str) -> Upstream:
    """The page of the service at this address."""
    parts = urlsplit(url)
    connect: Callable[..., http.client.HTTPConnection] = (
        http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    )

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Page:
        connection = connect(parts.netloc, timeout=_TIMEOUT)
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, dict(headers))
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Page(answer.status, named, answer.read())
        except http.client.HTTPException as error:
            raise OSError(type(error).__name__) from error
        finally:
            connection.close()

    return send


def end_session(upstream: Upstream, session: str) -> None:
    """Sign out; if the service does not answer, the session expires there."""
    cookie = {"cookie": f"{_SERVICE_COOKIE}={session}"}
    with contextlib.suppress(OSError):
        page = upstream("GET", "/ui/administration", cookie, None)
        found = re.search(rb'name="form_token" value="([^"]+)"', page.body)
        if found:
            kind = {"content-type": "application/x-www-form-urlencoded"}
            upstream("POST", "/ui/signout", {**cookie, **kind}, b"form_token=" + found[1])


def _handler(door: Door, upstream: Upstream, session: str) -> type[BaseHTTPRequestHandler]:
    """A handler's class; its values are in a tuple, since a function as a class attribute would become a method."""
    return type("Handler", (_Handler,), {"door": door, "upstream": (upstream,), "session": session})


class _Handler(BaseHTTPRequestHandler):
    """One request of the browser, for a door, a service and a session that `_handler` says."""

    door: Door
    session: str
    upstream: tuple[Upstream]

    server_version, sys_version = "ekslab", ""
    timeout = 60

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, *_: Any) -> None:
        """Log nothing: the log would contain the first link."""

    def _answer(self, method: str) -> None:
        headers = _named(self.headers.items())
        if method == "GET" and self.path.startswith("/start?") and headers.get("host") == f"{HOST}:{self.door.port}":
            return self._start()
        if why := self.door.refusal(method, self.path, headers):
            return self._say(403, why)
        body = self._body(headers) if method == "POST" else b""
        if body is None:
            return self._say(413, t("The form is too long."))
        return self._forward(method, headers, body)

    def _start(self) -> None:
        if not self.door.use_link(self.path.partition("?")[2], time.monotonic()):
            return self._say(403, t("This link has been used, or is too old: start `ekslab dashboard` again."))
        cookie = f"{self.door.cookie_name}={self.door.cookie}; Path=/; HttpOnly; SameSite=Strict"
        return self._send(303, {"location": "/ui/labs", "set-cookie": cookie, "cache-control": "no-store"}, b"")

    def _body(self, headers: Mapping[str, str]) -> bytes | None:
        length = headers.get("content-length", "")
        if not length.isdigit() or len(length) > 7 or int(length) > _LONGEST_FORM or "transfer-encoding" in headers:
            return None
        return self.rfile.read(int(length))

    def _forward(self, method: str, headers: Mapping[str, str], body: bytes) -> None:
        sent = {name: headers[name] for name in _SENT if name in headers}
        sent["cookie"] = f"{_SERVICE_COOKIE}={self.session}"
        try:
            page = self.upstream[0](method, self.path, sent, body if method == "POST" else None)
        except OSError as error:
            return self._say(502, t("No answer from the service: {name}.", name=type(error).__name__))
        kept = {name: page.headers[name] for name in _RETURNED if name in page.headers}
        return self._send(page.status, kept, page.body)

    def _say(self, status: int, why: str) -> None:
        kind = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
        self._send(
            status, {**kind, "content-security-policy": "default-src 'none'; frame-ancestors 'none'"}, why.encode()
        )

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        """Handle a connection; a browser that disconnects is no error."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()


def _named(items: Any) -> dict[str, str]:
    """Headers by their names in lower case; a repeated one becomes an invalid value."""
    found: dict[str, str] = {}
    for name, value in items:
        known = name.lower()
        found[known] = value if known not in found else f"{found[known]}\0{value}"
    return found
