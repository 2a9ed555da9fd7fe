"""Reads an untyped mapping field by field; closing it reports the unread fields.

Used for foreign dialects (eksctl). Wrong types are findings; every read may name one of our own paths for the
field, so that later findings name the field by its writer's path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TypeVar

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.names import nearest
from chalicelib.domain.core.sentence import Sentence, Slot
from chalicelib.domain.errors.findings import Finding, Level, error, warning

Value = TypeVar("Value")

#: The expected types, for findings.
TEXT, WHOLE_NUMBER, FIELDS = Sentence("a text"), Sentence("a whole number"), Sentence("a mapping of fields")
_FLAG, _TEXTS, _MAPPING = Sentence("true or false"), Sentence("a list of texts"), Sentence("a mapping")
_TEXT_MAP = Sentence("a mapping of texts to texts (quote numbers and true/false)")
_MAPPINGS = Sentence("a list of mappings")


@dataclass(frozen=True)
class UnsupportedField:
    """A field that is known but not honoured: refused or warned about, unless its value requests nothing (`harmless`)."""

    severity: Level
    message: str
    harmless: tuple[object, ...] = ()

    def asks_nothing(self, value: object) -> bool:
        """Whether the value is empty, off, or one that a lab has anyway."""
        return (not self.harmless and value in (False, [], {}, "")) or value in self.harmless


@dataclass
class Notes:
    """The results of reading: findings, our paths -> the writer's, and paths that were unreadable."""

    findings: list[Finding] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


class Reader:
    """One mapping at one path. `None` values count as absent, as in a YAML file with its lines commented out."""

    def __init__(self, fields: Mapping[str, object], path: str, notes: Notes) -> None:
        self.path, self.notes = path, notes
        self._fields, self._known = fields, set[str]()

    def at(self, key: str, index: int | None = None) -> str:
        """The writer's path of a field, or of one item of it; of the mapping itself, if the key is empty."""
        path = child(self.path, key) if key else self.path
        return path if index is None else f"{path}[{index}]"

    def has(self, key: str) -> bool:
        """Whether the field has a value. Does not count as reading it."""
        return self._fields.get(key) is not None

    def is_null(self, key: str) -> bool:
        """Whether the field is there without a value. Does not count as reading it."""
        return key in self._fields and self._fields[key] is None

    def names(self) -> tuple[str, ...]:
        """The names of the fields, if they are the writer's own (zones, say)."""
        return tuple(self._fields)

    def error(self, key: str, code: str, message: str, index: int | None = None, /, **slots: Slot) -> None:
        """Refuse a field, or one item of it (the whole mapping, if the key is empty). `message` as in `findings.error`."""
        self.notes.findings.append(error(self.at(key, index), code, message, **slots))

    def warn(self, key: str, code: str, message: str, index: int | None = None, /, **slots: Slot) -> None:
        """Warn about a field, or one item of it (the whole mapping, if the key is empty)."""
        self.notes.findings.append(warning(self.at(key, index), code, message, **slots))

    def raw(self, key: str, ours: str = "") -> object:
        """The field's value, unchecked."""
        self._known.add(key)
        if ours:
            self.notes.paths[ours] = self.at(key)
        return self._fields.get(key)

    def text(self, key: str, ours: str = "") -> str | None:
        """A text."""
        return self._typed(key, ours, lambda value: value if isinstance(value, str) else None, TEXT)

    def required(self, key: str, ours: str = "", message: str = "") -> str | None:
        """A text; its absence is an error, with this message if there is one."""
        if not self.has(key) and self.path not in self.notes.broken:
            self.error(key, "missing", message or Sentence("{key} is required here.", key=key))
        return self.text(key, ours)

    def whole(self, key: str, ours: str = "") -> int | None:
        """A whole number; a truth value is refused."""
        return self._typed(key, ours, _whole, WHOLE_NUMBER)

    def flag(self, key: str, ours: str = "") -> bool | None:
        """True or false."""
        return self._typed(key, ours, lambda value: value if isinstance(value, bool) else None, _FLAG)

    def texts(self, key: str, ours: str = "") -> tuple[str, ...] | None:
        """A list of texts."""
        return self._typed(key, ours, _texts, _TEXTS)

    def text_map(self, key: str, ours: str = "") -> dict[str, str]:
        """A mapping of texts to texts; empty if absent. Numbers and truth values get a finding that asks for quotes."""
        return self._typed(key, ours, _text_map, _TEXT_MAP) or {}

    def section(self, key: str, ours: str = "") -> Reader | None:
        """A mapping, to be read and closed."""
        value = self._typed(key, ours, as_mapping, _MAPPING)
        return None if value is None else Reader(value, self.at(key), self.notes)

    def sections(self, key: str, ours: str = "") -> tuple[Reader, ...] | None:
        """A list of mappings; other items are reported and replaced by empty ones, so that indices stay right."""
        items = self._typed(key, ours, lambda value: value if isinstance(value, list) else None, _MAPPINGS)
        return None if items is None else tuple(self._item(key, i, item) for i, item in enumerate(items))

    def close(self, unhonoured: Mapping[str, UnsupportedField] | None = None) -> None:
        """Report every unread field, once: by its rule if it has one, else as unknown."""
        rules = unhonoured or {}
        known = self._known | set(rules)
        for key, value in self._fields.items():
            if key in self._known or (key in rules and (value is None or rules[key].asks_nothing(value))):
                continue
            if key in rules:
                self._report(key, rules[key])
            else:
                self.error(key, "unknown-field", unknown_field(key, known))
        self._known.update(self._fields)

    def _report(self, key: str, rule: UnsupportedField) -> None:
        code = "not-supported" if rule.severity is Level.ERROR else "not-honoured"
        self.notes.findings.append(Finding(self.at(key), code, rule.message, rule.severity))

    def _item(self, key: str, index: int, item: object) -> Reader:
        path = self.at(key, index)
        mapping = as_mapping(item)
        if mapping is None:
            self.notes.findings.append(error(path, "wrong-type", wrong_type(_MAPPING, item)))
            self.notes.broken.add(path)
        return Reader(mapping or {}, path, self.notes)

    def _typed(self, key: str, ours: str, read: Callable[[object], Value | None], expected: str) -> Value | None:
        value = self.raw(key, ours)
        if value is None:
            return None
        result = read(value)
        if result is None:
            self.error(key, "wrong-type", wrong_type(expected, value))
            self.notes.broken.add(self.at(key))
        return result


def child(path: str, key: str) -> str:
    """The path of a mapping's field; a key that would read as several steps is quoted."""
    step = key if key and not set(key) & set('.[]" ') else f'["{key}"]'
    return step if not path else f"{path}{step}" if step.startswith("[") else f"{path}.{step}"


def unknown_field(key: str, known: Iterable[str]) -> str:
    """The sentence for an unknown field."""
    names = sorted(known)
    meant = nearest(key, names)
    return (
        Sentence("Unknown field. Did you mean {name}?", name=meant)
        if meant
        else Sentence("Unknown field. Known here: {names}.", names=", ".join(names))
    )


def wrong_type(expected: str, value: object) -> str:
    """The sentence for a value of another type than expected."""
    return Sentence("Expected {expected}, got {value}.", expected=expected, value=in_words(value))


def in_words(value: object) -> str:
    """A value in words for people: `the text "two"`, `the number 1.3`, `a list`."""
    match value:
        case None:
            return Sentence("nothing")
        case bool():
            return Sentence("the truth value {value}", value=str(value).lower())
        case int() | float():
            return Sentence("the number {value}", value=_clipped(str(value)))
        case str():
            return Sentence('the text "{value}"', value=_clipped(value))
        case Mapping():
            return _MAPPING
        case Sequence():
            return Sentence("a list")
    return f"a {type(value).__name__}"


def as_mapping(value: object) -> Mapping[str, object] | None:
    """The value if it is a mapping whose keys are texts, else None."""
    return value if isinstance(value, Mapping) and all(isinstance(key, str) for key in value) else None


def _clipped(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _texts(value: object) -> tuple[str, ...] | None:
    return tuple(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else None


def _text_map(value: object) -> dict[str, str] | None:
    mapping = as_mapping(value)
    if mapping is None or not all(isinstance(item, str) for item in mapping.values()):
        return None
    return {key: str(item) for key, item in mapping.items()}
