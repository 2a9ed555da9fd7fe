"""Query parameters and PATCH bodies, read with all findings at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from chalicelib.api.inputs.body import LARGEST_BODY, read_body
from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.names import meant_by
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, has_errors
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.labs.lab import Change, Phase
from chalicelib.domain.requests.eksctl.reader import Notes, Reader, unknown_field
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.services.labs.showback import CostQuery

P = TypeVar("P", Phase, SupportPhase)

_DEFAULT, _MOST = 25, 100
COST_FORMATS = ("json", "csv", "focus")
#: The only value of `compare`.
COMPARED = "cost-explorer"
#: The longest accepted Idempotency-Key.
_LONGEST_KEY = 255
_MONTH = pattern(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class PageQuery:
    """A page of a list. `limit`: 1 to 100 items."""

    limit: int
    cursor: str | None


@dataclass(frozen=True)
class ListQuery:
    """A filter of labs."""

    owner: str | None
    phases: tuple[Phase, ...]
    page: PageQuery


@contextmanager
def fields_of(raw: bytes, content_type: str | None, largest: int = LARGEST_BODY) -> Iterator[Reader]:
    """The fields of a body, to be read. Unread ones are findings at the end. Raises InvalidRequest with every finding."""
    body = Reader(read_body(raw, content_type, largest), "", Notes())
    yield body
    body.close()
    refuse(body.notes.findings)


@contextmanager
def parameters_of(given: Mapping[str, str], *known: str) -> Iterator[list[Finding]]:
    """The findings about a query, beginning with its unknown and empty parameters. Raises InvalidRequest at the end."""
    findings = [error(name, "unknown-parameter", unknown_field(name, known)) for name in given if name not in known]
    empty = (name for name, text in given.items() if name in known and not text)
    findings += [error(name, "empty", "It is empty: give a value, or leave it out.") for name in empty]
    yield findings
    refuse(findings)


def read_page(given: Mapping[str, str]) -> PageQuery:
    """`limit`, `cursor`. Raises InvalidRequest."""
    with parameters_of(given, "limit", "cursor") as findings:
        return page_of(given, findings)


def read_list(given: Mapping[str, str]) -> ListQuery:
    """`owner`, `phase` (several: comma-separated), `limit`, `cursor`. Raises InvalidRequest."""
    with parameters_of(given, "owner", "phase", "limit", "cursor") as findings:
        return ListQuery(given.get("owner"), phases_of(given, Phase, findings), page_of(given, findings))


def read_costs(given: Mapping[str, str], accept: str) -> CostQuery:
    """`month`, such as 2026-11, `by` (default person), `format` (default by `accept`), `limit`, `cursor`, `compare`.

    Raises InvalidRequest.
    """
    with parameters_of(given, "month", "by", "format", "limit", "cursor", "compare") as findings:
        month, form = given.get("month", ""), given.get("format", "csv" if "text/csv" in accept else "json")
        if not _MONTH.fullmatch(month):
            findings.append(error("month", "invalid-month", "A month such as 2026-11."))
        if form not in COST_FORMATS:
            findings.append(error("format", "unknown-value", "One of {names}.", names=", ".join(COST_FORMATS)))
        compare = given.get("compare")
        if compare not in (None, COMPARED):
            findings.append(error("compare", "unknown-value", "Costs are compared with {name}.", name=COMPARED))
        elif compare and form != "json":
            findings.append(error("compare", "not-here", "A comparison is JSON."))
        if form == "json":
            paged = [name for name in ("limit", "cursor") if name in given]
            findings += [error(name, "not-here", "JSON has every row: pages are for csv and focus.") for name in paged]
        page = page_of(given, findings)
    limit = page.limit if "limit" in given else _MOST
    return CostQuery(month, given.get("by", "person"), form, limit, page.cursor, compare is not None)


def read_arns_to_keep(raw: bytes, content_type: str | None) -> tuple[str, ...]:
    """The ARNs of `keep`: a list of texts, at least one. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        given = body.raw("keep")
        texts = tuple(each for each in given if isinstance(each, str)) if isinstance(given, list) else ()
        if not texts or not isinstance(given, list) or len(texts) != len(given):
            body.error("keep", "wrong-type", "Name the ARNs of the receipt's lines that stay, in a list.")
    return texts


def read_region(given: Mapping[str, str]) -> str | None:
    """`region`. Raises InvalidRequest."""
    with parameters_of(given, "region"):
        return given.get("region")


def read_dry_run(given: Mapping[str, str]) -> bool:
    """`dryRun`, true or false. Raises InvalidRequest."""
    with parameters_of(given, "dryRun") as findings:
        asked = given.get("dryRun", "false")
        if asked and asked not in ("true", "false"):
            findings.append(error("dryRun", "unknown-value", "dryRun is true or false."))
    return asked == "true"


def read_key(given: str | None) -> str | None:
    """The Idempotency-Key header. Raises InvalidRequest on one that is empty or too long."""
    if given is not None and not 1 <= len(given.strip()) <= _LONGEST_KEY:
        message = Sentence("An Idempotency-Key has 1 to {most} characters.", most=_LONGEST_KEY)
        raise InvalidRequest([error("Idempotency-Key", "invalid-key", message)])
    return given


def read_change(raw: bytes, content_type: str | None) -> Change:
    """A PATCH body: `endpoint.access`, `endpoint.allowedCidrs`, `nodegroups[].name/desired`. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        endpoint, groups = body.section("endpoint"), body.sections("nodegroups") or ()
        access = endpoint.text("access") if endpoint else None
        cidrs = endpoint.texts("allowedCidrs") if endpoint else None
        counts = [_count(group) for group in groups]
        for reader in (*([endpoint] if endpoint else []), body):
            reader.close()
        names = [name for name, _ in counts]
        for index, name in enumerate(names):
            if name and name in names[:index]:
                groups[index].error("name", "duplicate", "{name} is listed already.", name=name)
    return Change(access, cidrs, dict(counts))


def _count(group: Reader) -> tuple[str, int]:
    name, desired = group.text("name"), group.whole("desired")
    for key in ("name", "desired"):
        if not group.has(key):
            group.error(key, "missing", "{key} is required here.", key=key)
    group.close()
    return name or "", desired or 0


def page_of(given: Mapping[str, str], findings: list[Finding]) -> PageQuery:
    """`limit` and `cursor` of a query; adds to the findings."""
    text = given.get("limit") or str(_DEFAULT)
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 1 <= limit <= _MOST:
        findings.append(
            error("limit", "invalid-limit", "A page holds 1 to {most} items, not {text}.", most=_MOST, text=text[:20])
        )
    return PageQuery(limit, given.get("cursor") or None)


def instant_of(body: Reader, key: str) -> datetime | None:
    """An instant with its time zone, as UTC; None if it is not given, or faulty."""
    text = body.text(key)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    message = Sentence("{text} is no instant with a time zone, such as 2026-12-01T00:00:00Z.", text=text[:40])
    body.error(key, "invalid-instant", message)
    return None


def phases_of(given: Mapping[str, str], known: type[P], findings: list[Finding]) -> tuple[P, ...]:
    """The comma-separated `phase` of a query; adds to the findings."""
    phases = {str(phase): phase for phase in known}
    names = [name.strip() for name in given.get("phase", "").split(",") if name.strip()]
    for name in names:
        if name not in phases:
            meant = meant_by(name, phases, Sentence("There are {names}.", names=", ".join(phases)))
            findings.append(error("phase", "unknown-phase", "{name} is no phase. {meant}", name=name, meant=meant))
    return tuple(phases[name] for name in names if name in phases)


def refuse(findings: list[Finding]) -> None:
    """Raise InvalidRequest if any finding is an error."""
    if has_errors(findings):
        raise InvalidRequest(findings)
