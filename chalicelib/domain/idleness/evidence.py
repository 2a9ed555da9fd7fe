"""Evidence of a cluster's use: series of numbers, counts and last times, and the unreadable sources. No judgement here.

`aws/idleness/reader.py` gathers it, `domain/idleness/judge.py` judges it. A source that was asked and did not answer is in
`unread`; one that does not apply (no balancer, audit log off, Kubernetes not reachable from here) is None or empty, and no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence


@dataclass(frozen=True)
class Series:
    """`points`: (start of the period in UTC, value), oldest first; periods without data are omitted. `period` in seconds."""

    period: int
    points: tuple[tuple[datetime, float], ...] = ()

    @property
    def values(self) -> tuple[float, ...]:
        """The numbers without their times."""
        return tuple(value for _, value in self.points)


NO_SERIES = Series(300)


@dataclass(frozen=True)
class NodegroupUse:
    """A managed node group. CPU in percent (mean of its ASG), network in bytes per period (sum over its instances).

    `instance_types`: of its machines, empty if neither EKS, EC2 nor its launch template returned them; then `ami_type` may help.
    `machines`: the type of each machine that was seen. `vcpus`: of all its present machines; None if they were not seen.
    `cpu_before`: hourly, up to a week back, for its baseline; empty if not requested, and then there is no baseline.
    """

    name: str
    status: str
    nodes: int
    instance_types: tuple[str, ...]
    ami_type: str = ""
    machines: tuple[str, ...] = ()
    vcpus: int | None = None
    cpu: Series = NO_SERIES
    network_in: Series = NO_SERIES
    network_out: Series = NO_SERIES
    cpu_before: Series = Series(3600)

    @property
    def there(self) -> int:
        """The number of machines: the desired ones, or more that keep running (scale-in protection, suspended processes)."""
        return max(self.nodes, len(self.machines))


@dataclass(frozen=True)
class BalancerUse:
    """A load balancer of the cluster's. `kind`: application, network or classic. `traffic`: requests, or flows, per period.

    `lasting`: connections open at a time; `opened`: those that were opened in a period.
    CloudWatch reports requests only if there are any: an empty series is zero, not a gap.
    """

    arn: str
    kind: str
    traffic: Series = NO_SERIES
    lasting: Series = NO_SERIES
    opened: Series = NO_SERIES

    @property
    def name(self) -> str:
        """The name that people know it by."""
        parts = self.arn.partition(":loadbalancer/")[2].split("/")
        return parts[1] if len(parts) > 1 else parts[0] or self.arn


@dataclass(frozen=True)
class KubernetesUse:
    """The answer of the cluster's own API server. Names are `namespace/name`, without system namespaces.

    `scaled_to_zero`: HorizontalPodAutoscalers that have scaled their workload to no pods and wait for work.
    `waiting_jobs`: unfinished Jobs without a pod now: between two tries, or held back by a queue.
    `finite_pods`: pods that will finish (restartPolicy Never or OnFailure, a deadline, or an owner that is no lasting workload);
    `undisturbed_pods`: pods whose annotations forbid ending them. `hosts`: the addresses of the nodes with user pods, without
    DaemonSets'. `untold`: the lists that it did not return, with the reason; their contents are unknown.
    """

    running_jobs: tuple[str, ...] = ()
    waiting_jobs: tuple[str, ...] = ()
    cron_jobs: tuple[str, ...] = ()
    user_pods: int = 0
    pending_pods: int = 0
    crash_looping: int = 0
    volume_claims: int = 0
    scaled_to_zero: tuple[str, ...] = ()
    finite_pods: tuple[str, ...] = ()
    undisturbed_pods: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sighting:
    """The last time a person was seen, and who. `did`: the action, if it is not the source's usual one."""

    who: str
    at: datetime
    did: str = ""


@dataclass(frozen=True)
class Evidence:
    """One cluster over the window that ends at `read_at`. `..._before`: hourly, up to a week back, for its own baseline.

    `cluster_status`: EKS's word, None if EKS knows no such cluster (with the lab's tag). `outside_types`: of the machines in no
    managed node group, one each. `requests`: API-server requests
    per period. `scheduled`: pods placed per period; `pending`: pods waiting. `instances_outside`: running instances of the
    cluster in no managed node group (Karpenter's, self-managed). `measured_hosts`: addresses of the machines in the node
    groups, whose use CloudWatch measures. `audit_human` and `owner_call`: None if nobody was
    seen in the window; `audit_on`: whether the audit log is on.
    """

    lab_id: str
    read_at: datetime
    window_from: datetime
    cluster_status: str | None = None
    cluster_version: str = ""
    cluster_tags: Mapping[str, str] = field(default_factory=dict)
    deletion_protection: bool = False
    requests: Series = NO_SERIES
    requests_before: Series = Series(3600)
    scheduled: Series = NO_SERIES
    scheduled_before: Series = Series(3600)
    pending: Series = NO_SERIES
    nodegroups: tuple[NodegroupUse, ...] = ()
    instances_outside: int = 0
    outside_types: tuple[str, ...] = ()
    measured_hosts: tuple[str, ...] = ()
    fargate_profiles: int = 0
    balancers: tuple[BalancerUse, ...] = ()
    volumes: int | None = None
    kubernetes: KubernetesUse | None = None
    kubernetes_problem: str = ""
    audit_on: bool = False
    audit_human: Sighting | None = None
    owner_call: Sighting | None = None
    unread: tuple[str, ...] = ()


class Source:
    """The beginning of a line of `unread`: `<source>: <why>`."""

    CLUSTER = Sentence("EKS cluster")
    CLUSTER_METRICS = Sentence("AWS/EKS metrics")
    NODE_METRICS = Sentence("AWS/EC2 metrics")
    INSTANCES = Sentence("EC2 instances")
    VOLUMES = Sentence("EBS volumes")
    BALANCERS = Sentence("load balancers")
    AUDIT = Sentence("audit log")
    OWNER_CALLS = "CloudTrail"


def with_zeros(evidence: Evidence) -> Evidence:
    """The evidence with zeros for pods placed in periods for which the scheduler and the API server published their other metrics.

    Only if pods were placed in the week before, and no zero was ever published.
    """
    message = (*evidence.scheduled_before.values, *evidence.scheduled.values)
    if not evidence.scheduled_before.points or min(message) <= 0:
        return evidence
    waiting, asked = _instants(evidence.pending), _instants(evidence.requests)
    return replace(
        evidence,
        scheduled=_filled(evidence.scheduled, waiting & asked),
        scheduled_before=_filled(evidence.scheduled_before, _instants(evidence.requests_before)),
    )


def _instants(series: Series) -> frozenset[datetime]:
    return frozenset(at for at, _ in series.points)


def _filled(series: Series, instants: Iterable[datetime]) -> Series:
    points = {**dict.fromkeys(instants, 0.0), **dict(series.points)}
    return Series(series.period, tuple(sorted(points.items())))
