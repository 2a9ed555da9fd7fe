"""Read a request by the input shape of its operation: path, query string and JSON body become one dictionary.

Violations of the model (missing members, wrong types, values outside an enumeration, a range or a pattern) are refused here, all
in one message. Members the model does not know are left out, as AWS does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from emulator.eks.http import model
from emulator.eks.http.errors import EksError, invalid_parameter

Query = Mapping[str, str | Sequence[str]]
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


def read_input(operation: str, labels: Mapping[str, str], query: Query, body: bytes) -> dict[str, Any]:
    """Return the operation's input, raise InvalidParameterException naming every bad member."""
    shape = model.operation(operation).input_shape
    if shape is None:
        return {}
    given = {**_in_body(shape, body), **_outside_body(shape, labels, query)}
    known: dict[str, Any] = _known(shape, given)
    problems = list(_problems(shape, known, ""))
    if problems:
        raise invalid_parameter("; ".join(problems))
    return known


def _in_body(shape: StructureShape, body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        given = json.loads(body)
    except ValueError as wrong:
        raise EksError("SerializationException", f"The body is not JSON: {wrong}", status=400) from wrong
    if not isinstance(given, dict):
        raise EksError("SerializationException", "The body is not a JSON object", status=400)
    return {name: value for name, value in given.items() if "location" not in _serialization(shape, name)}


def _outside_body(shape: StructureShape, labels: Mapping[str, str], query: Query) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, member in shape.members.items():
        where, wire_name = _serialization(shape, name).get("location"), member.serialization.get("name", name)
        if where == "uri":
            given[name] = labels[wire_name]
        elif where == "querystring" and wire_name in query:
            given[name] = _from_text(member, query[wire_name])
    return given


def _serialization(shape: StructureShape, name: str) -> dict[str, Any]:
    member = shape.members.get(name)
    return dict(member.serialization) if member else {}


def _from_text(shape: Shape, text: str | Sequence[str]) -> Any:
    values = [text] if isinstance(text, str) else list(text)
    if shape.type_name == "list":
        return values
    first = values[0]
    if shape.type_name == "integer":
        return int(first) if re.fullmatch(r"-?\d+", first) else first
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(first.lower(), first)
    return first


def _known(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        kept = {name: value[name] for name in shape.members if value.get(name) is not None}
        return {name: _known(shape.members[name], member) for name, member in kept.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_known(shape.member, item) for item in value]
    return value


def _problems(shape: Shape, value: Any, where: str) -> Iterator[str]:
    expected = _JSON_TYPES[shape.type_name]
    mistyped = not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected)
    if mistyped:
        yield f"{where}: expected {shape.type_name}"
        return
    yield from _limits(shape, value, where)
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            if name not in value:
                yield f"{_join(where, name)}: is required"
        for name, member in value.items():
            yield from _problems(shape.members[name], member, _join(where, name))
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{where}[{index}]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{where} key {key}")
            yield from _problems(shape.value, item, _join(where, key))


def _limits(shape: Shape, value: Any, where: str) -> Iterator[str]:
    size = value if shape.type_name == "integer" else len(value) if isinstance(value, str | list | dict) else None
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if size is not None and low is not None and size < low:
        yield f"{where}: at least {low}"
    if size is not None and high is not None and size > high:
        yield f"{where}: at most {high}"
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{where}: must be one of {', '.join(allowed)}"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not re.fullmatch(pattern, value):
        yield f"{where}: must match {pattern}"


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
