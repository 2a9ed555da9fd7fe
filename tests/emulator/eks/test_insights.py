"""Insights: put, listed by filter, described in full, refreshed; those outside the model are refused."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from emulator.eks.clusters.insights import put_insights
from tests.emulator.eks.conftest import REGION, Bench

CALLS = {
    "id": "calls",
    "name": "Deprecated APIs removed in Kubernetes v1.35",
    "kubernetesVersion": "1.35",
    "insightStatus": {"status": "ERROR", "reason": "Deprecated API usage detected within last 30 days."},
    "categorySpecificSummary": {
        "deprecationDetails": [
            {
                "usage": "/apis/policy/v1beta1/podsecuritypolicies",
                "clientStats": [{"userAgent": "velero", "lastRequestTime": "2026-11-22T23:00:00+09:00"}],
            }
        ]
    },
}
SKEW = {"id": "skew", "insightStatus": {"status": "PASSING"}}
OTHER = {"id": "other", "category": "MISCONFIGURATION", "insightStatus": {"status": "WARNING"}}


def put(bench: Bench, *insights: dict[str, object]) -> None:
    assert put_insights(bench.eks.world, (bench.account, REGION, "myeks"), insights) == len(insights)


def ids(bench: Bench, **filters: list[str]) -> list[str]:
    listed = bench.client("eks").list_insights(clusterName="myeks", filter=filters)["insights"]
    return [row["id"] for row in listed]


def test_a_cluster_has_the_insights_that_were_put_and_a_filter_chooses_among_them(bench: Bench) -> None:
    bench.active_cluster()
    assert ids(bench) == []
    put(bench, CALLS, SKEW, OTHER)
    assert ids(bench) == ["calls", "skew", "other"]
    assert ids(bench, statuses=["ERROR", "WARNING"]) == ["calls", "other"]
    assert ids(bench, categories=["UPGRADE_READINESS"]) == ["calls", "skew"]
    assert ids(bench, categories=["UPGRADE_READINESS"], statuses=["WARNING"]) == []
    assert ids(bench, kubernetesVersions=["1.35"]) == ["calls"]
    put(bench, SKEW)
    assert ids(bench) == ["skew"]


def test_an_insight_is_listed_in_short_and_described_whole(bench: Bench) -> None:
    bench.active_cluster()
    put(bench, CALLS)
    (listed,) = bench.client("eks").list_insights(clusterName="myeks")["insights"]
    assert "categorySpecificSummary" not in listed
    described = bench.client("eks").describe_insight(clusterName="myeks", id="calls")["insight"]
    (detail,) = described["categorySpecificSummary"]["deprecationDetails"]
    assert detail["clientStats"][0]["lastRequestTime"].timestamp() == 1795356000
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        bench.client("eks").describe_insight(clusterName="myeks", id="none")


def test_a_refresh_takes_its_time_and_looks_at_all_there_is(bench: Bench) -> None:
    bench.active_cluster()
    eks = bench.client("eks")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        eks.describe_insights_refresh(clusterName="myeks")
    put(bench, {**CALLS, "lastRefreshTime": "2026-01-01T00:00:00Z"})
    assert eks.start_insights_refresh(clusterName="myeks")["status"] == "IN_PROGRESS"
    done = bench.until(
        lambda: eks.describe_insights_refresh(clusterName="myeks"), lambda refresh: refresh["status"] == "COMPLETED"
    )
    described = eks.describe_insight(clusterName="myeks", id="calls")["insight"]
    assert described["lastRefreshTime"] == done["endedAt"]


@pytest.mark.parametrize(
    "insight", [{"colour": "red"}, {"insightStatus": {"status": "BAD"}}, {"lastRefreshTime": "soon"}, {"id": 7}]
)
def test_an_insight_that_the_model_does_not_know_is_refused(bench: Bench, insight: dict[str, object]) -> None:
    bench.active_cluster()
    with pytest.raises(ValueError):
        put_insights(bench.eks.world, (bench.account, REGION, "myeks"), [insight])
    with pytest.raises(ValueError, match="no cluster"):
        put_insights(bench.eks.world, (bench.account, REGION, "none"), [])
