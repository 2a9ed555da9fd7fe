"""What all commands do with an answer: go through its pages, print it, or say why the service refused."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ekslab.client import Answer, Client
from ekslab.printing import problems


def pages(client: Client, path: str, query: Mapping[str, str | None]) -> Iterator[Answer]:
    """Every page of a list, one call at a time; the last one may be a refusal."""
    cursor: str | None = None
    while True:
        answer = client.call("GET", with_query(path, {**query, "cursor": cursor}))
        yield answer
        cursor = answer.body.get("cursor") if answer.ok else None
        if cursor is None:
            return


def with_query(path: str, query: Mapping[str, str | None]) -> str:
    """A path with the parameters that say something."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given, quote_via=quote, safe='')}" if given else path


def message(options: argparse.Namespace, body: Any, lines: Iterator[str]) -> int:
    """Print an answer for a person, or as it is with --json; return the exit status."""
    if options.json and not isinstance(body, str):
        print(json.dumps(body, indent=2))
    else:
        for line in lines:
            print(line)
    return 0


def refused(answer: Answer, options: argparse.Namespace) -> int:
    """Print why the service refused; return the exit status."""
    if options.json:
        print(json.dumps(answer.body, indent=2))
    else:
        for line in problems.problem(answer.status, answer.body):
            print(line, file=sys.stderr)
    return 1
