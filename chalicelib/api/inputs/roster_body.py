"""Reads the bytes of a roster, CSV or JSON, into rows of texts by column, with each fault by row and column.

CSV may come from a spreadsheet: with a byte-order mark, in CP949 (Excel in Korea), split by commas, semicolons or tabs. API Gateway
hands other bytes than UTF-8 on only as application/octet-stream.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from chalicelib.api.inputs.body import refusal
from chalicelib.api.inputs.params import fields_of
from chalicelib.api.views.csv_format import FORMULA
from chalicelib.domain.core.names import meant_by
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.requests.roster import COLUMNS, MOST_ROWS, PASSED_OVER

#: The media types of a roster, beside those of every body.
ROSTER_TYPES = ["text/csv", "application/octet-stream"]
LARGEST_ROSTER = 1_000_000
#: The replacement character, for bytes that were not UTF-8.
_LOST = "\ufffd"

Rows = list[tuple[str, Mapping[str, str]]]


def read_roster(raw: bytes, content_type: str | None) -> Rows:
    """Each row by its position. Raises InvalidRequest with every fault of the form."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if len(raw) > LARGEST_ROSTER:
        raise refusal(
            "body-too-large",
            "The roster has {count} bytes; at most {largest_roster} are read.",
            count=len(raw),
            largest_roster=LARGEST_ROSTER,
        )
    if kind in ROSTER_TYPES:
        return _read_csv(_decoded(raw))
    return _read_document(raw, content_type)


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "cp949"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _LOST not in text:
            return text
        break
    message = Sentence(
        "It is neither UTF-8 nor CP949 as it arrived. Send it as application/octet-stream, or save it as CSV UTF-8."
    )
    raise refusal("not-utf-8", message)


def _read_csv(text: str) -> Rows:
    lines = list(_lines(text))
    if not lines:
        raise refusal(
            "body-empty", "The roster is empty: its first row names columns, {names}.", names=", ".join(COLUMNS)
        )
    found: list[Finding] = []
    columns = _columns([cell.strip() for cell in lines[0][1]], found)
    rows: Rows = []
    for number, cells in lines[1:]:
        where = f"row {number}"
        if len(cells) > len(columns):
            found.append(
                error(
                    where,
                    "too-many-cells",
                    "It has {count} cells; the first row names {count2} columns.",
                    count=len(cells),
                    count2=len(columns),
                )
            )
        rows.append((where, {name: _plain(cell) for name, cell in zip(columns, cells, strict=False) if name}))
    _refuse(found, rows)
    return rows


def _lines(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Non-empty rows, numbered like a spreadsheet's: a cell may hold line breaks."""
    lines = io.StringIO(text, newline=None).getvalue()
    delimiter = max(",;\t", key=lines.partition("\n")[0].count)
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(lines), delimiter=delimiter, strict=True), start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as reason:
        message = Sentence(
            "It is no CSV from row {number} on: a quoted cell does not end, has more text behind its end, or is too long.",
            number=number + 1,
        )
        raise refusal("malformed-csv", message) from reason


def _columns(names: Sequence[str], found: list[Finding]) -> list[str]:
    """Our names of the columns; "" for an ignored one."""
    plain = {name.lower(): name for name in COLUMNS}
    columns: list[str] = []
    for index, name in enumerate(names):
        key = name.lower().replace(" ", "").replace("-", "").replace("_", "")
        where = f"row 1, column {index + 1}"
        if key in PASSED_OVER or not key:
            columns.append("")
        elif key not in plain:
            meant = meant_by(key, COLUMNS, Sentence("Columns are {names}.", names=", ".join(COLUMNS)))
            found.append(error(where, "unknown-column", "{name} is no column. {meant}", name=name[:60], meant=meant))
            columns.append("")
        else:
            if plain[key] in columns:
                found.append(error(where, "duplicate", "{name} is there twice.", name=plain[key]))
            columns.append(plain[key])
    return columns


def _plain(cell: str) -> str:
    """Without the apostrophe that an export adds."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def _read_document(raw: bytes, content_type: str | None) -> Rows:
    with fields_of(raw, content_type, LARGEST_ROSTER) as body:
        people = body.sections("people")
        if people is None and not body.notes.findings:
            body.error("people", "missing", "people is a list of mappings, one a person.")
        body.close()
        rows: Rows = []
        for one in people or ():
            rows.append((one.path, {name: one.text(name) or "" for name in COLUMNS}))
            for name in PASSED_OVER:
                one.raw(name)
            one.close()
        _refuse(body.notes.findings, rows)
    return rows


def _refuse(found: list[Finding], rows: Rows) -> None:
    if not found and not rows:
        found.append(error("", "body-empty", "The roster names nobody."))
    if len(rows) > MOST_ROWS:
        found.append(
            error(
                "",
                "too-many-rows",
                "The roster has {count} rows; at most {most_rows} are taken at once.",
                count=len(rows),
                most_rows=MOST_ROWS,
            )
        )
    if found:
        raise InvalidRequest(found, most=MOST_ROWS)
