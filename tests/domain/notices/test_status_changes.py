"""Notices about a cluster other than reminders, week by week: nodes behind, trouble, leases, started billing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.notices.decision import NoticeRules, decide_notices, recipients
from chalicelib.domain.notices.notice import Audience, Notice, NoticeKind
from chalicelib.domain.notices.reminders import latest_snooze
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.domain.support.fleet import NodeKind, Nodes
from chalicelib.domain.support.observation import ClusterContext, observed
from chalicelib.domain.support.watched import Watched
from tests.domain.notices.test_digest import kept
from tests.domain.support.test_assessment import CALENDAR, NOW
from tests.fakes.fleet_builders import OPS, a_fleet_cluster, a_trouble

RULES = NoticeRules(administrators="admins@example.com")
BEHIND = (Nodes("workers", NodeKind.MANAGED, "1.35", 3),)


def format_days(watched: Watched | Callable[[int], Watched], kind: NoticeKind, days: int = 30) -> list[int]:
    """The days, from today on, on which a run has a notice of this kind."""
    history: list[Notice] = []
    message = []
    for day in range(days):
        here = watched(day) if callable(watched) else watched
        fresh = decide_notices(here, history, RULES, NOW + timedelta(days=day))
        history += fresh
        message += [day for notice in fresh if notice.kind is kind]
    return message


def with_nodes(*nodes: Nodes) -> Watched:
    watched = kept("orders", "1.36")
    return replace(watched, cluster=replace(watched.cluster, nodes=nodes))


def test_nodes_that_stayed_behind_are_told_weekly_until_they_follow() -> None:
    assert format_days(with_nodes(*BEHIND), NoticeKind.NODES_BEHIND) == [0, 7, 14, 21, 28]
    follows = format_days(lambda day: with_nodes(*BEHIND) if day < 10 else with_nodes(), NoticeKind.NODES_BEHIND)
    assert follows == [0, 7]


def test_what_cannot_be_read_is_told_after_three_days_and_then_weekly() -> None:
    blind = kept("orders", "1.36", trouble=a_trouble(since=NOW))
    assert format_days(blind, NoticeKind.UNREADABLE) == [3, 10, 17, 24]


def test_billing_that_has_begun_is_told_weekly_to_the_owner_until_acknowledged() -> None:
    paying = kept("orders", "1.33")
    assert paying.support.begun is not None
    assert format_days(paying, NoticeKind.DEADLINE) == [0, 2, 9, 16, 23]
    assert {n.recipient for n in decide_notices(paying, (), RULES, NOW)} == {OPS}
    heard = replace(paying, acknowledged_by=OPS, acknowledged_deadline=paying.support.deadlines[0].id)
    assert format_days(heard, NoticeKind.DEADLINE) == []


def test_a_lease_that_is_prolonged_past_the_deadline_brings_the_ladder_back() -> None:
    def lab(day: int) -> Watched:
        ends = NOW + timedelta(days=2 if day < 1 else 40)
        watched = kept("lab", "1.31", lab_id="lab-1", lease_ends_at=ends)
        return replace(watched, support=decide_support("1.31", None, CALENDAR, NOW + timedelta(days=day), ends))

    assert format_days(lab, NoticeKind.LEASE_FIRST, 5) == [0]
    assert sorted(set(format_days(lab, NoticeKind.DEADLINE, 5))) == [1, 2, 3]


def test_a_version_the_calendar_lost_is_not_taken_for_solved() -> None:
    def orders(day: int) -> Watched:
        watched = kept("orders", "1.31")
        lost = replace(CALENDAR, versions=())
        return watched if day < 1 else replace(watched, support=decide_support("1.31", None, lost, NOW))

    assert format_days(orders, NoticeKind.SOLVED, 5) == []


def test_a_policy_set_to_extended_solves_the_forced_upgrade_and_is_no_moved_date() -> None:
    def orders(day: int) -> Watched:
        return kept("orders", "1.34", "STANDARD" if day < 1 else "EXTENDED")

    assert format_days(orders, NoticeKind.SOLVED, 5) == [1]
    assert format_days(orders, NoticeKind.DATE_MOVED, 5) == []


def test_whoever_is_owner_and_administrator_is_told_once_and_nobody_means_the_administrators() -> None:
    one = replace(kept("orders", "1.31"), owner="admins@example.com", team="admins@example.com")
    assert recipients(one, RULES) == (("admins@example.com", Audience.OWNER),)
    nobody = replace(one, owner=None, team=None)
    assert recipients(nobody, NoticeRules()) == (("administrators", Audience.OWNER),)


def test_a_snooze_ends_at_the_next_rung_of_the_last_week() -> None:
    forced = kept("orders", "1.31").support.deadlines[0]

    def until(now: datetime) -> int:
        return (forced.at - latest_snooze(forced, now)).days

    assert [until(forced.at - timedelta(days=d, hours=1)) for d in (100, 7, 6, 3, 2, 1, 0)] == [7, 7, 3, 3, 1, 1, 0]
    assert [until(forced.at + timedelta(days=d)) for d in (0, 6, 7)] == [-7, -7, -14]


def test_a_version_that_falls_off_the_calendar_is_overdue_still_and_its_upgrade_awss() -> None:
    shorter = replace(CALENDAR, versions=tuple(v for v in CALENDAR.versions if v.version != "1.31"))
    kept_before: Watched | None = None
    history: list[Notice] = []
    for day in range(14):
        now, version = NOW + timedelta(days=day), "1.31" if day < 12 else "1.32"
        cluster = a_fleet_cluster(version=version)
        kept_before = observed(kept_before, cluster, ClusterContext(OPS), CALENDAR if day < 4 else shorter, now)
        assert kept_before is not None
        fresh = decide_notices(kept_before, history, NoticeRules(), now)
        history += fresh
        assert kept_before.support.phase is (SupportPhase.PAST_END if 3 <= day < 12 else SupportPhase.EXTENDED)
    reminders = [n.reminder for n in history if n.kind is NoticeKind.DEADLINE and "#1.31#" in n.deadline_id]
    assert reminders == [3, 1, 0, -7]
    assert next(n.kind for n in history if n.decided_at >= NOW + timedelta(days=12)) is NoticeKind.UPGRADED_BY_AWS
