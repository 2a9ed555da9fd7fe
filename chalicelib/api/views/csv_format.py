"""CSV (RFC 4180) that spreadsheets open and never run: a cell with the beginning of a formula becomes text."""

from __future__ import annotations

from collections.abc import Iterable

#: A cell with such a first character is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Rows with CRLF at their ends."""
    return "".join(line(plain(cell) for cell in row) for row in rows)


def plain(cell: str) -> str:
    """The cell with an apostrophe before a formula, also one after a blank."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(FORMULA) else cell


def line(cells: Iterable[str]) -> str:
    """One row."""
    doubled = (cell.replace('"', '""') for cell in cells)
    return ",".join(f'"{cell}"' if set(cell) & set(',"\n\r') else cell for cell in doubled) + "\r\n"
