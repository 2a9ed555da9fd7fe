"""A code for an ID token: the request, the accepted answer, and the errors of others; against a local server."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from chalicelib.aws.cognito.user_pool import claims_of, id_token_claims
from chalicelib.domain.errors.tree import AwsUnavailable, LoginRefused

CLAIMS = {"sub": "s", "aud": "client-1"}


def token(claims: Any = CLAIMS) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJSUzI1NiJ9.{payload}.c2lnbmVk"


def body(id_token: Any = None) -> bytes:
    return json.dumps({"id_token": token() if id_token is None else id_token, "token_type": "Bearer"}).encode()


@dataclass
class Endpoint:
    """The server's answer, and the requests it got."""

    url: str = ""
    status: int = 200
    answer: bytes = field(default_factory=body)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], dict[str, list[str]]]] = field(default_factory=list)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    there = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            there.asked.append((self.path, dict(self.headers), parse_qs(sent)))
            self.send_response(there.status)
            for name, value in there.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(there.answer)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield there
    server.shutdown()
    thread.join()
    server.server_close()


def redeem(endpoint: Endpoint) -> Any:
    return id_token_claims(
        endpoint.url, "client-1", "secret:1", "code-1", "verifier-1", "https://api.example/ui/callback"
    )


def test_the_code_goes_with_its_verifier_and_the_secret_in_the_header_alone(endpoint: Endpoint) -> None:
    assert redeem(endpoint) == CLAIMS
    [(path, headers, form)] = endpoint.asked
    assert path == "/oauth2/token"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"client-1:secret:1"
    assert form == {
        "grant_type": ["authorization_code"],
        "code": ["code-1"],
        "code_verifier": ["verifier-1"],
        "redirect_uri": ["https://api.example/ui/callback"],
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_one(endpoint: Endpoint, status: int) -> None:
    endpoint.status, endpoint.answer = status, b'{"error":"invalid_grant"}'
    with pytest.raises(LoginRefused):
        redeem(endpoint)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_trouble_passes(endpoint: Endpoint, status: int) -> None:
    endpoint.status = status
    with pytest.raises(AwsUnavailable):
        redeem(endpoint)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_secret_follows_no_redirect(endpoint: Endpoint, status: int) -> None:
    endpoint.status, endpoint.headers = status, {"Location": f"{endpoint.url}/elsewhere"}
    with pytest.raises(LoginRefused):
        redeem(endpoint)
    assert [path for path, _, _ in endpoint.asked] == ["/oauth2/token"]


def test_nobody_there_is_a_trouble_that_passes() -> None:
    with pytest.raises(AwsUnavailable):
        id_token_claims("http://127.0.0.1:1", "client-1", "s", "c", "v", "https://api.example/ui/callback")


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"{}", b"[]", b"null", b"<html>", b"\xff\xfe", b'{"id_token":null}', b'{"id_token":7}', body(""), body("a.b"),
        body("a.b.c.d"), body("a.!!!!.c"), body("a.bm8ganNvbg.c"), body(token([1])), body(token("text")), body(token(None)),
        b'{"id_token":"' + b"a" * 70_000 + b'"}', b"[" * 30_000, body(token({"a": "b" * 70_000})),
    ],
    ids=range(19),
)  # fmt: skip
def test_what_is_no_token_is_refused(answer: bytes) -> None:
    with pytest.raises(LoginRefused):
        claims_of(answer)
