"""Pods placed, where CloudWatch omits zeros: a gap counts as zero only where it can't have another cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.idleness.evidence import Evidence, Series
from chalicelib.domain.idleness.verdict import Sign
from tests.domain.idleness.world import NOW, sign, verdict_on
from tests.fakes.evidence_builders import a_series, an_hourly_series, quiet_evidence, without

EMPTY = Series(300)


def sparse(*days_ago: float, **changes: Any) -> Evidence:
    """Pods were placed three days ago, and at other times; all other periods have no data points."""
    hours = an_hourly_series(NOW, 2.0)
    at = [NOW - timedelta(days=ago) for ago in (3, *days_ago)]
    placed = tuple((hour, value) for hour, value in hours.points if any(hour <= each < hour + HOUR for each in at))
    evidence = replace(quiet_evidence(NOW), scheduled=EMPTY, scheduled_before=replace(hours, points=placed))
    return replace(evidence, **changes)


HOUR = timedelta(hours=1)


def test_a_cluster_of_which_only_placed_pods_are_reported_can_be_idle() -> None:
    verdict = verdict_on(sparse())
    assert verdict.idle
    assert "no user pods scheduled" in verdict.sentence


def test_pods_in_the_window_make_it_busy_all_the_same() -> None:
    one = a_series(NOW, 1.0).points[-4:-3]
    assert sign(verdict_on(sparse(scheduled=Series(300, one))), "scheduled") is Sign.BUSY


def test_pods_of_last_night_still_tell_of_a_cron_job() -> None:
    assert sign(verdict_on(sparse(0.7)), "nights") is Sign.BUSY


@pytest.mark.parametrize("name", ["requests", "pending"])
def test_silence_is_missing_where_the_cluster_was_silent_altogether(name: str) -> None:
    whole = getattr(quiet_evidence(NOW), name)
    assert sign(verdict_on(sparse(**{name: without(whole, 10, 16)})), "scheduled") is Sign.MISSING
    assert sign(verdict_on(sparse(**{name: EMPTY})), "scheduled") is Sign.MISSING


def test_silence_is_missing_where_zeros_are_reported_otherwise() -> None:
    message = sparse().scheduled_before
    first = message.points[0][0] - HOUR
    zero = replace(message, points=((first, 0.0), *message.points))
    assert sign(verdict_on(sparse(scheduled_before=zero)), "scheduled") is Sign.MISSING


def test_silence_is_missing_where_pods_were_never_reported() -> None:
    assert sign(verdict_on(sparse(scheduled_before=Series(3600))), "scheduled") is Sign.MISSING


def test_an_earlier_cluster_of_the_same_name_tells_nothing() -> None:
    assert not verdict_on(sparse(scheduled_before=an_hourly_series(NOW - timedelta(days=20), 2.0, days=1))).idle


def test_a_night_without_requests_on_record_stays_unknown() -> None:
    hours = quiet_evidence(NOW).requests_before
    assert sign(verdict_on(sparse(requests_before=without(hours, -24, len(hours.points)))), "nights") is Sign.MISSING
