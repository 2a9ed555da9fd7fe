"""The command line on the real routes, over fakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import ekslab.__main__
from ekslab.client import Answer, Client
from tests.api.http import Http
from tests.fakes import OWNER


@dataclass
class Wire:
    """Replaces the signed HTTP client with direct calls of the routes."""

    http: Http = field(default_factory=Http)
    who: str = OWNER

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        split = urlsplit(path)
        named = {name.lower(): value for name, value in (headers or {}).items()}
        text = None if body is None else body.decode()
        query = dict(parse_qsl(split.query)) or None
        got = self.http.call(method, split.path, body=text, query=query, caller=self.who, headers=named)
        is_json = "json" in got.headers["Content-Type"]
        return Answer(got.status, got.headers, got.json if is_json and got.text else got.text)

    @property
    def client(self) -> Client:
        """A client of these routes, which waits without delay."""
        clock = [0.0]

        def sleep(seconds: float) -> None:
            clock[0] += max(seconds, 300.0)

        return Client(transport=self, sleep=sleep, clock=lambda: clock[0])


def run(wire: Wire, *words: str) -> int:
    """Run the command with these words; return the exit status. A usage error raises SystemExit."""
    return ekslab.__main__.run(list(words), lambda options: wire.client)
