"""What stands in the way of a cluster's next minor version: insights, add-ons and nodes, each with what to do about it.

Called by the digest and the API. EKS looks back 30 days at deprecated calls, so a fix stays red that long: `ECHO` tells it apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import utc
from chalicelib.domain.support.assessment import minor
from chalicelib.domain.support.fleet import AddonAtNext, FleetCluster, Insight, InsightStatus, NodeKind, Nodes

#: Insights are refreshed once a day; who called within two days of the refresh is calling still.
STILL = timedelta(hours=48)


#: Made for one minor each and upgraded after the control plane, always: its turn is in the commands, it blocks nothing.
_FOLLOWS = frozenset({"kube-proxy"})
_REMEDY = {
    NodeKind.MANAGED: "update the node group",
    NodeKind.SELF_MANAGED: "replace the instances with ones of a newer image",
    NodeKind.FARGATE: "restart its pods",
}
_KIND = {
    NodeKind.MANAGED: "node group",
    NodeKind.SELF_MANAGED: "self-managed nodes",
    NodeKind.FARGATE: "Fargate profile",
}


class BlockerLevel(StrEnum):
    """How much it is in the way, most first."""

    BLOCKS = "blocks"
    WARNS = "warns"
    ECHO = "echo"


@dataclass(frozen=True)
class Blocker:
    """One thing in the way. `sentence` is for people; `resources` are Kubernetes URIs or ARNs, as EKS gave them."""

    level: BlockerLevel
    name: str
    sentence: str
    resources: tuple[str, ...] = ()


def next_version(version: str) -> str | None:
    """The next minor, as upgrades go one at a time; None for what is no version."""
    parts = minor(version)
    return f"{parts[0]}.{parts[1] + 1}" if len(parts) == 2 else None


def still_calling(insight: Insight, now: datetime) -> bool | None:
    """Whether a deprecated API is being called still; None for an insight that is not about calls."""
    if insight.last_called_at is None:
        return None
    looked = min(utc(insight.refreshed_at or now), utc(now))
    return looked - utc(insight.last_called_at) <= STILL


def blockers(cluster: FleetCluster, now: datetime) -> tuple[Blocker, ...]:
    """Everything in the way of the next minor version, what blocks first."""
    found = [*_insights(cluster, now), *_addons(cluster), *_nodes(cluster)]
    return tuple(sorted(found, key=lambda blocker: (list(BlockerLevel).index(blocker.level), blocker.name)))


def _insights(cluster: FleetCluster, now: datetime) -> Iterator[Blocker]:
    for insight in cluster.insights:
        if insight.status in (InsightStatus.ERROR, InsightStatus.WARNING):
            calling = still_calling(insight, now)
            level = BlockerLevel.BLOCKS if insight.status is InsightStatus.ERROR else BlockerLevel.WARNS
            words = f"{insight.name}: {insight.reason.rstrip('. ')}." if insight.reason else f"{insight.name}."
            yield Blocker(
                BlockerLevel.ECHO if calling is False else level,
                insight.name,
                words + _calls(insight, calling),
                insight.resources,
            )


def _calls(insight: Insight, calling: bool | None) -> str:
    if calling is None or insight.last_called_at is None:
        return ""
    last, who = (
        f"{utc(insight.last_called_at):%Y-%m-%d}",
        ", ".join(insight.clients) or "a client that EKS does not name",
    )
    if calling:
        return f" Still called by {who}, last on {last}."
    return f" Last called on {last} by {who}: an echo of the past 30 days, nothing calls it now."


def _addons(cluster: FleetCluster) -> Iterator[Blocker]:
    target = next_version(cluster.version)
    for addon in cluster.addons:
        if not addon.runs_on_next and addon.name not in _FOLLOWS:
            yield Blocker(BlockerLevel.BLOCKS, addon.name, f"{_addon(addon)} on {target}; {_remedy(addon)}")


def _addon(addon: AddonAtNext) -> str:
    return f"Add-on {addon.name} {addon.version} does not run"


def _remedy(addon: AddonAtNext) -> str:
    return f"{addon.compatible_version} does." if addon.compatible_version else "no version that does is known to EKS."


def _nodes(cluster: FleetCluster) -> Iterator[Blocker]:
    target = next_version(cluster.version)
    for nodes in behind(target, cluster.nodes) if target else ():
        if not nodes.within:
            yield Blocker(BlockerLevel.BLOCKS, nodes.nodes.name, f"Against {target}: {nodes.sentence}")


@dataclass(frozen=True)
class Behind:
    """Nodes that are not on the control plane's version. `minors`: how many older; negative means newer, which is never allowed."""

    nodes: Nodes
    control_plane: str
    minors: int
    allowed: int

    @property
    def within(self) -> bool:
        """Whether Kubernetes supports this skew."""
        return 0 <= self.minors <= self.allowed

    @property
    def sentence(self) -> str:
        """The skew for people, and what to do."""
        who = f"{_KIND[self.nodes.kind]} {self.nodes.name} ({self.nodes.count} on {self.nodes.version})"
        are = "are" if self.nodes.kind is NodeKind.SELF_MANAGED else "is"
        if self.minors < 0:
            return f"{who} {are} newer than the control plane {self.control_plane}, which Kubernetes never allows."
        older = "1 minor version" if self.minors == 1 else f"{self.minors} minor versions"
        limit = f"{self.allowed} are allowed" if self.within else f"only {self.allowed} are allowed"
        return f"{who} {are} {older} older than the control plane {self.control_plane}; {limit}: {_REMEDY[self.nodes.kind]}."


def allowed_skew(control_plane: str) -> int:
    """How many minors older than this API server a kubelet may be."""
    return 3 if minor(control_plane) >= (1, 28) else 2


def behind(control_plane: str, nodes: Iterable[Nodes]) -> tuple[Behind, ...]:
    """The nodes that are not on the control plane's minor version, furthest behind first; those of unknown version are left out."""
    server = minor(control_plane)
    if len(server) < 2:
        return ()
    allowed = allowed_skew(control_plane)
    found = [
        Behind(group, control_plane, server[1] - kubelet[1], allowed)
        for group in nodes
        if len(kubelet := minor(group.version or "")) > 1 and kubelet[:2] != server[:2]
    ]
    return tuple(sorted(found, key=lambda b: (b.within, -b.minors, b.nodes.name)))
