"""Collects the evidence of one lab while its sources are read; becomes `Evidence` of `domain/idleness/evidence.py`.

Every source writes its own fields, so that several may work on the same lab at once. A failing source records that
here and does not affect the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence, reason_of
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.idleness.evidence import BalancerUse, Evidence, KubernetesUse, NodegroupUse, Series, Sighting
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import Lab


@dataclass(frozen=True)
class MetricWindow:
    """The time span that is read, its ends on whole periods of five minutes. `now`: the time of the read."""

    start: datetime
    end: datetime
    now: datetime


@dataclass
class GroupSeen:
    """A node group with its Auto Scaling groups for CloudWatch, and its launch template."""

    use: NodegroupUse
    auto_scaling_groups: tuple[str, ...]
    launch_template: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Reading:
    """One lab's evidence while it is being read. `cluster`: EKS's description, None without one with the lab's tag."""

    lab: Lab
    cluster: ClusterState | None = None
    groups: list[GroupSeen] = field(default_factory=list)
    fargate_profiles: int = 0
    instances_outside: int = 0
    outside_types: tuple[str, ...] = ()
    measured_hosts: tuple[str, ...] = ()
    volumes: int | None = None
    balancers: list[BalancerUse] = field(default_factory=list)
    series: dict[str, Series] = field(default_factory=dict)
    kubernetes: KubernetesUse | None = None
    kubernetes_problem: str = ""
    audit_human: Sighting | None = None
    owner_call: Sighting | None = None
    unread: list[str] = field(default_factory=list)

    @property
    def audit_on(self) -> bool:
        """Whether the lab requested the audit log."""
        return "audit" in self.lab.spec.log_types

    def miss(self, source: str, why: str | BaseException) -> None:
        """Record once that a source did not answer."""
        told = reason_of(why) if isinstance(why, BaseException) else why
        message = Sentence("{what}: {reason}", what=source, reason=told)
        if message not in self.unread:
            self.unread.append(message)

    def evidence(self, window: MetricWindow) -> Evidence:
        """The evidence so far."""
        cluster = self.cluster
        return Evidence(
            lab_id=self.lab.id,
            read_at=window.now,
            window_from=window.start,
            cluster_status=cluster.status if cluster else None,
            cluster_version=cluster.version if cluster else "",
            cluster_tags=dict(cluster.tags) if cluster else {},
            deletion_protection=cluster is not None and cluster.deletion_protection,
            nodegroups=tuple(group.use for group in self.groups),
            instances_outside=self.instances_outside,
            outside_types=self.outside_types,
            measured_hosts=self.measured_hosts,
            fargate_profiles=self.fargate_profiles,
            balancers=tuple(self.balancers),
            volumes=self.volumes,
            kubernetes=self.kubernetes,
            kubernetes_problem=self.kubernetes_problem,
            audit_on=self.audit_on,
            audit_human=self.audit_human,
            owner_call=self.owner_call,
            unread=tuple(sorted(self.unread)),
            **self.series,
        )


def noting(source: str, readings: Iterable[Reading], ask: Callable[[], None]) -> None:
    """Call `ask`; AWS's refusals and failures are recorded with each of these labs."""
    try:
        ask()
    except EkslabError as error:
        for reading in readings:
            reading.miss(source, error)
