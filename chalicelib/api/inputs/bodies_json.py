"""Strict JSON: no NaN, no infinities, no number too long to be meant, no field twice."""

from __future__ import annotations

import json
import math

from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest

#: Digits; no field of a request holds a number longer than this.
_LONGEST_NUMBER = 30


def read_json(text: str) -> object:
    """Parse a text. Raises InvalidRequest."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except json.JSONDecodeError as reason:
        where = f"line {reason.lineno}, column {reason.colno}"
        raise _refused(
            "malformed-json", f"Not JSON: {reason.msg}, at {where}. (YAML is read as application/yaml.)"
        ) from reason
    except RecursionError as reason:
        raise _refused("too-deep", "Too many levels within each other.") from reason


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        if key in fields:
            raise _refused("duplicate-key", f"The field {key!r} is there twice in one mapping.")
        fields[key] = value
    return fields


def _no_constant(name: str) -> object:
    raise _refused("malformed-json", f"{name} is not JSON.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _refused("number-too-large", f"The number {text[:_LONGEST_NUMBER]} is too large.")
    return number


def _short(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _refused("number-too-large", f"The number {text[:_LONGEST_NUMBER]}... is too long.")
    return int(text)


def _refused(code: str, message: str) -> InvalidRequest:
    return InvalidRequest([error("", code, message)])
