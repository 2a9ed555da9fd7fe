"""Refusals and findings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

Json = Any


def problem(status: int, body: Json) -> Iterator[str]:
    """Why the service refused, with every finding."""
    if not isinstance(body, dict):
        yield f"{status}: {body}"
        return
    message = body.get("detail") or body.get("Message") or body.get("message") or json.dumps(body)
    title = body.get("title")
    # A title that begins as the detail does says less of the same.
    said = not title or title.split()[:3] == message.split()[:3]
    yield f"{status} {message}" if said else f"{status} {title}: {message}"
    if str(body.get("type", "")).endswith(":lab-not-found"):
        yield "`ekslab list` shows your labs."
    yield from findings(body.get("findings", ()))


def findings(found: Sequence[Json]) -> Iterator[str]:
    """One line a finding, errors first: they alone are why a request is refused."""
    for finding in sorted(found, key=lambda one: one["severity"] != "error"):
        where = f"{finding['path']}: " if finding["path"] else ""
        yield f"  {finding['severity']:<7}  {where}{finding['message']}"
