"""The command line on the real routes, which stand on fakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from ekslab.__main__ import parser
from ekslab.client import Answer
from tests.api.http import Http
from tests.fakes import OWNER


@dataclass
class Wire:
    """Stands where the signed HTTP client does, in front of the routes themselves."""

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


def run(wire: Wire, *arguments: str) -> int:
    options = parser().parse_args(arguments)
    return int(options.run(wire, options))
