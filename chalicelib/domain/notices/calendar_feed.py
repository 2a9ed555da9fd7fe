"""The deadlines as an iCalendar (RFC 5545) to subscribe to: one all-day event for each deadline of each cluster.

Called by `GET /deadlines.ics`. An event keeps its UID when AWS moves the date, so calendars move it instead of adding another; the
same facts always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from chalicelib.domain.core.icalendar import CalendarEvent, document, escaped, stamp
from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.sentence import ENGLISH, Listed, Sentence, Words, ended, said
from chalicelib.domain.notices.wording import describe_briefly
from chalicelib.domain.support.assessment import describe_effect
from chalicelib.domain.support.deadlines import Deadline
from chalicelib.domain.support.watched import Watched

#: The origin of sequence numbers, which count minutes: a later change always has the higher number.
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def calendar_of(clusters: Sequence[Watched], now: datetime, words: Words = ENGLISH) -> str:
    """The whole document, in a language. Clusters that are gone, and labs that end first, are omitted."""
    return document(Sentence("EKS support deadlines"), deadline_events(clusters, now, words), words)


def deadline_events(clusters: Sequence[Watched], now: datetime, words: Words = ENGLISH) -> Iterator[CalendarEvent]:
    """One event per deadline, and one today for a version without a date."""
    for watched in clusters:
        if watched.gone_at is not None or watched.support.lease_first:
            continue
        for deadline in watched.support.deadlines:
            yield CalendarEvent(deadline.at, _name(watched), tuple(_event(watched, deadline, now, words)))
        if watched.is_undated:
            yield CalendarEvent(now, _name(watched), tuple(_undated(watched, now, words)))


def uid_of(watched: Watched, deadline: Deadline) -> str:
    """The event's permanent name: the cluster, the effect and the version, without the date."""
    key = watched.cluster.key
    return f"{deadline.kind}.{deadline.version}.{key.name}.{key.region}.{key.account}@ekslab"


def _name(watched: Watched) -> str:
    key = watched.cluster.key
    return f"{key.account}/{key.region}/{key.name}"


def _undated(watched: Watched, now: datetime, words: Words) -> list[str]:
    """An event today, because the date is unknown."""
    key, day = watched.cluster.key, utc(now)
    summary = Sentence("{name}: no date is known for {version}", name=key.name, version=watched.cluster.version)
    where = Sentence("Account {account}, {region}.", account=key.account, region=key.region)
    description = Listed((watched.support.reason, where), between=" ")
    name = f"no-date.{watched.cluster.version}.{key.name}.{key.region}.{key.account}@ekslab"
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped(name)}",
        f"DTSTAMP:{stamp(day)}",
        f"LAST-MODIFIED:{stamp(day)}",
        f"SEQUENCE:{(day - _EPOCH) // timedelta(minutes=1)}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(said(summary, words))}",
        f"DESCRIPTION:{escaped(said(description, words))}",
        "CATEGORIES:EKS",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _event(watched: Watched, deadline: Deadline, now: datetime, words: Words) -> list[str]:
    changed_at = utc(watched.armed_at or _EPOCH)
    summary = Sentence("{name}: {what}", name=watched.cluster.key.name, what=describe_briefly(deadline))
    description = Listed(tuple(_description(watched, deadline, now)), between=" ")
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped(uid_of(watched, deadline))}",
        f"DTSTAMP:{stamp(changed_at)}",
        f"LAST-MODIFIED:{stamp(changed_at)}",
        f"SEQUENCE:{(changed_at - _EPOCH) // timedelta(minutes=1)}",
        f"DTSTART;VALUE=DATE:{utc(deadline.at):%Y%m%d}",
        f"DTEND;VALUE=DATE:{utc(deadline.at) + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(said(summary, words))}",
        f"DESCRIPTION:{escaped(said(description, words))}",
        "CATEGORIES:EKS",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _description(watched: Watched, deadline: Deadline, now: datetime) -> Iterator[str]:
    key = watched.cluster.key
    yield ended(describe_effect(deadline, now))
    yield Sentence(
        "Account {account}, {region}, Kubernetes {version}.",
        account=key.account,
        region=key.region,
        version=watched.cluster.version,
    )
    yield Sentence("Date from {source}.", source=deadline.source)
