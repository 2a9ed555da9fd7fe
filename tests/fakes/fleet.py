"""EKS in many accounts and regions, in memory, with all failures that the support watch may meet.

`add` adds clusters; `break_cluster` and `break_place` make them unreadable until mended; `vanish` makes one that is listed and
gone when described.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone
from chalicelib.domain.support.calendar import Calendar, SupportStatus
from chalicelib.domain.support.fleet import AddonAtNext, FleetCluster, Insight, InsightStatus
from tests.fakes.account import Account, port
from tests.fakes.builders import a_calendar

PlaceId = tuple[str, str]


@dataclass
class FakeFleets:
    """Every place. Broken ones raise their error on each call until mended; `updates` are the requested policies."""

    account: Account
    calendar: Calendar = field(default_factory=a_calendar)
    page_size: int = 100
    clusters: dict[ClusterKey, FleetCluster] = field(default_factory=dict)
    insights: dict[ClusterKey, tuple[Insight, ...]] = field(default_factory=dict)
    addons: dict[ClusterKey, tuple[AddonAtNext, ...]] = field(default_factory=dict)
    vanished: set[ClusterKey] = field(default_factory=set)
    broken_clusters: dict[ClusterKey, Exception] = field(default_factory=dict)
    broken_places: dict[PlaceId, Exception] = field(default_factory=dict)
    refreshed: list[ClusterKey] = field(default_factory=list)
    updates: list[tuple[ClusterKey, str]] = field(default_factory=list)
    assumed: list[Place] = field(default_factory=list)

    def __call__(self, place: Place) -> FakeFleet:
        """The fleet of one place, as `Watch.fleet`."""
        self.assumed.append(place)
        return FakeFleet(self.account, self, place)

    def add(self, *clusters: FleetCluster) -> None:
        """Add clusters, or replace them."""
        self.clusters |= {cluster.key: cluster for cluster in clusters}

    def remove(self, key: ClusterKey) -> None:
        """Delete one."""
        del self.clusters[key]

    def vanish(self, *keys: ClusterKey) -> None:
        """Make these listed, and gone when described."""
        self.vanished |= set(keys)

    def upgrade(self, key: ClusterKey, version: str) -> FleetCluster:
        """Upgrade a control plane; its nodes keep their version, and its insights are a day old."""
        self.clusters[key] = replace(self.clusters[key], version=version)
        return self.clusters[key]

    def break_cluster(self, key: ClusterKey, error: Exception) -> None:
        """Make every read of this cluster raise."""
        self.broken_clusters[key] = error

    def break_place(self, place: Place, error: Exception) -> None:
        """Make every read of this place raise."""
        self.broken_places[place.account, place.region] = error

    def mend(self, *keys: ClusterKey) -> None:
        """Make these clusters readable again; without arguments, all clusters and places."""
        for key in keys or tuple(self.broken_clusters):
            self.broken_clusters.pop(key, None)
        if not keys:
            self.broken_places.clear()


@dataclass
class FakeFleet:
    """Implements the Fleet port over one place of `FakeFleets`."""

    account: Account
    fleets: FakeFleets
    place: Place
    port_name: str = "fleet"

    @port
    def calendar(self) -> Calendar:
        return self.fleets.calendar

    @port
    def names(self, cursor: str | None) -> tuple[tuple[str, ...], str | None]:
        self._check_place()
        mine = sorted(key.name for key in self._here(self.fleets.clusters) | self._here(self.fleets.vanished))
        start = int(base64.b64decode(cursor)) if cursor else 0
        end = start + self.fleets.page_size
        more = base64.b64encode(str(end).encode()).decode() if end < len(mine) else None
        return tuple(mine[start:end]), more

    @port
    def expect(self, names: Sequence[str]) -> None:
        """This fake reads nothing in advance."""

    @port
    def read(self, name: str) -> FleetCluster:
        return self._cluster(name, "eks:DescribeCluster")

    @port
    def insights(self, name: str, refresh: bool) -> tuple[Insight, ...]:
        key = self._cluster(name, "eks:ListInsights").key
        if refresh:
            self.fleets.refreshed.append(key)
        found = self.fleets.insights.get(key, ())
        return tuple(insight for insight in found if insight.status is not InsightStatus.PASSING)

    @port
    def addons_at(self, name: str, version: str) -> tuple[AddonAtNext, ...]:
        return self.fleets.addons.get(self._cluster(name, "eks:ListAddons").key, ())

    @port
    def set_support_policy(self, name: str, support_type: str) -> str:
        cluster = self._cluster(name, "eks:UpdateClusterConfig")
        entry = self.fleets.calendar.get(cluster.version)
        now = self.account.clock.now()
        if support_type == "STANDARD" and entry and entry.status_at(now) is not SupportStatus.STANDARD:
            message = f"Cluster {name} is in extended support: its support type cannot be changed to STANDARD."
            raise AwsRefused("eks:UpdateClusterConfig", "InvalidRequestException", message)
        self.fleets.clusters[cluster.key] = replace(cluster, support_type=support_type)
        self.fleets.updates.append((cluster.key, support_type))
        return f"update-{len(self.fleets.updates)}"

    def _cluster(self, name: str, operation: str) -> FleetCluster:
        self._check_place()
        key = ClusterKey(self.place.account, self.place.region, name)
        if key in self.fleets.broken_clusters:
            raise self.fleets.broken_clusters[key]
        if key in self.fleets.vanished or key not in self.fleets.clusters:
            raise ResourceGone(operation, "ResourceNotFoundException", f"No cluster found for name: {name}.")
        return self.fleets.clusters[key]

    def _check_place(self) -> None:
        error = self.fleets.broken_places.get((self.place.account, self.place.region))
        if error:
            raise error

    def _here(self, keys: Iterable[ClusterKey]) -> set[ClusterKey]:
        return {key for key in keys if (key.account, key.region) == (self.place.account, self.place.region)}


Change = Callable[[FleetCluster], FleetCluster]

#: Irregular answers of real accounts: each function gives a cluster one of them.
ODD: dict[str, Change] = {
    "no tags": lambda cluster: replace(cluster, tags={}),
    "no platform version": lambda cluster: replace(cluster, platform_version=None),
    "no policy": lambda cluster: replace(cluster, support_type=None),
    "no date of birth": lambda cluster: replace(cluster, created_at=None),
    "no nodes": lambda cluster: replace(cluster, nodes=()),
    "owner in capitals": lambda cluster: replace(cluster, tags={"Owner": "ops@example.com"}),
    "owner contact": lambda cluster: replace(cluster, tags={"OwnerContact": "ops@example.com"}),
    "older than any calendar": lambda cluster: replace(
        cluster, version="1.10", nodes=tuple(replace(nodes, version="1.9") for nodes in cluster.nodes)
    ),
    "newer than any calendar": lambda cluster: replace(cluster, version="1.99"),
    "nodes of an untold version": lambda cluster: replace(
        cluster, nodes=tuple(replace(nodes, version=None) for nodes in cluster.nodes)
    ),
    "being deleted": lambda cluster: replace(cluster, status="DELETING"),
    "failed": lambda cluster: replace(cluster, status="FAILED", version="1.34"),
}
