"""Everything an operation may touch: the clusters that exist, time, pending work, faults, and the rest of AWS.

One lock guards it all, for requests and for jobs, so an operation reads as if it were alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from emulator.core.actors import EKS, Actor
from emulator.core.clients import AwsClients
from emulator.core.clock import EmulatorClock
from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, invalid_request, not_found
from emulator.eks.http.tokens import Tokens
from emulator.eks.state.calendar import Calendar
from emulator.eks.state.faults import Faults
from emulator.eks.state.jobs import Jobs
from emulator.eks.state.lag import Lag
from emulator.eks.state.state import Cluster

Operation = Callable[["World", Call], dict[str, Any]]


class KubernetesApi(Protocol):
    """EKS's interface to the Kubernetes API servers: one answers for each cluster from `add` until `remove`."""

    authority_data: str

    def attach(self, world: World) -> None:
        """Serve the clusters of this world."""

    def add(self, cluster: Cluster) -> str:
        """Start answering for this cluster and return its endpoint's URL."""

    def remove(self, cluster: Cluster) -> None:
        """Stop answering for this cluster."""

    def reset(self) -> None:
        """Stop answering for every cluster."""


class World:
    """The state of EKS in every account and region."""

    def __init__(self, clock: EmulatorClock, aws: AwsClients, kubernetes: KubernetesApi | None) -> None:
        self.clock = clock
        self.aws = aws
        self.kubernetes = kubernetes
        self.lock = threading.RLock()
        self.jobs = Jobs(clock, self.lock)
        self.calendar = Calendar()
        self.faults = Faults()
        self.lag = Lag(clock)
        self.tokens = Tokens()
        self.clusters: dict[tuple[str, str, str], Cluster] = {}

    def reset(self) -> None:
        """Forget everything, pending work and faults included."""
        with self.lock:
            self.jobs.cancel()
            self.faults.clear()
            self.lag.set(None)
            self.tokens = Tokens()
            self.clusters.clear()

    def cluster_of(self, call: Call) -> Cluster:
        """Return the cluster that the call names, or raise ResourceNotFoundException."""
        name = call.cluster_name
        found = self.clusters.get((call.caller.account, call.caller.region, name))
        if found is None:
            raise not_found(f"No cluster found for name: {name}.", clusterName=name)
        return found

    def ready_cluster_of(self, call: Call) -> Cluster:
        """Return the cluster if it accepts new parts, else raise as EKS does."""
        cluster = self.cluster_of(call)
        status = cluster.described["status"]
        if status in ("ACTIVE", "UPDATING"):
            return cluster
        if status == "DELETING":
            raise in_use(f"Cluster {cluster.name} is being deleted", clusterName=cluster.name)
        raise invalid_request(f"Cluster {cluster.name} is not in ACTIVE status", clusterName=cluster.name)

    def client(self, service: str, cluster: Cluster, actor: Actor = EKS) -> Any:
        """Return AWS's own client for the cluster's account and region, by default as EKS's service-linked role."""
        return self.aws.client(service, cluster.account, cluster.region, actor)
