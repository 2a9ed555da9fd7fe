"""Reads the use of many clusters of one region in as few calls as AWS's APIs allow: the port `Signals`.

Read per cluster: EKS, its own API server, its audit log. Read once for all: EC2, load balancers, CloudWatch, and
CloudTrail for each owner. A source that fails for a lab is in that lab's `unread`, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.clients.calls import every, tags_of
from chalicelib.aws.eks.calls import EksCalls
from chalicelib.aws.idleness.audit_log import AuditLog
from chalicelib.aws.idleness.cloudtrail import find_owner_calls
from chalicelib.aws.idleness.ec2 import count_volumes, find_balancers, find_machines
from chalicelib.aws.idleness.evidence import GroupSeen, MetricWindow, Reading, noting
from chalicelib.aws.idleness.kubernetes import KubernetesUseReading
from chalicelib.aws.idleness.series import PERIOD, read_series
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.idleness.evidence import Evidence, NodegroupUse, Source
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.teardown.adoption import TaggedCluster
from chalicelib.domain.teardown.evidence import LAB_TAG


class ClusterReading(EksCalls):
    """Reads EKS's facts of one cluster after another; may be called by several threads.

    A cluster of the lab's name without the lab's tag is somebody else's: it counts as missing.
    """

    def read(self, reading: Reading) -> None:
        """Fill in EKS's facts. Unreadable parts are recorded; a missing cluster is no failure."""
        noting(Source.CLUSTER, [reading], lambda: self._describe(reading))
        if reading.cluster is not None:
            noting(Source.CLUSTER, [reading], lambda: self._nodegroups(reading))
            noting(Source.CLUSTER, [reading], lambda: self._fargate(reading))

    def _describe(self, reading: Reading) -> None:
        try:
            cluster = self.describe(reading.lab.name)
        except ResourceGone:
            return
        if cluster.tags.get(LAB_TAG) == reading.lab.id:
            reading.cluster = cluster

    def _nodegroups(self, reading: Reading) -> None:
        reading.groups += (_seen(name, group) for name, group in self.described_nodegroups(reading.lab.name))

    def _fargate(self, reading: Reading) -> None:
        names = self.listed("ListFargateProfiles", "fargateProfileNames", clusterName=reading.lab.name)
        reading.fargate_profiles = len(names)


def _seen(name: str, group: dict[str, Any]) -> GroupSeen:
    use = NodegroupUse(
        name=name,
        status=group.get("status", ""),
        nodes=int((group.get("scalingConfig") or {}).get("desiredSize", 0)),
        instance_types=tuple(group.get("instanceTypes") or ()),
        ami_type=str(group.get("amiType") or ""),
    )
    scaling = (group.get("resources") or {}).get("autoScalingGroups") or []
    return GroupSeen(use, tuple(each["name"] for each in scaling), group.get("launchTemplate") or {})


#: Threads for the reads per cluster.
_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class SignalClients:
    """The boto3 clients of one region for reading signals."""

    eks: Any
    cloudwatch: Any
    ec2: Any
    elbv2: Any
    elb: Any
    tagging: Any
    logs: Any
    cloudtrail: Any


class AwsSignals:
    """Implements the port `Signals`. `kubernetes_token(cluster)` creates a bearer token for a cluster's API server, of the role
    that `view_role()` names."""

    def __init__(
        self, clients: SignalClients, kubernetes_token: Callable[[str], str], view_role: Callable[[], str]
    ) -> None:
        self._clients, self._token, self._view_role = clients, kubernetes_token, view_role

    def read(self, labs: Sequence[Lab], now: datetime, window: timedelta) -> Mapping[str, Evidence]:
        """Evidence by lab id over the window that ends at `now`, on whole five minutes. `unread` lists AWS's refusals."""
        stretch = MetricWindow(_whole(now - window), _whole(now), now)
        readings = [Reading(lab) for lab in labs]
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(ClusterReading(self._clients.eks).read, readings))
            known = [reading for reading in readings if reading.cluster is not None]
            if known:
                self._read_known(pool, known, stretch)
        return {reading.lab.id: reading.evidence(stretch) for reading in readings}

    def tagged_clusters(self) -> tuple[TaggedCluster, ...]:
        """Every cluster with the lab's tag. The tagging API may list deleted ones. Raises AwsRefused, Transient."""
        request = {"ResourceTypeFilters": ["eks:cluster"], "TagFilters": [{"Key": LAB_TAG}], "ResourcesPerPage": 100}
        return tuple(
            map(_tagged, every(self._clients.tagging, "tag:GetResources", "ResourceTagMappingList", **request))
        )

    def _read_known(self, pool: Executor, readings: Sequence[Reading], window: MetricWindow) -> None:
        """CloudWatch comes last: it needs the node groups and the balancers."""
        clients = self._clients
        regional: tuple[tuple[str, Callable[[], None]], ...] = (
            (Source.INSTANCES, lambda: find_machines(clients.ec2, readings)),
            (Source.VOLUMES, lambda: count_volumes(clients.ec2, readings)),
            (Source.BALANCERS, lambda: find_balancers(clients.tagging, clients.elbv2, clients.elb, readings)),
        )
        machines = [pool.submit(noting, source, readings, ask) for source, ask in regional]
        calls = pool.submit(find_owner_calls, clients.cloudtrail, readings, window)
        audited = [reading for reading in readings if reading.audit_on]
        people = pool.submit(noting, Source.AUDIT, audited, lambda: self._read_audit(audited, window))
        inside = [pool.submit(KubernetesUseReading(self._token).read, reading) for reading in readings]
        for done in machines:
            done.result()
        read_series(clients.cloudwatch, readings, window)
        for done in (calls, people, *inside):
            done.result()

    def _read_audit(self, readings: Sequence[Reading], window: MetricWindow) -> None:
        if not readings:
            return
        log = AuditLog(self._clients.logs, self._view_role())
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(lambda reading: log.read(reading, window), readings))


def _whole(instant: datetime) -> datetime:
    seconds = int(instant.timestamp())
    return datetime.fromtimestamp(seconds - seconds % PERIOD, UTC)


def _tagged(row: Mapping[str, Any]) -> TaggedCluster:
    arn = row["ResourceARN"]
    return TaggedCluster(arn, arn.rpartition(":cluster/")[2], arn.split(":")[3], tags_of(row))
