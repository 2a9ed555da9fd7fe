"""Frozen dataclasses as JSON texts and back, by their own type hints; in an item the text is `body`.

It supports the few types of stored objects and refuses others. Reading tolerates other versions: unknown fields are
ignored, missing fields take their defaults. A class's readers are
built when the first object of its class is read, so that a step builds only those it needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from chalicelib.aws.dynamodb.keys import Item, number, text
from chalicelib.domain.errors.tree import Unreadable

Shape = TypeVar("Shape")
Reader = Callable[[Any], Any]
_NUMBERS = (int, float)


#: The version of bodies. A new field with a default keeps it; a renamed or removed field needs a new one, with a reader of the old.
SCHEMA = 1


class Unfit(ValueError):
    """A value does not fit its field; the message names the expected form."""


def dumps(thing: object) -> str:
    """The JSON text of a dataclass: fields in their order, UTC instants with a Z, no spaces."""
    return json.dumps(_plain(thing), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def loads(shape: type[Shape], body: str | bytes) -> Shape:
    """The dataclass of a JSON text. Raises Unfit with the field's name, and ValueError for a text that is not JSON."""
    hint: Any = shape
    thing: Shape = _reader(hint)(json.loads(body))
    return thing


def read_body(shape: type[Shape], body: str | bytes) -> Shape:
    """The domain object of a JSON text. Raises Unreadable."""
    try:
        return loads(shape, body)
    except Unfit as error:
        raise Unreadable(f"{shape.__name__}: {error}.") from error
    except ValueError as error:
        raise Unreadable(f"{shape.__name__}: it is no JSON.") from error


def thing_of(shape: type[Shape], item: Item) -> Shape:
    """The domain object of an item. Raises Unreadable."""
    return read_body(shape, item["body"]["S"])


def item_of(keys: Item, thing: object, **more: Item) -> Item:
    """The item of a domain object, with the attributes that keys and conditions need beside its body."""
    return {**keys, "schema": number(SCHEMA), "body": text(dumps(thing)), **more}


def _plain(value: Any) -> Any:
    """A value's JSON form."""
    match value:
        case Enum():
            return value.value
        case None | int() | float():
            return value
        case str():
            return value if type(value) is str else _kept(value)
        case datetime():
            return _instant_written(value)
        case date() | time():
            return value.isoformat()
        case tuple():
            return [_plain(each) for each in value]
        case Mapping():
            return {str(_plain(key)): _plain(each) for key, each in value.items()}
        case _ if is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} is nothing that is stored.")


def _kept(sentence: str) -> Any:
    """A translatable text keeps its message and slots."""
    from chalicelib.domain.core.sentence import to_kept

    return to_kept(sentence)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    from chalicelib.domain.core.sentence import from_kept

    try:
        return from_kept(_of(dict, value))
    except (KeyError, TypeError, ValueError) as error:
        raise Unfit("str is wanted") from error


def _instant_written(value: datetime) -> str:
    written = value.isoformat()
    return f"{written[:-6]}Z" if written.endswith("+00:00") else written


@cache
def _reader(hint: Any) -> Reader:
    """The reader of values of this type. Raises TypeError for a type that no stored object has."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _union_reader(inner)
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        return _tuple_reader(_reader(inner[0]))
    if origin is tuple:
        return _row_reader(inner)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_reader(_reader(inner[0]), _reader(inner[1]))
    if is_dataclass(hint) and isinstance(hint, type):
        return _Fields(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    raise TypeError(f"{hint} is nothing that is stored.")


class _Fields:
    """Reads one dataclass. Type hints are resolved at its first read, because a class may contain itself."""

    def __init__(self, shape: type[Any]) -> None:
        self.shape = shape
        self.names = frozenset(field.name for field in fields(shape))
        self._readers: tuple[tuple[str, Reader, bool], ...] | None = None

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unfit(f"{self.shape.__name__} is wanted")
        given = {}
        for name, reader, needed in self._made():
            if name in value:
                given[name] = _named(name, reader, value[name])
            elif needed:
                raise Unfit(f"{name} is missing")
        return self.shape(**given)

    def _made(self) -> tuple[tuple[str, Reader, bool], ...]:
        if self._readers is None:
            hints = get_type_hints(self.shape)
            self._readers = tuple((f.name, _reader(hints[f.name]), _is_needed(f)) for f in fields(self.shape))
        return self._readers


def _named(name: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except ValueError as error:
        raise Unfit(f"{name}: {error}") from error


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _union_reader(kinds: tuple[Any, ...]) -> Reader:
    """None, or the one type; of several dataclasses the one that shares most fields with the stored one."""
    readers = [_reader(kind) for kind in kinds if kind is not NoneType]
    shapes = [reader for reader in readers if isinstance(reader, _Fields)]
    if len(readers) > 1 and len(shapes) < len(readers):
        raise TypeError(f"Which of {kinds} was written, nobody could tell.")

    def read_one(value: Any) -> Any:
        if value is None and NoneType in kinds:
            return None
        if len(readers) == 1 or not isinstance(value, dict):
            return readers[0](value)
        return max(shapes, key=lambda shape: len(shape.names & value.keys()))(value)

    return read_one


def _tuple_reader(each: Reader) -> Reader:
    def read_tuple(value: Any) -> tuple[Any, ...]:
        return tuple(each(one) for one in _of(list, value))

    return read_tuple


def _row_reader(kinds: tuple[Any, ...]) -> Reader:
    """As many values as there are kinds, each of its own. Readers are made when the first is read: a kind may be new to it."""

    def read_row(value: Any) -> tuple[Any, ...]:
        row = _of(list, value)
        if len(row) != len(kinds):
            raise Unfit(f"{len(kinds)} values are wanted")
        return tuple(_reader(kind)(one) for kind, one in zip(kinds, row, strict=True))

    return read_row


def _mapping_reader(key: Reader, each: Reader) -> Reader:
    def read_mapping(value: Any) -> dict[Any, Any]:
        return {key(name): each(one) for name, one in _of(dict, value).items()}

    return read_mapping


def _of(kind: type, value: Any) -> Any:
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise Unfit(f"{kind.__name__} is wanted")


def _number(value: Any) -> float:
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return float(value)
    raise Unfit("a number is wanted")


def _instant(value: Any) -> datetime:
    read_one = datetime.fromisoformat(_of(str, value))
    if read_one.tzinfo is None:
        raise Unfit("an instant with its offset is wanted")
    return read_one.astimezone(UTC) if not read_one.utcoffset() else read_one


_SIMPLE: dict[Any, Reader] = {
    str: _text,
    int: lambda value: _of(int, value),
    bool: lambda value: _of(bool, value),
    float: _number,
    datetime: _instant,
    date: lambda value: date.fromisoformat(_of(str, value)),
    time: lambda value: time.fromisoformat(_of(str, value)),
}
