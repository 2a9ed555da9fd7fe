"""The calendar has DescribeClusterVersions's answers, at any date."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from emulator.eks.state.calendar import STANDARD, UNSUPPORTED, Calendar
from tests.emulator.eks.conftest import Bench


def listed(bench: Bench, **filters: object) -> dict[str, str]:
    answer = bench.client("eks").describe_cluster_versions(**filters)
    return {version["clusterVersion"]: version["versionStatus"] for version in answer["clusterVersions"]}


def test_a_bare_call_lists_what_is_supported(bench: Bench) -> None:
    bench.clock.set(datetime(2026, 11, 23, 12, tzinfo=UTC))
    versions = listed(bench)
    assert versions["1.34"] == "STANDARD_SUPPORT"
    assert versions["1.31"] == "EXTENDED_SUPPORT"
    assert "1.28" not in versions
    assert listed(bench, includeAll=True)["1.28"] == "UNSUPPORTED"


def test_a_version_ends_at_midnight_utc_of_its_day(bench: Bench) -> None:
    bench.clock.set(datetime(2026, 11, 25, 23, 59, 50, tzinfo=UTC))
    assert listed(bench)["1.31"] == "EXTENDED_SUPPORT"
    bench.clock.set(datetime(2026, 11, 26, tzinfo=UTC))
    assert "1.31" not in listed(bench)


def test_exactly_one_version_is_the_default_and_clusters_get_it(bench: Bench) -> None:
    answer = bench.client("eks").describe_cluster_versions(defaultOnly=True)["clusterVersions"]
    assert len(answer) == 1
    assert bench.create_cluster()["version"] == answer[0]["clusterVersion"]


def test_versions_come_in_pages(bench: Bench) -> None:
    pager = bench.client("eks").get_paginator("describe_cluster_versions")
    pages = list(pager.paginate(includeAll=True, PaginationConfig={"PageSize": 5}))
    assert len(pages) > 2
    assert len({version["clusterVersion"] for page in pages for version in page["clusterVersions"]}) >= 16


@pytest.mark.parametrize("day", ["2026-11-23", "2027-12-01", "2027-12-15", "2029-01-01", "2040-06-30"])
def test_the_calendar_never_ends(day: str) -> None:
    now = datetime.fromisoformat(day).replace(tzinfo=UTC)
    calendar = Calendar()
    released = calendar.released(now)
    alive = [version for version in released if version.status(now) != UNSUPPORTED]
    assert calendar.default(now).status(now) == STANDARD
    assert 3 <= sum(version.status(now) == STANDARD for version in released) <= 5
    assert 6 <= len(alive) <= 10
    assert [version.minor for version in released] == sorted({version.minor for version in released}, reverse=True)
    assert calendar.find(released[0].name, now) == released[0]
