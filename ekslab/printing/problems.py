"""Refusals and findings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ekslab.printing.terminal import columns
from ekslab.words import t

Json = Any
#: API Gateway's errors about the signature or its keys.
_CREDENTIALS = re.compile(r"security token|signature|access key|credential", re.IGNORECASE)


def problem(status: int, body: Json, flags: Mapping[str, str] | None = None) -> Iterator[str]:
    """The reason of a refusal, with every finding. `flags`: the flag of each field of the request."""
    if not isinstance(body, dict):
        yield f"{status}: {body}"
        return
    message = body.get("detail") or body.get("Message") or body.get("message") or json.dumps(body)
    title = body.get("title")
    # A title that begins like the detail is redundant.
    said = not title or title.split()[:3] == message.split()[:3]
    yield f"{status} {message}" if said else f"{status} {title}: {message}"
    if str(body.get("type", "")).endswith(":lab-not-found"):
        yield t("`ekslab get clusters` shows your labs.")
    if status == 403 and _CREDENTIALS.search(message):
        yield t("These AWS credentials don't count (any more): log in again, or name another --profile.")
    yield from findings(body.get("findings", ()), flags)


def findings(found: Sequence[Json], flags: Mapping[str, str] | None = None) -> Iterator[str]:
    """One line a finding, errors first: only they cause a refusal."""
    for finding in sorted(found, key=lambda one: one["severity"] != "error"):
        path = _flag_or_path(finding["path"], flags or {})
        where = f"{path}: " if path else ""
        level = t("error") if finding["severity"] == "error" else t("warning")
        yield f"  {level}{' ' * (7 - columns(level))}  {where}{finding['message']}"


def _flag_or_path(path: str, flags: Mapping[str, str]) -> str:
    """The flag of the field or of a part of it; else the path."""
    fields = [field for field in flags if path == field or path.startswith((f"{field}.", f"{field}["))]
    return flags[max(fields, key=len)] if fields else path
