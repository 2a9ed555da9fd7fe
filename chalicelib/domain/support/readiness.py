"""Obstacles to a cluster's next minor version: insights, add-ons and nodes, each with its remedy.

Called by the digest and the API. EKS looks back 30 days at deprecated calls, so a fix stays red that long: `ECHO` marks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.support.assessment import minor
from chalicelib.domain.support.fleet import AddonAtNext, FleetCluster, Insight, InsightStatus, NodeKind, Nodes

#: Insights are refreshed once a day; a call within two days of the refresh counts as continuing.
STILL = timedelta(hours=48)


#: Made for one minor each and always upgraded after the control plane: a step of the commands, no obstacle.
_FOLLOWS = frozenset({"kube-proxy"})


class BlockerLevel(StrEnum):
    """The severity of an obstacle, most severe first."""

    BLOCKS = "blocks"
    WARNS = "warns"
    ECHO = "echo"


@dataclass(frozen=True)
class Blocker:
    """One obstacle. `sentence` is for people; `resources` are Kubernetes URIs or ARNs, as EKS returned them."""

    level: BlockerLevel
    name: str
    sentence: str
    resources: tuple[str, ...] = ()


def next_version(version: str) -> str | None:
    """The next minor, as upgrades go one at a time; None for a text that is not a version."""
    parts = minor(version)
    return f"{parts[0]}.{parts[1] + 1}" if len(parts) == 2 else None


def still_calling(insight: Insight, now: datetime) -> bool | None:
    """Whether a deprecated API is still being called; None for an insight that is not about calls."""
    if insight.last_called_at is None:
        return None
    looked = min(utc(insight.refreshed_at or now), utc(now))
    return looked - utc(insight.last_called_at) <= STILL


def blockers(cluster: FleetCluster, now: datetime) -> tuple[Blocker, ...]:
    """All obstacles to the next minor version, most severe first."""
    found = [*_insights(cluster, now), *_addons(cluster), *_nodes(cluster)]
    return tuple(sorted(found, key=lambda blocker: (list(BlockerLevel).index(blocker.level), blocker.name)))


def _insights(cluster: FleetCluster, now: datetime) -> Iterator[Blocker]:
    for insight in cluster.insights:
        if insight.status in (InsightStatus.ERROR, InsightStatus.WARNING):
            calling = still_calling(insight, now)
            level = BlockerLevel.BLOCKS if insight.status is InsightStatus.ERROR else BlockerLevel.WARNS
            yield Blocker(
                BlockerLevel.ECHO if calling is False else level,
                insight.name,
                _calls(insight, calling, _said_by_eks(insight)),
                insight.resources,
            )


def _said_by_eks(insight: Insight) -> str:
    """The insight in EKS's own words."""
    return f"{insight.name}: {insight.reason.rstrip('. ')}." if insight.reason else f"{insight.name}."


def _calls(insight: Insight, calling: bool | None, finding: str) -> str:
    if calling is None or insight.last_called_at is None:
        return finding
    who = ", ".join(insight.clients) or Sentence("a client that EKS does not name")
    slots: dict[str, str] = {"finding": finding, "who": who, "day": f"{utc(insight.last_called_at):%Y-%m-%d}"}
    if calling:
        return Sentence("{finding} Still called by {who}, last on {day}.", **slots)
    return Sentence(
        "{finding} Last called on {day} by {who}: an echo of the past 30 days, nothing calls it now.", **slots
    )


def _addons(cluster: FleetCluster) -> Iterator[Blocker]:
    target = next_version(cluster.version)
    for addon in cluster.addons:
        if not addon.runs_on_next and addon.name not in _FOLLOWS:
            yield Blocker(BlockerLevel.BLOCKS, addon.name, _does_not_run(addon, target or ""))


def _does_not_run(addon: AddonAtNext, target: str) -> Sentence:
    slots = {"name": addon.name, "version": addon.version, "target": target}
    if addon.compatible_version:
        return Sentence(
            "Add-on {name} {version} does not run on {target}; {other} does.", **slots, other=addon.compatible_version
        )
    return Sentence("Add-on {name} {version} does not run on {target}; no version that does is known to EKS.", **slots)


def _nodes(cluster: FleetCluster) -> Iterator[Blocker]:
    target = next_version(cluster.version)
    for nodes in behind(target, cluster.nodes) if target else ():
        if not nodes.within:
            yield Blocker(
                BlockerLevel.BLOCKS,
                nodes.nodes.name,
                Sentence("Against {target}: {nodes}", target=target or "", nodes=nodes.sentence),
            )


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
        """The skew for people, and the remedy."""
        slots: dict[str, str | int] = {"who": self._who(), "version": self.control_plane}
        if self.minors < 0:
            return Sentence("{who} is newer than the control plane {version}, which Kubernetes never allows.", **slots)
        slots |= {"n": self.minors, "allowed": self.allowed, "remedy": self._remedy()}
        if self.within:
            return Sentence(
                "{who} is {n} minor version older than the control plane {version}; {allowed} are allowed: {remedy}.",
                "{who} is {n} minor versions older than the control plane {version}; {allowed} are allowed: {remedy}.",
                **slots,
            )
        return Sentence(
            "{who} is {n} minor version older than the control plane {version}; only {allowed} are allowed: {remedy}.",
            "{who} is {n} minor versions older than the control plane {version}; only {allowed} are allowed: {remedy}.",
            **slots,
        )

    def _who(self) -> Sentence:
        slots: dict[str, str | int] = {
            "name": self.nodes.name,
            "count": self.nodes.count,
            "version": self.nodes.version or "",
        }
        match self.nodes.kind:
            case NodeKind.MANAGED:
                return Sentence("node group {name} ({count} on {version})", **slots)
            case NodeKind.SELF_MANAGED:
                return Sentence("self-managed group {name} ({count} on {version})", **slots)
            case NodeKind.FARGATE:
                return Sentence("Fargate profile {name} ({count} on {version})", **slots)

    def _remedy(self) -> Sentence:
        match self.nodes.kind:
            case NodeKind.MANAGED:
                return Sentence("update the node group")
            case NodeKind.SELF_MANAGED:
                return Sentence("replace the instances with ones of a newer image")
            case NodeKind.FARGATE:
                return Sentence("restart its pods")


def allowed_skew(control_plane: str) -> int:
    """The number of minors by which a kubelet may be older than this API server."""
    return 3 if minor(control_plane) >= (1, 28) else 2


def behind(control_plane: str, nodes: Iterable[Nodes]) -> tuple[Behind, ...]:
    """The nodes that are not on the control plane's minor version, furthest behind first, without those of unknown version."""
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
