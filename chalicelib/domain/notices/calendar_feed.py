"""The deadlines as an iCalendar (RFC 5545) to subscribe to: one all-day event for each deadline of each cluster.

Called by `GET /deadlines.ics`. An event keeps its UID when AWS moves the date, so calendars move it instead of adding another; the
same facts give the same bytes, whenever they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from chalicelib.domain.core.instants import utc
from chalicelib.domain.notices.wording import describe_briefly
from chalicelib.domain.support.assessment import describe_effect
from chalicelib.domain.support.deadlines import Deadline
from chalicelib.domain.support.watched import Watched

CONTENT_TYPE = "text/calendar; charset=utf-8"
#: Where sequence numbers begin: minutes since then, so that a later change always has the higher number.
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_PRODUCT = "-//ekslab//support watch//EN"


def calendar_of(clusters: Sequence[Watched], now: datetime, name: str = "EKS support deadlines") -> str:
    """The whole document, CRLF-ended lines of at most 75 octets. Clusters that are gone, and labs that end first, are left out."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
        "X-PUBLISHED-TTL:PT12H",
    ]
    events = [
        (deadline.at, watched.cluster.key, _event(watched, deadline, now))
        for watched in clusters
        if watched.gone_at is None and not watched.support.lease_first
        for deadline in watched.support.deadlines
    ]
    events += [
        (now, watched.cluster.key, _undated(watched, now)) for watched in clusters if _may_come_any_time(watched)
    ]
    for _, _, event in sorted(events, key=lambda e: (e[0], e[1])):
        lines += event
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def uid_of(watched: Watched, deadline: Deadline) -> str:
    """Names the event for ever: the cluster, what happens, and to which version; not when."""
    key = watched.cluster.key
    return f"{deadline.kind}.{deadline.version}.{key.name}.{key.region}.{key.account}@ekslab"


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


def _may_come_any_time(watched: Watched) -> bool:
    return watched.is_undated and watched.gone_at is None and not watched.support.lease_first


def _undated(watched: Watched, now: datetime) -> list[str]:
    """An event of today, for there is no day that could be told."""
    key, day = watched.cluster.key, utc(now)
    name = f"no-date.{watched.cluster.version}.{key.name}.{key.region}.{key.account}@ekslab"
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped(name)}",
        f"DTSTAMP:{_stamp(day)}",
        f"LAST-MODIFIED:{_stamp(day)}",
        f"SEQUENCE:{(day - _EPOCH) // timedelta(minutes=1)}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(f'{key.name}: no date is known for {watched.cluster.version}')}",
        f"DESCRIPTION:{escaped(f'{watched.support.reason} Account {key.account}, {key.region}.')}",
        "CATEGORIES:EKS",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _event(watched: Watched, deadline: Deadline, now: datetime) -> list[str]:
    changed_at = utc(watched.armed_at or _EPOCH)
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped(uid_of(watched, deadline))}",
        f"DTSTAMP:{_stamp(changed_at)}",
        f"LAST-MODIFIED:{_stamp(changed_at)}",
        f"SEQUENCE:{(changed_at - _EPOCH) // timedelta(minutes=1)}",
        f"DTSTART;VALUE=DATE:{utc(deadline.at):%Y%m%d}",
        f"DTEND;VALUE=DATE:{utc(deadline.at) + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(f'{watched.cluster.key.name}: {describe_briefly(deadline)}')}",
        f"DESCRIPTION:{escaped(' '.join(_description(watched, deadline, now)))}",
        "CATEGORIES:EKS",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _description(watched: Watched, deadline: Deadline, now: datetime) -> Iterator[str]:
    key = watched.cluster.key
    yield f"{describe_effect(deadline, now)}."
    yield f"Account {key.account}, {key.region}, Kubernetes {watched.cluster.version}."
    yield f"Date from {deadline.source}."


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"
