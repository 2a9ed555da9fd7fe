"""iCalendar documents (RFC 5545): the head, folded lines, escaped texts, and events at an instant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import ENGLISH, Words, said

_PRODUCT = "-//ekslab//support watch//"


@dataclass(frozen=True)
class CalendarEvent:
    """The lines of one event. Events are sorted by `at`, then by `name`."""

    at: datetime
    name: str
    lines: tuple[str, ...]


def document(name: str, events: Iterable[CalendarEvent], words: Words = ENGLISH) -> str:
    """The whole document, CRLF-ended lines of at most 75 octets, its name translated. The events have their own languages."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}{str(words.language).upper()}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(said(name, words))}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
        "X-PUBLISHED-TTL:PT12H",
    ]
    for event in sorted(events, key=lambda event: (event.at, event.name)):
        lines += event.lines
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def timed_event(
    uid: str, at: datetime, changed_at: datetime, sequence: int, texts: tuple[str, str], words: Words = ENGLISH
) -> CalendarEvent:
    """An event at an instant, with no duration. `texts`: its summary and its description."""
    summary, description = (said(text, words) for text in texts)
    lines = (
        "BEGIN:VEVENT",
        f"UID:{escaped(uid)}",
        f"DTSTAMP:{stamp(changed_at)}",
        f"SEQUENCE:{sequence}",
        f"DTSTART:{stamp(at)}",
        f"SUMMARY:{escaped(summary)}",
        f"DESCRIPTION:{escaped(description)}",
        "CATEGORIES:EKS",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    )
    return CalendarEvent(at, uid, lines)


def escaped(text: str) -> str:
    """A TEXT value: backslash, semicolon, comma and line breaks escaped, other control characters dropped."""
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", re.sub(r"\r\n|\r|\n", r"\\n", plain))


def folded(line: str) -> str:
    """A content line folded at 75 octets of UTF-8, never inside a character."""
    lines, room = [""], 75
    for character in line:
        size = len(character.encode())
        if size > room:
            lines.append("")
            room = 74
        lines[-1] += character
        room -= size
    return "\r\n ".join(lines)


def stamp(at: datetime) -> str:
    """An instant in UTC."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
