"""The record of a cluster after it is read again, unreadable, or recreated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.message import Severity
from chalicelib.domain.notices.decision import NoticeRules, decide_notices
from chalicelib.domain.notices.digest_text import notice_sentence
from chalicelib.domain.notices.notice import Notice, NoticeKind
from chalicelib.domain.notices.wording import describe_support_cost
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.domain.support.fleet import FleetCluster, ReadFailure
from chalicelib.domain.support.observation import (
    LIVE,
    ClusterContext,
    Readiness,
    is_near,
    last_seen,
    observed,
    troubled,
    troubled_place,
    with_readiness,
)
from chalicelib.domain.support.watched import Watched
from tests.fakes import NOW, a_calendar
from tests.fakes.fleet_builders import HOME, OPS, a_fleet_cluster, a_key, a_trouble, an_addon, an_insight

JOINED = ClusterContext(OPS)
LIVE_CALENDAR = a_calendar(source=LIVE)
#: Of 1.31.
LIVE_CALENDAR_END = datetime(2026, 11, 26, tzinfo=UTC)


def read(
    cluster: FleetCluster, before: Watched | None = None, day: int = 0, calendar: Calendar = LIVE_CALENDAR
) -> Watched:
    kept = observed(before, cluster, JOINED, calendar, NOW + timedelta(days=day))
    assert kept is not None
    return kept


def moved(version: str, by: timedelta, source: str = LIVE) -> Calendar:
    versions = tuple(
        replace(v, end_of_standard=v.end_of_standard + by) if v.version == version else v
        for v in LIVE_CALENDAR.versions
    )
    return replace(LIVE_CALENDAR, versions=versions, source=source)


def test_what_people_said_stays_and_trouble_ends_with_a_good_reading() -> None:
    before = replace(
        read(a_fleet_cluster()),
        acknowledged_by="data",
        snoozed_until=NOW,
        trouble=a_trouble(),
        version=7,
    )
    after = read(a_fleet_cluster(), before, day=1)
    assert (after.acknowledged_by, after.snoozed_until, after.version) == ("data", NOW, 7)
    assert (after.trouble, after.read_at) == (None, NOW + timedelta(days=1))


def test_a_reading_older_than_the_last_changes_nothing() -> None:
    assert observed(read(a_fleet_cluster(), day=1), a_fleet_cluster(version="1.33"), JOINED, LIVE_CALENDAR, NOW) is None


def test_deadlines_are_armed_when_they_become_known_and_not_by_passing() -> None:
    kept = read(a_fleet_cluster())
    assert kept.armed_at == NOW
    assert read(a_fleet_cluster(), kept, day=20).armed_at == NOW
    later = NOW + timedelta(days=1)
    assert read(a_fleet_cluster(), kept, day=1, calendar=moved("1.34", timedelta(days=30))).armed_at == later
    assert read(a_fleet_cluster(version="1.35"), kept, day=1).armed_at == later
    assert read(a_fleet_cluster(support_type="STANDARD"), kept, day=1).armed_at == later


def test_dates_that_eks_told_are_not_moved_by_the_fallback() -> None:
    kept = read(a_fleet_cluster())
    fallback = moved("1.34", timedelta(days=2), source="bundled table")
    after = read(a_fleet_cluster(), kept, day=1, calendar=fallback)
    assert (after.support.deadlines, after.armed_at) == (kept.support.deadlines, NOW)
    message = read(a_fleet_cluster(), kept, day=1, calendar=moved("1.34", timedelta(days=2)))
    assert message.support.next is not None
    assert message.support.next.at == datetime(2026, 12, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("policy", "version", "day", "upgraded", "by_aws"),
    [
        ("EXTENDED", "1.31", 2, "1.32", False),
        ("EXTENDED", "1.31", 4, "1.32", True),
        ("EXTENDED", "1.31", 4, "1.31", False),
        ("STANDARD", "1.34", 10, "1.35", True),
        ("EXTENDED", "1.34", 10, "1.35", False),
        (None, "1.31", 4, "1.32", True),
    ],
)
def test_a_version_that_rose_after_the_date_was_raised_by_aws(
    policy: str | None, version: str, day: int, upgraded: str, by_aws: bool
) -> None:
    before = read(a_fleet_cluster(version=version, support_type=policy))
    after = read(a_fleet_cluster(version=upgraded, support_type=policy), before, day)
    assert (after.upgraded_by_aws_at is not None) == by_aws


def test_a_cluster_made_again_under_its_old_name_begins_anew() -> None:
    before = replace(read(a_fleet_cluster()), acknowledged_by="data", version=3)
    for old in (replace(before, gone_at=NOW), before):
        after = read(a_fleet_cluster(created_at=NOW), old, day=1)
        assert (after.acknowledged_by, after.gone_at, after.version) == (None, None, 3)


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_trouble_begins_with_the_first_failure_since_the_last_good_reading(readings: list[bool]) -> None:
    kept: Watched | None = None
    since = None
    for day, good in enumerate(readings):
        at = NOW + timedelta(days=day)
        if good:
            kept, since = read(a_fleet_cluster(), kept, day), None
        else:
            since = since or at
            kept = troubled(kept, a_key(), ReadFailure("op", "code", "words", at, at), JOINED)
        assert (kept.trouble.since if kept.trouble else None) == since
        assert last_seen(kept) == at


def test_what_was_known_stays_known_when_it_cannot_be_read() -> None:
    kept = read(a_fleet_cluster())
    after = troubled(kept, a_key(), a_trouble(), ClusterContext())
    assert replace(after, trouble=None) == kept


def test_a_place_is_told_like_a_cluster_that_nobody_can_name_so() -> None:
    watched = troubled_place(HOME, a_trouble(), JOINED)
    assert (watched.cluster.key.name, watched.trouble, watched.owner) == ("*", a_trouble(), OPS)


def test_readiness_is_of_one_version() -> None:
    ready = Readiness((an_insight(),), (an_addon(),))
    kept = read(with_readiness(a_fleet_cluster(), ready, None))
    assert with_readiness(a_fleet_cluster(), None, kept).insights == ready.insights
    assert with_readiness(a_fleet_cluster(version="1.35"), None, kept).insights == ()
    nothing = Readiness((), ())
    assert with_readiness(a_fleet_cluster(), nothing, kept).addons == ()


def test_near_is_by_days_and_stays_when_past() -> None:
    support = read(a_fleet_cluster()).support
    assert is_near(support, NOW, 9)
    assert not is_near(support, NOW, 8)
    assert is_near(support, NOW + timedelta(days=30), 8)


def extended_moved(by: timedelta) -> Calendar:
    """EKS has moved the end of 1.31's extended support, which is 26 Nov 2026 in the bundled table."""
    versions = tuple(
        replace(v, end_of_extended=v.end_of_extended + by) if v.version == "1.31" else v for v in LIVE_CALENDAR.versions
    )
    return replace(LIVE_CALENDAR, versions=versions)


@pytest.mark.parametrize("day", [1, 3, 4, 40, 70])
def test_row_13_a_date_that_eks_postponed_stays_when_eks_can_not_be_asked(day: int) -> None:
    orders = a_fleet_cluster(version="1.31")
    before = read(orders, calendar=extended_moved(timedelta(days=61)))
    throttled = read(orders, before, day, a_calendar())
    assert throttled.support.deadlines == before.support.deadlines
    assert f"{throttled.support.deadlines[0].at:%d %b %Y}" == "26 Jan 2027"
    said = decide_notices(throttled, history_of(before), NoticeRules(), NOW + timedelta(days=day))
    assert {notice.kind for notice in said} <= {NoticeKind.DEADLINE}


def history_of(watched: Watched) -> tuple[Notice, ...]:
    return decide_notices(watched, (), NoticeRules(), NOW)


@given(st.lists(st.sampled_from([None, -30, 0, 61, 200]), min_size=1, max_size=8))
def test_what_eks_once_told_is_kept_until_eks_tells_otherwise(answers: list[int | None]) -> None:
    """None: throttled that day."""
    orders, kept, told = a_fleet_cluster(version="1.31"), None, None
    for day, moved_by in enumerate(answers):
        calendar = a_calendar() if moved_by is None else extended_moved(timedelta(days=moved_by))
        kept = read(orders, kept, day, calendar)
        told = told if moved_by is None else LIVE_CALENDAR_END + timedelta(days=moved_by)
        assert kept.support.deadlines[-1].at == (told or LIVE_CALENDAR_END)


@pytest.mark.parametrize(("version", "by_aws"), [("1.31", True), ("1.32", False), ("1.33", False)])
def test_row_15_only_an_upgrade_to_the_target_of_aws_may_be_its_own(version: str, by_aws: bool) -> None:
    ended = read(a_fleet_cluster(version="1.30"))
    assert ended.support.phase is SupportPhase.PAST_END
    after = read(a_fleet_cluster(version=version), ended, day=1)
    assert (after.upgraded_by_aws_at is not None) is by_aws


def test_row_15_what_it_has_cost_counts_this_clusters_time_in_this_version() -> None:
    before = read(a_fleet_cluster(version="1.32"))
    unknown = describe_support_cost(before, NOW)
    upgraded = read(a_fleet_cluster(version="1.33"), before, day=1)
    known = describe_support_cost(upgraded, NOW + timedelta(days=3))
    assert "at most $" in unknown
    assert "since Tue 24 Nov 2026 about $24 for this version" in known


@pytest.mark.parametrize(
    ("region", "partition"),
    [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("ap-northeast-2", "aws")],
)
def test_row_19_a_cluster_that_could_not_be_read_has_the_arn_of_its_partition(region: str, partition: str) -> None:
    key = replace(a_key(), region=region)
    assert troubled(None, key, a_trouble(), JOINED).cluster.arn.startswith(f"arn:{partition}:eks:{region}:")


@pytest.mark.parametrize(
    ("code", "says", "says_not"),
    [
        ("ThrottlingException", "asked again tomorrow", "role exists"),
        ("UnrecognizedClientException", "region is opted in", "role exists"),
        ("AccessDeniedException", "role exists", "opted in"),
        ("SomethingNew", "all that is known", "role exists"),
    ],
)
def test_row_19_what_helps_is_said_by_what_aws_said(code: str, says: str, says_not: str) -> None:
    place = troubled_place(HOME, replace(a_trouble(), code=code), JOINED)
    [notice] = decide_notices(place, (), NoticeRules(), NOW + timedelta(days=30))
    text = notice_sentence(place, notice, None, NOW)
    assert says in text
    assert says_not not in text


def test_row_19_a_date_moved_into_the_past_is_as_loud_to_everyone() -> None:
    orders = a_fleet_cluster(version="1.31")
    before = replace(read(orders), team="team@example.com")
    told = decide_notices(before, (), NoticeRules(administrators="admins"), NOW)
    after = replace(read(orders, before, 1, extended_moved(timedelta(days=-30))), team="team@example.com")
    said = decide_notices(after, told, NoticeRules(administrators="admins"), NOW + timedelta(days=1))
    assert {notice.severity for notice in said} == {Severity.CRITICAL}
