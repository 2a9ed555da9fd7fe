"""The calendar answers as DescribeClusterVersions does, at any date."""

from __future__ import annotations

from datetime import UTC, datetime

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
