"""Wording that every text for people shares: days, counts, paragraphs."""

from __future__ import annotations

import textwrap
from datetime import datetime

from chalicelib.domain.core.instants import utc

WIDTH = 88


#: With a no-break space, at which no line ends.
_TIED_PERCENT = "\N{NO-BREAK SPACE}%"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_day(at: datetime) -> str:
    """`Thu 26 Nov 2026`, in UTC and in English whatever the machine speaks."""
    day = utc(at)
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def format_days(days: int) -> str:
    """`in 3 days`, `tomorrow`, `today`, `yesterday`, `12 days ago`."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return near.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")


def counted(number: int, noun: str) -> str:
    """`1 cluster`, `4 clusters`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def paragraph(text: str, indent: str = "", first: str | None = None) -> str:
    """Text wrapped to `WIDTH`; `first` begins it, `indent` every line after. Long words stay whole, and so does `3 %`."""
    beginning = indent if first is None else first
    message = textwrap.fill(
        text.replace(" %", _TIED_PERCENT),
        WIDTH,
        initial_indent=beginning,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return message.replace(_TIED_PERCENT, " %")
