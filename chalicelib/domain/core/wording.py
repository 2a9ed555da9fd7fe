"""Wording shared by all texts for people: days, counts, paragraphs of a readable width."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from functools import lru_cache

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.sentence import Moment, Sentence, Style

#: Columns of a terminal; a Hangul syllable takes two.
WIDTH = 80
#: With a no-break space, which keeps number and sign on one line.
_TIED_PERCENT = "\N{NO-BREAK SPACE}%"


def format_day(at: datetime) -> Moment:
    """`Thu 26 Nov 2026`, in UTC."""
    return Moment(utc(at), "UTC", Style.DAY)


def format_days(days: int) -> Sentence:
    """`in 3 days`, `tomorrow`, `today`, `yesterday`, `12 days ago`."""
    near = {0: Sentence("today"), 1: Sentence("tomorrow"), -1: Sentence("yesterday")}
    if days in near:
        return near[days]
    if days > 0:
        return Sentence("in {n} day", "in {n} days", n=days)
    return Sentence("{n} day ago", "{n} days ago", n=-days)


def counted(number: int, noun: str) -> Sentence:
    """`1 cluster`, `4 clusters`. Write the noun as a literal in the call: the catalogue's keys are taken from there."""
    return Sentence(f"{{n}} {noun}", f"{{n}} {noun}s", n=number)


def width(text: str) -> int:
    """Columns of a text: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_columns(sign) for sign in unicodedata.normalize("NFC", text))


@lru_cache(4096)
def _columns(sign: str) -> int:
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in ("W", "F") else 1


def paragraph(text: str, indent: str = "", first: str | None = None) -> str:
    """Text wrapped to WIDTH; `first` begins it, `indent` every line after. Long words stay whole, and so does `3 %`."""
    lines, line = list[str](), indent if first is None else first
    begun = False
    for word in text.replace(" %", _TIED_PERCENT).split(" "):
        if begun and word and width(line) + 1 + width(word) > WIDTH:
            lines.append(line)
            line, begun = indent, False
        line += f" {word}" if begun and word else word
        begun = begun or bool(word)
    return "\n".join([*lines, line]).replace(_TIED_PERCENT, " %")
