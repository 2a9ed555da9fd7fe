"""Activities of clusters over time, and the cluster that each metric belongs to.

A metric names a cluster, one of its Auto Scaling groups, or a load balancer that carries its tags. A cluster without a set
activity has none; neither has a cluster that does not exist.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from emulator.cloudwatch.profiles import LASTING, PROFILES, Profile, rate
from emulator.core.clock import EmulatorClock
from emulator.services.tagging import balancer_tags

if TYPE_CHECKING:
    from emulator.eks.state.state import Cluster
    from emulator.eks.state.world import World

Place = tuple[str, str, str]
"""Account, region and name of a cluster."""
_EVER = datetime(2000, 1, 1, tzinfo=UTC)
#: Age of an activity that was set without a start.
_USUALLY = timedelta(hours=6)
#: Sampling interval within a period, in seconds: activity changes no faster.
_SAMPLE = 300


History = tuple[tuple[int, str], ...]
"""Profiles in the order of their beginnings, each with the second of the epoch from which it holds."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a metric: a cluster, with the nodes that matter to the metric, and its activities."""

    name: str
    nodes: int
    history: History

    def profile_at(self, second: int) -> Profile:
        """The activity at a second of the epoch."""
        index = bisect_right(self.history, second, key=itemgetter(0)) - 1
        return PROFILES[self.history[index][1] if index >= 0 else "idle"]

    def value(self, metric: str, statistic: str, start: int, period: int) -> float | None:
        """The statistic of the period from a second of the epoch on; None if CloudWatch has no data."""
        step = min(period, _SAMPLE)
        sampled = (
            rate(self.profile_at(at), metric, self.name, self.nodes, at) for at in range(start, start + period, step)
        )
        rates = [each for each in sampled if each is not None]
        match statistic:
            case _ if not rates:
                return None
            case "Average":
                return sum(rates) / len(rates)
            case "Maximum":
                return max(rates)
            case "Minimum":
                return min(rates)
            case _:
                return sum(rates) * step / 60


class Activities:
    """The activities of every cluster, in order of their beginnings."""

    def __init__(self, clock: EmulatorClock, world: World) -> None:
        self._clock, self._world = clock, world
        self._by_place: dict[Place, History] = {}

    def set(self, place: Place, profile: str, since: datetime | None = None) -> datetime:
        """Start a profile at `since`, in place of the one before; return its start. ValueError for an unknown profile.

        Without `since`, `idle`, `silent` and `gaps` have no start; the others started six hours ago.
        """
        if profile not in PROFILES:
            raise ValueError(f"no profile {profile}, there are {', '.join(PROFILES)}")
        if since is None:
            since = _EVER if profile in LASTING else self._clock.now() - _USUALLY
        second = int(since.timestamp())
        earlier = [entry for entry in self._by_place.get(place, ()) if entry[0] < second]
        self._by_place[place] = (*earlier, (second, profile))
        return since

    def subject(self, account: str, region: str, dimensions: Mapping[str, str]) -> Subject | None:
        """The cluster that these dimensions name, if it has an activity."""
        for (of_account, of_region, name), history in list(self._by_place.items()):
            cluster = self._world.clusters.get((of_account, of_region, name))
            if (of_account, of_region) != (account, region) or cluster is None:
                continue
            nodes = _nodes_meant(cluster, dimensions)
            if nodes is not None:
                return Subject(name, nodes, history)
        return None


def _nodes_meant(cluster: Cluster, dimensions: Mapping[str, str]) -> int | None:
    """The number of nodes that the metric covers; None for another cluster's metric."""
    match dict(dimensions):
        case {"ClusterName": name}:
            return sum(_sizes(cluster).values()) if name == cluster.name else None
        case {"AutoScalingGroupName": group}:
            return _sizes(cluster).get(group)
        case {"LoadBalancer": balancer} | {"LoadBalancerName": balancer}:
            return 0 if balancer in _balancers(cluster) else None
        case _:
            return None


def _sizes(cluster: Cluster) -> dict[str, int]:
    return {
        scaling["name"]: int(group.described["scalingConfig"]["desiredSize"])
        for group in list(cluster.nodegroups.values())
        for scaling in (group.described.get("resources") or {}).get("autoScalingGroups", [])
    }


def _balancers(cluster: Cluster) -> set[str]:
    return {arn.partition(":loadbalancer/")[2] for arn, tags in balancer_tags() if _speaks_for(cluster.name, tags)}


def _speaks_for(name: str, tags: list[dict[str, Any]]) -> bool:
    pairs = {(tag["Key"], tag["Value"]) for tag in tags}
    return not pairs.isdisjoint({("elbv2.k8s.aws/cluster", name), (f"kubernetes.io/cluster/{name}", "owned")})
