"""CSV (RFC 4180) that spreadsheets open and never run: a cell with the beginning of a formula becomes text."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.domain.core.deferred import pattern

#: The beginning of a formula in a spreadsheet: some skip spaces before it, some accept full-width signs, too.
FORMULA = pattern(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Rows with CRLF at their ends. A text that begins like a formula gets an apostrophe: names and tags are untrusted."""
    import csv
    import io

    written = io.StringIO()
    csv.writer(written).writerows([_plain(cell) for cell in row] for row in rows)
    return written.getvalue()


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell
