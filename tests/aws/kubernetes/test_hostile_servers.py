"""A server in the API server's place may be hostile: redirects are not followed, answers are bounded, invalid ones rejected."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.aws.kubernetes import http
from chalicelib.aws.kubernetes.http import ApiServer, NotReachable
from tests.aws.kubernetes.test_cluster import FakeApiServer, api, certificate, lab_at, serve
from tests.examples import examples

__all__ = ["certificate", "serve"]

Serve = Callable[[FakeApiServer], FakeApiServer]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["items", "metadata", "name", "namespace", "labels", "spec", "status", "continue", "type", "conditions"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


class Answering(FakeApiServer):
    """Gives the same answer to every request."""

    status: int = 200
    body: Any = None

    def answer(self, method: str, target: str, token: str) -> tuple[int, dict[str, Any]]:
        self.tokens.append(token)
        return self.status, self.body


@contextmanager
def a_thief() -> Iterator[tuple[str, list[str]]]:
    """A plain HTTP server that keeps the tokens it receives."""
    stolen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stolen.append(self.headers.get("Authorization", "nothing"))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/version", stolen
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_token_elsewhere(serve: Serve, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 11, row 9."""
    with a_thief() as (there, stolen):
        monkeypatch.setattr(BaseHTTPRequestHandler, "end_headers", _with_location(there))
        server = Answering({})
        server.status, server.body = status, {}
        lab = lab_at(serve(server))
        assert not api().sweep(lab).reachable
        assert not api().nodes(lab).reachable
        assert not api().probe(server.url, server.authority).answered
    assert stolen == []


def _with_location(there: str) -> Callable[[Any], None]:
    usual = BaseHTTPRequestHandler.end_headers

    def end_headers(self: Any) -> None:
        self.send_header("Location", there)
        usual(self)

    return end_headers


@pytest.mark.parametrize(
    "body",
    [
        {"items": None},
        {"items": {}},
        {"items": [None]},
        {"items": [{}]},
        {"items": [{"metadata": None}]},
        {"items": [{"metadata": {"name": 1}}]},
        {"items": [{"metadata": {"name": "a"}, "spec": "LoadBalancer"}]},
        {"items": [], "metadata": {"continue": 1}},
        {"items": [], "metadata": []},
        [],
        "a text",
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer(serve: Serve, body: Any) -> None:
    """Issue 11, row 9: `{"items": null}` made sweep(), which never raises, raise."""
    server = Answering({})
    server.body = body
    lab = lab_at(serve(server))
    assert not api().sweep(lab).reachable
    assert not api().nodes(lab).reachable


def test_whatever_answers_nothing_raises_but_what_is_said(serve: Serve) -> None:
    server = Answering({})
    lab = lab_at(serve(server))

    @settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
    @given(JSON)
    def holds(body: Any) -> None:
        server.body = body
        api().sweep(lab)
        api().nodes(lab)
        api().probe(server.url, server.authority)

    holds()


def test_an_answer_and_a_list_are_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_MOST_BYTES", 100)
    server = Answering({})
    server.body = {"items": [], "metadata": {"continue": "x" * 100}}
    with pytest.raises(NotReachable, match="too long"):
        list(_asked(serve(server)).all("/api/v1/pods"))
    server.body = {"items": [], "metadata": {"continue": "1"}}
    with pytest.raises(NotReachable, match="does not end"):
        list(_asked(server).all("/api/v1/pods"))


def test_an_endpoint_without_tls_is_not_asked() -> None:
    with a_thief() as (there, stolen), pytest.raises(NotReachable):
        ApiServer(there.removesuffix("/version"), None, "token", 2).ask("GET", "/version")
    assert stolen == []


def _asked(server: FakeApiServer) -> ApiServer:
    return ApiServer(server.url, server.authority, "token", 5)
