"""Output to the terminal: without control characters of foreign text, and without characters that its encoding lacks.

Everything that is printed goes through `out` or `err`.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import unicodedata
from collections.abc import Iterable
from typing import Any

#: Columns of a table if the output is no wider terminal.
USUAL_WIDTH = 80
#: Invisible characters that turn the text direction, or break the line.
_HIDDEN = frozenset("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def clean(text: str) -> str:
    """The text with control characters written out (`\\x1b`), so that none acts on the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(letter) for letter in text)


def _shown(letter: str) -> str:
    if letter in _HIDDEN or unicodedata.category(letter) in ("Cc", "Cs"):
        code = ord(letter)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return letter


def out(line: str) -> None:
    """Print a line on standard output."""
    print(clean(line))


def err(line: str) -> None:
    """Print a line on standard error, at once."""
    print(clean(line), file=sys.stderr, flush=True)


def out_lines(lines: Iterable[str]) -> None:
    """Print lines on standard output."""
    for line in lines:
        out(line)


def json_out(body: Any) -> None:
    """Print one document. JSON lets DEL through as it is."""
    print(json.dumps(body, indent=2).replace("\x7f", "\\u007f"))


def text_out(text: str) -> None:
    """Print a document line by line, its line ends (also CRLF) as they are."""
    for line in text.splitlines(keepends=True) if "\r" in text else text.split("\n"):
        body = line.rstrip("\r\n")
        print(clean(body), end=line[len(body) :] if "\r" in text else "\n")


def replace_unknown_letters() -> None:
    """Let streams print `?` for characters that their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors="replace")


def width() -> int:
    """Columns that a table may take: those of a wider terminal, else 80."""
    if sys.stdout is None or not sys.stdout.isatty():
        return USUAL_WIDTH
    return max(USUAL_WIDTH, shutil.get_terminal_size((USUAL_WIDTH, 24)).columns)


def columns(text: str) -> int:
    """How many columns a text takes: wide letters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns(letter) for letter in unicodedata.normalize("NFC", text))


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
