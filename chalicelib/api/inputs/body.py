"""Parses a request body, JSON or YAML, into plain values; reports faults by line and column.

Only values that JSON has are accepted: no aliases, tags, dates, infinities, several documents or repeated keys.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from urllib.parse import parse_qsl

from chalicelib.domain.core.sentence import Sentence, Slot
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest
from chalicelib.domain.requests.eksctl.reader import FIELDS, child, wrong_type

#: Bytes. The longest real ClusterConfig files have a tenth of it.
LARGEST_BODY = 64 * 1024
#: The deepest nesting of mappings and lists; a ClusterConfig has eight levels.
DEEPEST = 40
#: The media type of a browser's form, and its most fields.
FORM, _MOST_FIELDS = "application/x-www-form-urlencoded", 60
#: Digits; no field of a request holds a number longer than this.
_LONGEST_NUMBER = 30


def read_body(raw: bytes, content_type: str | None, largest: int = LARGEST_BODY) -> Mapping[str, object]:
    """Read a body; if the content type is neither JSON nor YAML, the first character decides. Raises InvalidRequest."""
    if len(raw) > largest:
        raise refusal(
            "body-too-large", "The body has {count} bytes; at most {largest} are read.", count=len(raw), largest=largest
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise refusal(
            "not-utf-8", "The body is not UTF-8: byte {number} does not fit.", number=reason.start + 1
        ) from reason
    if not text.strip():
        raise refusal("body-empty", "The body is empty: send what you ask for as JSON or YAML.")
    value = _read_json(text) if _is_json(text, content_type) else _read_yaml(text)
    _refuse_odd_values(value)
    if not isinstance(value, Mapping):
        raise refusal("wrong-type", wrong_type(FIELDS, value))
    return value


def media_type(content_type: str | None) -> str:
    """The media type of a Content-Type header, in lower case and without parameters; empty without the header."""
    return (content_type or "").partition(";")[0].strip().lower()


def read_form(raw: bytes) -> dict[str, str]:
    """Read a browser's form; of a repeated field the last counts. Raises InvalidRequest."""
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError as reason:
        raise refusal("malformed-form", "The form can't be read.") from reason


def _is_json(text: str, content_type: str | None) -> bool:
    kind = media_type(content_type)
    if kind.endswith(("/json", "+json")):
        return True
    return "yaml" not in kind and text.lstrip().startswith(("{", "["))


def _refuse_odd_values(value: object) -> None:
    """Refuse values nested deeper than DEEPEST; infinite numbers and lone surrogates, which no store accepts."""
    waiting: list[tuple[str, object, int]] = [("", value, 1)]
    too_large: list[str] = []
    while waiting:
        path, current, depth = waiting.pop()
        if depth > DEEPEST:
            raise refusal("too-deep", "More than {number} levels within each other.", number=DEEPEST)
        if isinstance(current, float) and math.isinf(current):
            too_large.append(path)
        if isinstance(current, str) and _is_broken(current):
            raise refusal("not-utf-8", "The text holds half of a character (a lone surrogate).", path)
        if isinstance(current, Mapping):
            if any(_is_broken(key) for key in current):
                raise refusal("not-utf-8", "A field's name holds half of a character (a lone surrogate).", path)
            waiting += [(child(path, key), item, depth + 1) for key, item in current.items()]
        elif isinstance(current, list):
            waiting += [(f"{path}[{index}]", item, depth + 1) for index, item in enumerate(current)]
    if too_large:
        raise InvalidRequest(
            [error(path, "number-too-large", "The number is too large.") for path in reversed(too_large)]
        )


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def refusal(code: str, message: str, path: str = "", /, **slots: Slot) -> InvalidRequest:
    """The refusal of a whole body, or of the field at `path`. `message` as in `findings.error`."""
    return InvalidRequest([error(path, code, message, **slots)])


def _read_yaml(text: str) -> object:
    """The first YAML body imports the parser."""
    from chalicelib.api.inputs.yaml_body import read_yaml

    return read_yaml(text)


def _read_json(text: str) -> object:
    """Parse a text. Raises InvalidRequest."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_no_constant,
            parse_int=whole_number,
        )
    except json.JSONDecodeError as reason:
        where = line_and_column(reason.lineno, reason.colno)
        raise refusal(
            "malformed-json",
            "Not JSON: {problem}, at {where}. (YAML is read as application/yaml.)",
            problem=reason.msg,
            where=where,
        ) from reason
    except RecursionError as reason:
        raise refusal("too-deep", "Too many levels within each other.") from reason


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        if key in fields:
            raise refusal("duplicate-key", "The field {key} is there twice in one mapping.", key=repr(key))
        fields[key] = value
    return fields


def _no_constant(name: str) -> object:
    raise refusal("malformed-json", "{name} is not JSON.", name=name)


def whole_number(text: str) -> float:
    """The number, or infinity, which is refused with its field's path, if the text is too long: many digits take long to read."""
    return int(text) if len(text) <= _LONGEST_NUMBER else math.inf


def line_and_column(line: int, column: int) -> Sentence:
    """A position in a text, counted from 1."""
    return Sentence("line {line}, column {column}", line=line, column=column)
