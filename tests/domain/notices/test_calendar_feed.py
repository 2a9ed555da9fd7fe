"""The calendar subscription: RFC 5545's lines, AWS's days, and events that move instead of multiplying."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.icalendar import escaped, folded
from chalicelib.domain.notices.calendar_feed import calendar_of
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.watched import Watched
from tests.domain.notices.test_digest import kept
from tests.domain.support.test_assessment import CALENDAR, NOW


def lines_of(text: str) -> list[str]:
    """Content lines, unfolded as RFC 5545 3.1 says."""
    assert text.endswith("\r\n")
    return re.sub(r"\r\n[ \t]", "", text).split("\r\n")[:-1]


def events_of(text: str) -> list[dict[str, str]]:
    events: list[dict[str, str]] = []
    for line in lines_of(text):
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events and line != "END:VEVENT":
            events[-1][name] = value
    return events


def moved_by(watched: Watched, days: int) -> Watched:
    deadlines = tuple(replace(d, at=d.at + timedelta(days=days)) for d in watched.support.deadlines)
    return replace(watched, support=replace(watched.support, deadlines=deadlines), armed_at=NOW + timedelta(days=1))


def test_every_deadline_is_an_all_day_event_on_awss_own_day() -> None:
    events = events_of(calendar_of([kept("paying", "1.34"), kept("orders", "1.31")], NOW))
    days = [(e["SUMMARY"], e["DTSTART;VALUE=DATE"], e["DTEND;VALUE=DATE"]) for e in events]
    assert days == [
        ("orders: forced upgrade to 1.32", "20261126", "20261127"),
        ("paying: extended billing", "20261202", "20261203"),
        ("paying: forced upgrade to 1.35", "20271202", "20271203"),
    ]
    assert len({event["UID"] for event in events}) == 3


def test_a_moved_date_keeps_its_uid_and_raises_its_sequence() -> None:
    (before,) = events_of(calendar_of([kept("orders", "1.31")], NOW))
    (after,) = events_of(calendar_of([moved_by(kept("orders", "1.31"), 14)], NOW))
    assert before["UID"] == after["UID"]
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])
    assert after["LAST-MODIFIED"] > before["LAST-MODIFIED"]
    assert after["DTSTART;VALUE=DATE"] == "20261210"


def test_the_same_facts_are_the_same_bytes_an_hour_later() -> None:
    clusters = [kept("orders", "1.31"), kept("paying", "1.34")]
    assert calendar_of(clusters, NOW) == calendar_of(clusters[::-1], NOW + timedelta(hours=1))


def test_what_is_gone_and_labs_that_end_first_are_not_in_it() -> None:
    lab = kept("lab", "1.31")
    lab = replace(lab, support=decide_support("1.31", None, CALENDAR, NOW, NOW + timedelta(hours=8)))
    assert events_of(calendar_of([lab, kept("gone", "1.31", gone_at=NOW)], NOW)) == []
    assert lines_of(calendar_of([], NOW))[0] == "BEGIN:VCALENDAR"


@given(st.text(max_size=300))
def test_lines_are_folded_at_75_octets_between_characters_and_unfold_to_themselves(text: str) -> None:
    line = f"DESCRIPTION:{escaped(text)}"
    pieces = folded(line).split("\r\n")
    assert all(len(piece.encode("utf-8", "surrogatepass")) <= 75 for piece in pieces)
    assert all(piece.startswith(" ") for piece in pieces[1:])
    assert "".join([pieces[0], *(piece[1:] for piece in pieces[1:])]) == line


def test_text_is_escaped() -> None:
    assert escaped("a;b,c\\d\r\ne\x07") == "a\\;b\\,c\\\\d\\ne"
