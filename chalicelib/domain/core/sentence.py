"""Translatable texts for people: English strings with a message id and named slots.

Rules and messages create them, stores keep them, the edge renders them (`chalicelib/words/`). As a string, each is its English
text, so that records, logs and the API need no catalogue. See ADR 17.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, Protocol, Self
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.language import Language

#: The value of a slot: a name, another text, or a number.
Slot = str | int | float
_SLOT = pattern(r"\{(\w+)\}")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Characters removed from names and AWS's words: they would end a line, or turn its direction.
_UNSAFE = pattern("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")


class Style(StrEnum):
    """The precision of an instant. LOCAL: day and time of a zone; BOTH: also the UTC time; DAY: no time; DATE: no weekday,
    either; MONTH: year and month; INSTANT and SECOND: the forms that programs write."""

    LOCAL = "local"
    BOTH = "both"
    CLOCK = "clock"
    SHORT = "short"
    DAY = "day"
    DATE = "date"
    MONTH = "month"
    INSTANT = "instant"
    SECOND = "second"
    MINUTE = "minute"


class Words(Protocol):
    """A language: the catalogue's two look-ups, and its forms of instants and lists."""

    @property
    def language(self) -> Language:
        """The language."""

    def gettext(self, message: str, /) -> str:
        """The translation; the message itself if there is none."""

    def ngettext(self, one: str, many: str, number: int, /) -> str:
        """The translation that fits the number."""

    def moment(self, at: datetime, zone: str, style: Style) -> str:
        """An instant in a time zone."""

    def listed(self, parts: Sequence[str], last: str) -> str:
        """Two or more items; `last`: `and` or `or`."""

    def finished(self, text: str) -> str:
        """A whole text after its slots are filled."""


class English:
    """The language of the code: every message is its own translation."""

    language = Language.EN

    def gettext(self, message: str, /) -> str:
        """The message itself."""
        return message

    def ngettext(self, one: str, many: str, number: int, /) -> str:
        """The singular or the plural."""
        return one if number == 1 else many

    def moment(self, at: datetime, zone: str, style: Style) -> str:
        """`Mon 23 Nov 22:00 (Asia/Seoul)`, independent of the machine's locale."""
        local = at.astimezone(ZoneInfo(zone))
        day, clock = _day(local), f"{local:%H:%M}"
        match style:
            case Style.LOCAL:
                return f"{day} {clock} ({zone})"
            case Style.BOTH:
                return _both(at, local, zone)
            case Style.CLOCK:
                return clock
            case Style.SHORT:
                return f"{day} {clock}"
            case Style.DAY:
                return f"{day} {local.year}"
            case Style.MONTH:
                return f"{local:%Y-%m}"
            case Style.DATE:
                return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"
            case Style.MINUTE:
                return f"{local:%Y-%m-%d} {clock} {zone}"
            case Style.INSTANT | Style.SECOND:
                return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"[: 16 if style is Style.INSTANT else None] + "Z"

    def listed(self, parts: Sequence[str], last: str) -> str:
        """`a`, `a and b`, `a, b and c`."""
        return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"

    def finished(self, text: str) -> str:
        """The text itself."""
        return text


ENGLISH = English()


def _day(local: datetime) -> str:
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"


def _both(at: datetime, local: datetime, zone: str) -> str:
    """The UTC day only if it differs; UTC alone if the zone is UTC."""
    here, plain = f"{_day(local)} {local:%H:%M} ({zone})", at.astimezone(UTC)
    if zone == "UTC":
        return here
    return f"{here}, {plain:%H:%M} UTC" if _day(local) == _day(plain) else f"{here}, {_day(plain)} {plain:%H:%M} UTC"


class Said(str):
    """A text that is rendered by its language's rules; as a string, in English."""

    def __reduce__(self) -> tuple[Callable[[Any], str], tuple[Any]]:
        """Copied in its stored form."""
        return from_kept, (self.kept(),)

    def said(self, words: Words) -> str:
        """The text in a language."""
        raise NotImplementedError

    def kept(self) -> dict[str, Any]:
        """The stored form, for `from_kept`: names, texts, numbers."""
        raise NotImplementedError


class Sentence(Said):
    """`message` is English and the key of the catalogue, with `{slots}`; with `many`, the slot `n` chooses singular or plural."""

    message: str
    many: str
    slots: Mapping[str, Slot]

    def __new__(cls, message: str, many: str = "", /, **slots: Slot) -> Self:
        """Fill the slots."""
        self = str.__new__(cls, _filled(_chosen(ENGLISH, message, many, slots), slots, str))
        self.message, self.many, self.slots = message, many, slots
        return self

    def with_slots(self, **slots: Slot) -> Sentence:
        """The same message with more slots filled."""
        return Sentence(self.message, self.many, **{**self.slots, **slots})

    def said(self, words: Words) -> str:
        """The catalogue's message, with its slots in the same language."""
        return _filled(_chosen(words, self.message, self.many, self.slots), self.slots, lambda text: _said(text, words))

    def kept(self) -> dict[str, Any]:
        """Message and slots."""
        slots = {name: to_kept(value) if isinstance(value, str) else value for name, value in self.slots.items()}
        return {"message": self.message, **({"many": self.many} if self.many else {}), "slots": slots}


class Moment(Said):
    """An instant in a time zone."""

    at: datetime
    zone: str
    style: Style

    def __new__(cls, at: datetime, zone: str = "UTC", style: Style = Style.LOCAL) -> Self:
        """`at`: aware."""
        self = str.__new__(cls, ENGLISH.moment(at, zone, style))
        self.at, self.zone, self.style = at, zone, style
        return self

    def said(self, words: Words) -> str:
        """In the language's form of days and times."""
        return words.moment(self.at, self.zone, self.style)

    def kept(self) -> dict[str, Any]:
        """The instant in UTC."""
        return {"moment": self.at.astimezone(UTC).isoformat(), "zone": self.zone, "style": str(self.style)}


class Listed(Said):
    """One or more items, with a word before the last; `between` replaces the separators if there is no such word."""

    parts: tuple[str, ...]
    last: str
    between: str

    def __new__(cls, parts: Sequence[str], last: str = "and", between: str = "") -> Self:
        """At least one part."""
        joined = between.join(parts) if between else ENGLISH.listed(parts, last)
        self = str.__new__(cls, joined)
        self.parts, self.last, self.between = tuple(parts), last, between
        return self

    def said(self, words: Words) -> str:
        """Each part in the language."""
        parts = [_said(part, words) for part in self.parts]
        return self.between.join(parts) if self.between else words.listed(parts, self.last)

    def kept(self) -> dict[str, Any]:
        """Its parts."""
        return {"listed": [to_kept(part) for part in self.parts], "last": self.last, "between": self.between}


class Shaped(Said):
    """A text as the beginning of a sentence (`opening`), or without its full stop (`clause`)."""

    text: str
    shape: str

    def __new__(cls, text: str, shape: str) -> Self:
        """`shape`: one of SHAPES."""
        self = str.__new__(cls, SHAPES[shape](str(text)))
        self.text, self.shape = text, shape
        return self

    def said(self, words: Words) -> str:
        """Shaped in its language."""
        return SHAPES[self.shape](_said(self.text, words))

    def kept(self) -> dict[str, Any]:
        """The text and its shape."""
        return {"shaped": to_kept(self.text), "shape": self.shape}


SHAPES: dict[str, Callable[[str], str]] = {
    "opening": lambda text: text[:1].upper() + text[1:],
    "small": lambda text: text[:1].lower() + text[1:],
    "clause": lambda text: text.rstrip(". "),
    "ended": lambda text: text + ("" if text.endswith((".", "!", "?")) else "."),
}


def sentence(message: str, /, **slots: Slot) -> str:
    """The message of a catalogue with its slots filled; a text that is made already stays as it is."""
    return message if isinstance(message, Said) else Sentence(message, **slots)


def joined(parts: Iterable[str], between: str = " ") -> str:
    """The non-empty parts in their order."""
    said_parts = [part for part in parts if part]
    return Listed(said_parts, between=between) if len(said_parts) > 1 else "".join(said_parts) and said_parts[0]


def opening(text: str) -> Shaped:
    """With a capital first letter."""
    return Shaped(text, "opening")


def begun_small(text: str) -> Shaped:
    """With a small first letter."""
    return Shaped(text, "small")


def clause(text: str) -> Shaped:
    """Without the full stop."""
    return Shaped(text, "clause")


def ended(text: str) -> Shaped:
    """With a full stop."""
    return Shaped(text, "ended")


def day_of(day: date) -> Moment:
    """`Mon 23 Nov 2026`."""
    return Moment(datetime.combine(day, time(), UTC), "UTC", Style.DAY)


def month_of(month: str) -> Moment:
    """Of `2026-11`, which it is in English."""
    return Moment(datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC), "UTC", Style.MONTH)


def reason_of(error: BaseException) -> str:
    """The sentence that an error was raised with, else its message."""
    told = error.args[0] if len(error.args) == 1 else None
    return told if isinstance(told, str) else str(error)


def date_of(day: date) -> Moment:
    """`23 Nov 2026`."""
    return Moment(datetime.combine(day, time(), UTC), "UTC", Style.DATE)


def said(text: str, words: Words) -> str:
    """A whole text in a language. A plain string is returned unchanged, on one line."""
    return words.finished(_said(text, words))


def _said(text: str, words: Words) -> str:
    return text.said(words) if isinstance(text, Said) else _UNSAFE.sub(" ", text)


def _chosen(words: Words, message: str, many: str, slots: Mapping[str, Slot]) -> str:
    """An empty message is the catalogue's own header."""
    if not message:
        return ""
    return words.ngettext(message, many, int(slots["n"])) if many else words.gettext(message)


def _filled(message: str, slots: Mapping[str, Slot], say: Callable[[str], str]) -> str:
    """A slot without a value stays; values are never searched for slots."""

    def fill(found: re.Match[str]) -> str:
        value = slots.get(found[1])
        return found[0] if value is None else say(value) if isinstance(value, str) else str(value)

    return _SLOT.sub(fill, message)


def to_kept(text: str) -> Any:
    """The stored form of a text; a plain text is its own."""
    return text.kept() if isinstance(text, Said) else text


def from_kept(kept: Any) -> str:
    """The text from its stored form. Raises KeyError, ValueError, TypeError for any other value."""
    match kept:
        case str():
            return kept
        case {"message": str(message), "slots": dict(slots)}:
            filled = {name: from_kept(value) if isinstance(value, dict) else value for name, value in slots.items()}
            return Sentence(message, kept.get("many", ""), **filled)
        case {"moment": str(at), "zone": str(zone), "style": str(style)}:
            return Moment(datetime.fromisoformat(at), zone, Style(style))
        case {"listed": list(parts), "last": str(last), "between": str(between)}:
            return Listed([from_kept(part) for part in parts], last, between)
        case {"shaped": text, "shape": str(shape)}:
            return Shaped(from_kept(text), shape)
        case _:
            raise ValueError("a text is wanted")
