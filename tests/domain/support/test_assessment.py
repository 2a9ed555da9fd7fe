"""The calendar's consequences for a cluster: a table over AWS's real dates; no zone or policy shifts a day."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.support.assessment import days_left, decide_support, describe_effect, moved
from chalicelib.domain.support.calendar import Calendar, VersionSupport
from chalicelib.domain.support.deadlines import DeadlineKind, SupportPhase
from tests.paths import PROJECT

TABLE = json.loads((PROJECT / "chalicelib/aws/eks/eks-versions.json").read_text())
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T00:00:00+00:00")


CALENDAR = Calendar(
    tuple(
        VersionSupport(v["version"], day(v["release"]), day(v["endOfStandardSupport"]), day(v["endOfExtendedSupport"]))
        for v in TABLE["versions"]
    ),
    Sentence("bundled table"),
    day(TABLE["as_of"]),
)


@pytest.mark.parametrize(
    ("version", "policy", "phase", "following", "days", "target", "billed"),
    [
        ("1.36", None, "standard", "extended-billing", 252, None, False),
        ("1.34", "EXTENDED", "standard", "extended-billing", 9, None, False),
        ("1.34", "STANDARD", "standard", "forced-upgrade", 9, "1.35", False),
        ("1.33", None, "extended", "forced-upgrade", 248, "1.34", True),
        ("1.31", "EXTENDED", "extended", "forced-upgrade", 3, "1.32", True),
        ("1.31", "extended", "extended", "forced-upgrade", 3, "1.32", True),
        ("1.33", "STANDARD", "past-the-end", "forced-upgrade", -117, "1.34", False),
        ("1.28", None, "past-the-end", "forced-upgrade", -362, "1.29", True),
    ],
)
def test_version_policy_and_dates_decide(
    version: str, policy: str | None, phase: str, following: str, days: int, target: str | None, billed: bool
) -> None:
    support = decide_support(version, policy, CALENDAR, NOW)
    assert support.next is not None
    assert (support.phase, support.next.kind, days_left(support.next, NOW)) == (phase, following, days)
    assert (support.next.target, support.billed_extended) == (target, billed)
    assert support.next.source == "bundled table"


@pytest.mark.parametrize("version", ["1.10", "1.99", "", "latest", "1.31.2-eks"])
def test_a_version_no_calendar_lists_is_unknown_and_no_error(version: str) -> None:
    support = decide_support(version, None, CALENDAR, NOW)
    assert (support.phase, support.deadlines) == (SupportPhase.UNKNOWN, ())
    assert "known" in support.reason or "at any time" in support.reason


def test_extended_billing_begins_at_the_very_instant_standard_support_ends() -> None:
    ends = day("2026-12-02")
    assert not decide_support("1.34", None, CALENDAR, ends - timedelta(microseconds=1)).billed_extended
    assert decide_support("1.34", None, CALENDAR, ends).billed_extended


def test_a_deadline_says_what_it_does_before_and_after_it() -> None:
    forced = decide_support("1.31", None, CALENDAR, NOW).deadlines[0]
    assert describe_effect(forced, NOW) == (
        "AWS upgrades the control plane to 1.32, at any time from then on, without notice; nodes stay behind"
    )
    assert "any time now" in describe_effect(forced, forced.at)
    billing = decide_support("1.34", None, CALENDAR, NOW).deadlines[0]
    assert describe_effect(billing, NOW) == "extended billing begins: +$365 a month"


def test_a_lease_that_ends_first_counts_unless_the_lab_has_outlived_it() -> None:
    assert decide_support("1.31", None, CALENDAR, NOW, NOW + timedelta(hours=8)).lease_first
    assert not decide_support("1.31", None, CALENDAR, NOW, NOW + timedelta(days=4)).lease_first
    assert not decide_support("1.31", None, CALENDAR, NOW, NOW - timedelta(days=2)).lease_first
    assert not decide_support("1.28", None, CALENDAR, NOW, NOW + timedelta(days=1)).lease_first


def test_only_a_date_of_the_same_version_and_policy_has_moved() -> None:
    before = decide_support("1.31", None, CALENDAR, NOW)
    later = tuple(
        replace(v, end_of_extended=v.end_of_extended + timedelta(days=14)) if v.version == "1.31" else v
        for v in CALENDAR.versions
    )
    found = moved(before, decide_support("1.31", None, replace(CALENDAR, versions=later), NOW))
    assert found is not None
    assert [deadline.at for deadline in found] == [day("2026-11-26"), day("2026-12-10")]
    assert moved(before, decide_support("1.32", None, CALENDAR, NOW)) is None
    assert moved(before, decide_support("1.31", "STANDARD", CALENDAR, NOW)) is None
    assert moved(before, decide_support("1.31", None, CALENDAR, day("2026-11-28"))) is None


@given(
    hours=st.integers(-12, 14),
    version=st.sampled_from([v.version for v in CALENDAR.versions]),
    policy=st.sampled_from([None, "EXTENDED", "STANDARD"]),
    minutes=st.integers(-400 * 1440, 800 * 1440),
)
def test_whatever_zone_instants_come_in_the_days_are_the_same(
    hours: int, version: str, policy: str | None, minutes: int
) -> None:
    zone, now = timezone(timedelta(hours=hours)), NOW + timedelta(minutes=minutes)
    local = replace(
        CALENDAR,
        versions=tuple(
            replace(
                v,
                end_of_standard=v.end_of_standard.astimezone(zone),
                end_of_extended=v.end_of_extended.astimezone(zone),
            )
            for v in CALENDAR.versions
        ),
    )
    here, there = (
        decide_support(version, policy, CALENDAR, now),
        decide_support(version, policy, local, now.astimezone(zone)),
    )
    assert [d.id for d in here.deadlines] == [d.id for d in there.deadlines]
    assert (here.phase, here.billed_extended) == (there.phase, there.billed_extended)
    for one, other in zip(here.deadlines, there.deadlines, strict=True):
        assert days_left(one, now) == days_left(other, now.astimezone(zone)) == (one.at.date() - now.date()).days


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        decide_support("1.31", None, CALENDAR, datetime(2026, 11, 23))


def test_deadlines_of_extended_come_nearest_first() -> None:
    kinds = [deadline.kind for deadline in decide_support("1.35", None, CALENDAR, NOW).deadlines]
    assert kinds == [DeadlineKind.EXTENDED_BILLING, DeadlineKind.FORCED_UPGRADE]
