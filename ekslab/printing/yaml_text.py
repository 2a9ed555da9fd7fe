"""Prints JSON values as YAML, without a library: anything but a plain word is quoted as in JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.@-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def dump(value: Any) -> Iterator[str]:
    """The lines of a document."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _entry(f"{_scalar(name)}:", item, "  ")
    elif isinstance(value, list) and value:
        for item in value:
            yield from _item(item)
    else:
        yield _scalar(value)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield head
        # Items of a list stand at the column of its name, as kubectl writes them.
        yield from (line if isinstance(value, list) else indent + line for line in dump(value))
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: Any) -> Iterator[str]:
    lines = dump(value)
    yield f"- {next(lines)}"
    yield from (f"  {line}" for line in lines)


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return f'"{"".join(map(_escaped, value))}"'


def _escaped(letter: str) -> str:
    """As JSON has it, but for letters beyond 16 bits (two letters to YAML) and DEL, which JSON lets through."""
    code = ord(letter)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return "\\x7f" if code == 0x7F else json.dumps(letter)[1:-1]
