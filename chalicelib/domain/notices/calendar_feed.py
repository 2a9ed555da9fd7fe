"""The deadlines as an iCalendar (RFC 5545) to subscribe to: one all-day event for each deadline of each cluster.

Called by `GET /deadlines.ics`. An event keeps its UID when AWS moves the date, so calendars move it instead of adding another; the
same facts give the same bytes, whenever they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from chalicelib.domain.core.icalendar import CalendarEvent, document, escaped, stamp
from chalicelib.domain.core.instants import utc
from chalicelib.domain.notices.wording import describe_briefly
from chalicelib.domain.support.assessment import describe_effect
from chalicelib.domain.support.deadlines import Deadline
from chalicelib.domain.support.watched import Watched

#: Where sequence numbers begin: minutes since then, so that a later change always has the higher number.
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def calendar_of(clusters: Sequence[Watched], now: datetime) -> str:
    """The whole document. Clusters that are gone, and labs that end first, are left out."""
    return document("EKS support deadlines", deadline_events(clusters, now))


def deadline_events(clusters: Sequence[Watched], now: datetime) -> Iterator[CalendarEvent]:
    """One event a deadline, and one of today for a version without a date."""
    for watched in clusters:
        if watched.gone_at is not None or watched.support.lease_first:
            continue
        for deadline in watched.support.deadlines:
            yield CalendarEvent(deadline.at, _name(watched), tuple(_event(watched, deadline, now)))
        if watched.is_undated:
            yield CalendarEvent(now, _name(watched), tuple(_undated(watched, now)))


def uid_of(watched: Watched, deadline: Deadline) -> str:
    """Names the event for ever: the cluster, what happens, and to which version; not when."""
    key = watched.cluster.key
    return f"{deadline.kind}.{deadline.version}.{key.name}.{key.region}.{key.account}@ekslab"


def _name(watched: Watched) -> str:
    key = watched.cluster.key
    return f"{key.account}/{key.region}/{key.name}"


def _undated(watched: Watched, now: datetime) -> list[str]:
    """An event of today, for there is no day that could be told."""
    key, day = watched.cluster.key, utc(now)
    name = f"no-date.{watched.cluster.version}.{key.name}.{key.region}.{key.account}@ekslab"
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped(name)}",
        f"DTSTAMP:{stamp(day)}",
        f"LAST-MODIFIED:{stamp(day)}",
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
        f"DTSTAMP:{stamp(changed_at)}",
        f"LAST-MODIFIED:{stamp(changed_at)}",
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
