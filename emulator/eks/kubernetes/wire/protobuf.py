"""Kubernetes' protobuf, which kubectl's `create` and `auth` send: enough of its messages to read what people make by command.

Source: Kubernetes API concepts, "Kubernetes Protobuf encoding", and the field numbers of `generated.proto` in k8s.io/api and
k8s.io/apimachinery. A field that is not listed is left out; the tests compare what arrives with kubectl's own JSON.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

MAGIC = b"k8s\x00"
_PLAIN, _NUMBER, _MAP, _BYTES_MAP = "text", "number", "map", "bytes map"

Fields = dict[int, tuple[str, Any, bool]]
"""Number -> name, type (one of the above or another message's fields), and whether it is a list."""


def _fields(**numbered: tuple[int, Any] | tuple[int, Any, bool]) -> Fields:
    return {each[0]: (name, each[1], len(each) == 3) for name, each in numbered.items()}


_META = _fields(
    name=(1, _PLAIN),
    generateName=(2, _PLAIN),
    namespace=(3, _PLAIN),
    labels=(11, _MAP),
    annotations=(12, _MAP),
)
_PORT = _fields(name=(1, _PLAIN), hostPort=(2, _NUMBER), containerPort=(3, _NUMBER), protocol=(4, _PLAIN))
_CONTAINER = _fields(
    name=(1, _PLAIN),
    image=(2, _PLAIN),
    command=(3, _PLAIN, True),
    args=(4, _PLAIN, True),
    workingDir=(5, _PLAIN),
    ports=(6, _PORT, True),
    env=(7, _fields(name=(1, _PLAIN), value=(2, _PLAIN)), True),
)
_POD = _fields(
    containers=(2, _CONTAINER, True),
    restartPolicy=(3, _PLAIN),
    nodeSelector=(7, _MAP),
    serviceAccountName=(8, _PLAIN),
)
_TEMPLATE = _fields(metadata=(1, _META), spec=(2, _POD))
_SELECTOR = _fields(matchLabels=(1, _MAP))
_DEPLOYMENT = _fields(replicas=(1, _NUMBER), selector=(2, _SELECTOR), template=(3, _TEMPLATE))
_JOB = _fields(parallelism=(1, _NUMBER), completions=(2, _NUMBER), template=(6, _TEMPLATE))
_ATTRIBUTES = _fields(
    namespace=(1, _PLAIN),
    verb=(2, _PLAIN),
    group=(3, _PLAIN),
    version=(4, _PLAIN),
    resource=(5, _PLAIN),
    subresource=(6, _PLAIN),
    name=(7, _PLAIN),
)
_MESSAGES: dict[str, Fields] = {
    "ConfigMap": _fields(metadata=(1, _META), data=(2, _MAP)),
    "DeleteOptions": {},
    "Deployment": _fields(metadata=(1, _META), spec=(2, _DEPLOYMENT)),
    "Job": _fields(metadata=(1, _META), spec=(2, _JOB)),
    "Namespace": _fields(metadata=(1, _META)),
    "Secret": _fields(metadata=(1, _META), data=(2, _BYTES_MAP), type=(3, _PLAIN)),
    "SelfSubjectAccessReview": _fields(metadata=(1, _META), spec=(2, _fields(resourceAttributes=(1, _ATTRIBUTES)))),
    "SelfSubjectReview": {},
    "ServiceAccount": _fields(metadata=(1, _META)),
}


def read(body: bytes) -> dict[str, Any] | None:
    """Return the object in a protobuf body, None for a kind that is not known here."""
    if not body.startswith(MAGIC):
        return None
    kind, raw = {}, b""
    for number, value in _parts(body[len(MAGIC) :]):
        if number == 1:
            kind = _message(value, _fields(apiVersion=(1, _PLAIN), kind=(2, _PLAIN)))
        elif number == 2:
            raw = value
    fields = _MESSAGES.get(kind.get("kind", ""))
    return None if fields is None else {**kind, **_message(raw, fields)}


def _message(raw: Any, fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _parts(raw):
        if number not in fields:
            continue
        name, kind, is_list = fields[number]
        if kind in (_MAP, _BYTES_MAP):
            entry = dict(_parts(value))
            content = entry.get(2, b"")
            text = base64.b64encode(content).decode() if kind == _BYTES_MAP else content.decode()
            found.setdefault(name, {})[entry.get(1, b"").decode()] = text
            continue
        read_value = _value(kind, value)
        if is_list:
            found.setdefault(name, []).append(read_value)
        elif read_value not in ("", {}):
            found[name] = read_value
    return found


def _value(kind: Any, value: Any) -> Any:
    if kind == _NUMBER:
        return value
    return value.decode() if kind == _PLAIN else _message(value, kind)


def _parts(raw: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers with their values: numbers as such, all else as bytes."""
    place = 0
    while place < len(raw):
        key, place = _varint(raw, place)
        match key & 7:
            case 0:
                value, place = _varint(raw, place)
                yield key >> 3, value
            case 2:
                length, place = _varint(raw, place)
                yield key >> 3, raw[place : place + length]
                place += length
            case 1 | 5 as wire:
                place += 8 if wire == 1 else 4
            case _:
                return


def _varint(raw: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
