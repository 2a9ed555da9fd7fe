"""Insights: EKS's findings about a cluster. Tests put them here, in the form of DescribeInsight's answer.

A refresh takes two minutes and finds the state at its end; asking again meanwhile returns the one under way.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from emulator.eks.http import model
from emulator.eks.http.answers import written_by
from emulator.eks.http.call import Call
from emulator.eks.http.errors import not_found
from emulator.eks.http.pages import page
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster, Described
from emulator.eks.state.world import Operation, World


def put_insights(world: World, place: tuple[str, str, str], given: Sequence[Mapping[str, Any]]) -> int:
    """Replace the insights of (account, region, cluster); return how many there are. ValueError if the model forbids one."""
    cluster = world.clusters.get(place)
    if cluster is None:
        raise ValueError(f"there is no cluster {'/'.join(place)}")
    insights = [_checked(row, world.clock.now()) for row in given]
    with world.lock:
        cluster.insights = {row["id"]: row for row in insights}
    return len(insights)


def list_insights(world: World, call: Call) -> dict[str, Any]:
    """Return the summaries of the insights that the filter lets through."""
    wanted = call.given.get("filter", {})
    found = [_summary(row) for row in world.cluster_of(call).insights.values() if _passes(row, wanted)]
    return page(call, "insights", found)


def describe_insight(world: World, call: Call) -> dict[str, Any]:
    """Return one insight whole."""
    cluster = world.cluster_of(call)
    insight = cluster.insights.get(call.given["id"])
    if insight is None:
        raise not_found(f"No insight found with ID {call.given['id']}", clusterName=cluster.name)
    return {"insight": insight}


def start_insights_refresh(world: World, call: Call) -> dict[str, Any]:
    """Start a refresh, or return the one under way."""
    cluster = world.cluster_of(call)
    under_way = cluster.insights_refresh
    if under_way is None or under_way["status"] != "IN_PROGRESS":
        under_way = {"status": "IN_PROGRESS", "message": "Insights refresh started", "startedAt": world.clock.now()}
        cluster.insights_refresh = under_way
        world.jobs.after(durations.REFRESH_INSIGHTS, partial(_finish_refresh, world, cluster, under_way))
    return {"message": under_way["message"], "status": under_way["status"]}


def describe_insights_refresh(world: World, call: Call) -> dict[str, Any]:
    """Return the latest refresh."""
    cluster = world.cluster_of(call)
    if cluster.insights_refresh is None:
        raise not_found(f"No insights refresh found for cluster {cluster.name}", clusterName=cluster.name)
    return dict(cluster.insights_refresh)


def _finish_refresh(world: World, cluster: Cluster, refresh: Described) -> None:
    now = world.clock.now()
    refresh.update(status="COMPLETED", message="Insights refresh completed", endedAt=now)
    for insight in cluster.insights.values():
        insight["lastRefreshTime"] = now


def _passes(insight: Described, wanted: Mapping[str, Sequence[str]]) -> bool:
    facts = {
        "categories": insight["category"],
        "kubernetesVersions": insight.get("kubernetesVersion"),
        "statuses": insight["insightStatus"]["status"],
    }
    return all(facts[name] in values for name, values in wanted.items() if values)


def _summary(insight: Described) -> Described:
    members = model.shape("InsightSummary").members
    return {name: value for name, value in insight.items() if name in members}


def _checked(given: Mapping[str, Any], now: datetime) -> Described:
    """An insight with the members that all have; its instants are ISO 8601 in the route's JSON."""
    shape = model.shape("Insight")
    whole = {
        "id": str(uuid.uuid4()),
        "category": "UPGRADE_READINESS",
        "insightStatus": {"status": "ERROR"},
        "lastRefreshTime": now.isoformat(),
        **given,
    }
    insight: Described = _with_instants(shape, whole)
    try:
        written_by(shape, insight, "insight")
    except TypeError as wrong:
        raise ValueError(str(wrong)) from wrong
    return insight


def _with_instants(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        known = {name: shape.members.get(name) for name in value}
        return {name: item if (of := known[name]) is None else _with_instants(of, item) for name, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_with_instants(shape.member, item) for item in value]
    if shape.type_name == "timestamp" and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


OPERATIONS: dict[str, Operation] = {
    "ListInsights": list_insights,
    "DescribeInsight": describe_insight,
    "StartInsightsRefresh": start_insights_refresh,
    "DescribeInsightsRefresh": describe_insights_refresh,
}
