"""Insights: the sandbox's clusters have none."""

from __future__ import annotations

from typing import Any

from sandbox.eks.call import Call
from sandbox.eks.errors import not_found
from sandbox.eks.pages import page
from sandbox.eks.world import Operation, World


def list_insights(world: World, call: Call) -> dict[str, Any]:
    """Return no insights of a cluster that exists."""
    world.cluster_of(call)
    return page(call, "insights", [])


def describe_insight(world: World, call: Call) -> dict[str, Any]:
    """Raise ResourceNotFoundException."""
    cluster = world.cluster_of(call)
    raise not_found(f"No insight found with ID {call.given['id']}", clusterName=cluster.name)


OPERATIONS: dict[str, Operation] = {"ListInsights": list_insights, "DescribeInsight": describe_insight}
