"""The support calendar, from EKS and from the bundled table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.aws.eks.clusters import EksClusters
from chalicelib.aws.eks.versions import _TABLE, BUNDLED, LIVE
from chalicelib.domain.support.calendar import SupportStatus
from emulator.process import Sandbox
from tests.fakes.builders import NOW, a_calendar


@pytest.fixture
def eks() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("eks", "ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield client, stubber


def a_row(version: str, standard: datetime, **more: Any) -> dict[str, Any]:
    return {"clusterVersion": version, "clusterType": "eks", "endOfStandardSupportDate": standard} | more


def test_every_page_is_asked_for_with_unsupported_versions(eks: tuple[Any, Stubber]) -> None:
    client, stubber = eks
    day = datetime(2027, 8, 2, tzinfo=UTC)
    rows = [a_row(version, day, endOfExtendedSupportDate=day) for version in ("1.36", "1.28")]
    stubber.add_response(
        "describe_cluster_versions", {"clusterVersions": rows[:1], "nextToken": "more"}, {"includeAll": True}
    )
    stubber.add_response(
        "describe_cluster_versions", {"clusterVersions": rows[1:]}, {"includeAll": True, "nextToken": "more"}
    )
    calendar = EksClusters(client, lambda: NOW).versions()
    assert [entry.version for entry in calendar.versions] == ["1.36", "1.28"]
    assert (calendar.source, calendar.as_of) == (LIVE, NOW)
    stubber.assert_no_pending_responses()


def test_the_version_of_a_lab_that_names_none_is_eks_s_own_default(eks: tuple[Any, Stubber]) -> None:
    client, stubber = eks
    day = datetime(2027, 8, 2, tzinfo=UTC)
    rows = [a_row("1.37", day), a_row("1.36", day, defaultVersion=True), a_row("1.35", day)]
    stubber.add_response("describe_cluster_versions", {"clusterVersions": rows})
    calendar = EksClusters(client, lambda: NOW).versions()
    usual, newest = calendar.default(NOW), calendar.newest_standard(NOW)
    assert (usual and usual.version, newest and newest.version) == ("1.36", "1.37")


def test_dates_are_utc_whatever_the_machine_s_zone(eks: tuple[Any, Stubber]) -> None:
    client, stubber = eks
    west = timezone(timedelta(hours=-8))
    ends = datetime(2026, 12, 1, 16, 0, tzinfo=west)
    stubber.add_response("describe_cluster_versions", {"clusterVersions": [a_row("1.34", ends)]})
    (entry,) = EksClusters(client, lambda: NOW).versions().versions
    assert entry.end_of_standard.isoformat() == "2026-12-02T00:00:00+00:00"


def test_without_an_end_of_extended_support_none_is_promised(eks: tuple[Any, Stubber]) -> None:
    client, stubber = eks
    ends = datetime(2026, 11, 1, tzinfo=UTC)
    stubber.add_response("describe_cluster_versions", {"clusterVersions": [a_row("1.34", ends)]})
    (entry,) = EksClusters(client, lambda: NOW).versions().versions
    assert entry.status_at(NOW) is SupportStatus.UNSUPPORTED


def test_outposts_versions_and_dateless_ones_are_left_out(eks: tuple[Any, Stubber]) -> None:
    client, stubber = eks
    day = datetime(2027, 8, 2, tzinfo=UTC)
    rows = [a_row("1.36", day), a_row("1.35", day) | {"clusterType": "eks-local-outposts"}, {"clusterVersion": "1.38"}]
    stubber.add_response("describe_cluster_versions", {"clusterVersions": rows})
    assert [entry.version for entry in EksClusters(client, lambda: NOW).versions().versions] == ["1.36"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ServerException"])
def test_where_eks_does_not_answer_the_bundled_table_does_and_says_so(eks: tuple[Any, Stubber], code: str) -> None:
    client, stubber = eks
    stubber.add_client_error("describe_cluster_versions", code)
    calendar = EksClusters(client, lambda: NOW).versions()
    assert (calendar.source, calendar.as_of) == (BUNDLED, datetime(2026, 11, 23, tzinfo=UTC))
    assert calendar.get("1.36") == a_calendar().get("1.36")


def test_an_empty_calendar_is_no_calendar(eks: tuple[Any, Stubber]) -> None:
    client, stubber = eks
    stubber.add_response("describe_cluster_versions", {"clusterVersions": []})
    assert EksClusters(client, lambda: NOW).versions().source == BUNDLED


def test_the_bundled_table_ends_support_later_than_it_begins() -> None:
    for row in json.loads(_TABLE.read_text())["versions"]:
        assert row["release"] < row["endOfStandardSupport"] < row["endOfExtendedSupport"]


def test_the_sandbox_s_calendar_has_the_dates_of_the_bundled_one(sandbox: Sandbox) -> None:
    live = EksClusters(sandbox.client("eks"), lambda: NOW).versions()
    assert live.source == LIVE
    dates = {entry.version: (entry.end_of_standard, entry.end_of_extended) for entry in live.versions}
    for entry in a_calendar().versions:
        assert dates[entry.version] == (entry.end_of_standard, entry.end_of_extended)
