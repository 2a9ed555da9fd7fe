"""A version that no calendar lists: AWS may upgrade it at any time, so owner and administrators are notified first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.message import Severity
from chalicelib.domain.notices.calendar_feed import calendar_of
from chalicelib.domain.notices.decision import NoticeRules, decide_notices
from chalicelib.domain.notices.digest import compose
from chalicelib.domain.notices.notice import Notice, NoticeKind, NoticeState
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.watched import Watched
from tests.fakes import NOW, a_calendar
from tests.fakes.fleet_builders import OPS, a_fleet_cluster

RULES = NoticeRules(administrators="admins@example.com")


def kept(name: str, version: str) -> Watched:
    support = decide_support(version, "EXTENDED", a_calendar(), NOW)
    return Watched(a_fleet_cluster(name, version=version), support, OPS, None, NOW, armed_at=NOW)


def test_row_14_owner_and_administrators_are_told_weekly() -> None:
    history: tuple[Notice, ...] = ()
    for day in range(200):
        history += decide_notices(kept("relic", "1.9"), history, RULES, NOW + timedelta(days=day))
    for recipient in (OPS, "admins@example.com"):
        told = [notice for notice in history if notice.recipient == recipient and notice.kind is NoticeKind.NO_DATE]
        assert 28 <= len(told) <= 30
        assert {notice.severity for notice in told} == {Severity.URGENT}


def test_row_14_the_mail_says_that_no_date_is_known_and_why() -> None:
    relic = kept("relic", "1.9")
    [first, *_] = [notice for notice in decide_notices(relic, (), RULES, NOW) if notice.recipient == OPS]
    [message] = compose(OPS, [(first, relic)], NOW)
    assert message.subject == "EKS urgent: relic no date is known for 1.9"
    assert "AWS may upgrade it at any time." in " ".join(message.body.split())


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (lambda: kept("relic", "1.31"), "It runs 1.31 now."),
        (lambda: replace(kept("relic", "1.9"), gone_at=NOW), "The cluster is gone."),
        (lambda: replace(kept("relic", "1.9"), support=kept("x", "1.31").support), "EKS tells the dates of 1.9 now."),
    ],
)
def test_row_14_whoever_was_told_that_no_date_is_known_hears_once_that_one_is(
    after: Callable[[], Watched], why: str
) -> None:
    told = decide_notices(kept("relic", "1.9"), (), RULES, NOW)
    now, ends = after(), []
    history: tuple[Notice, ...] = told
    for day in range(1, 30):
        fresh = decide_notices(now, history, RULES, NOW + timedelta(days=day))
        ends += [notice for notice in fresh if notice.deadline_id == "no-date#1.9"]
        history += fresh
    assert {(notice.kind, notice.recipient) for notice in ends} == {
        (NoticeKind.SOLVED, OPS),
        (NoticeKind.SOLVED, "admins@example.com"),
    }
    [message] = compose(OPS, [(notice, now) for notice in ends if notice.recipient == OPS], NOW)
    assert f"Solved: {why} You will hear no more of 1.9, of which no date was known." in " ".join(message.body.split())


def test_whoever_nobody_heard_is_told_of_no_end_either() -> None:
    told = [
        replace(notice, state=NoticeState.UNHEARD) for notice in decide_notices(kept("relic", "1.9"), (), RULES, NOW)
    ]
    later = decide_notices(kept("relic", "1.31"), told, RULES, NOW + timedelta(days=1))
    assert [notice for notice in later if notice.kind is NoticeKind.SOLVED] == []


def test_row_14_it_has_an_entry_in_the_calendar() -> None:
    document = calendar_of([kept("relic", "1.9"), kept("orders", "1.31")], NOW)
    assert "SUMMARY:relic: no date is known for 1.9" in document
    assert document.count("BEGIN:VEVENT") == 2


def test_what_has_a_date_or_is_unread_or_gone_is_not_undated() -> None:
    assert not kept("orders", "1.31").is_undated
    assert kept("relic", "1.9").is_undated
    gone = replace(kept("relic", "1.9"), gone_at=NOW)
    assert [n for n in decide_notices(gone, (), RULES, NOW) if n.kind is NoticeKind.NO_DATE] == []
