"""The API servers: the cluster of a request, the check of its network and user, and the objects.

`put` simulates the use of a cluster.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from emulator.eks.access.authorization import is_known
from emulator.eks.http.refusals import gone_is_fine
from emulator.eks.kubernetes.answers import Reply, Request
from emulator.eks.kubernetes.api import Server
from emulator.eks.kubernetes.kinds import KINDS
from emulator.eks.kubernetes.listener import Listener
from emulator.eks.kubernetes.objects import Object, Objects
from emulator.eks.kubernetes.wire.certificates import Authority
from emulator.eks.kubernetes.wire.tokens import Login, login_of
from emulator.eks.kubernetes.workloads import furnish
from emulator.eks.state import durations
from emulator.eks.state.state import Cluster
from emulator.eks.state.world import World

FAULT = "KubernetesApi"


class KubernetesServers:
    """One listener on 127.0.0.1 (a free port for 0), one API server for each cluster under a path of its own."""

    def __init__(self, port: int = 0) -> None:
        authority = Authority()
        self.authority_data = authority.data
        self._clusters: dict[str, tuple[Cluster, Objects]] = {}
        self._listener = Listener(port, authority.server_context(), self._reply)
        self._world: World | None = None

    def attach(self, world: World) -> None:
        """Serve the clusters of this world."""
        self._world = world

    def add(self, cluster: Cluster) -> str:
        """Start answering for this cluster and return its endpoint URL."""
        now = self._of_world().clock.now()
        objects = Objects(now)
        furnish(cluster, objects, now)
        self._clusters[cluster.endpoint_id] = (cluster, objects)
        return f"https://127.0.0.1:{self._listener.port}/{cluster.endpoint_id}"

    def remove(self, cluster: Cluster) -> None:
        """Stop answering for this cluster."""
        self._clusters.pop(cluster.endpoint_id, None)

    def reset(self) -> None:
        """Stop answering for every cluster."""
        self._clusters.clear()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def put(
        self,
        account: str,
        region: str,
        cluster: str,
        plural: str,
        given: Object,
        owns: Sequence[dict[str, Any]] = (),
    ) -> Object:
        """Put an object into a cluster, with the AWS calls its controller makes when it is deleted.

        `plural` is the kind as in paths, e.g. `services`; each of `owns` is {service, operation, parameters} of boto3.
        Raises ValueError for an unknown kind or cluster.
        """
        objects = self._objects_of(account, region, cluster)
        if plural not in KINDS:
            raise ValueError(f"no kind {plural}, there are {', '.join(KINDS)}")
        return objects.put(plural, given, list(owns), self._of_world().clock.now())

    def forget(self, account: str, region: str, cluster: str, label: str) -> int:
        """Forget a cluster's objects that carry a label; return how many. Raises ValueError for an unknown cluster."""
        found: list[Object] = []

        def is_labelled(_plural: str, thing: Object) -> bool:
            labelled = label in thing["metadata"].get("labels", {})
            found.extend([thing] if labelled else [])
            return labelled

        self._objects_of(account, region, cluster).remove_where(is_labelled)
        return len(found)

    def _objects_of(self, account: str, region: str, cluster: str) -> Objects:
        for found, objects in self._clusters.values():
            if (found.account, found.region, found.name) == (account, region, cluster):
                return objects
        raise ValueError(f"no ACTIVE cluster {cluster} in {region} of {account}")

    def _reply(self, request: Request) -> Reply | None:
        endpoint_id, _, path = request.path.lstrip("/").partition("/")
        found = self._clusters.get(endpoint_id)
        if found is None or not self._lets_in(found[0], request.address):
            return None
        cluster, objects = found
        now = self._of_world().clock.now()
        version = self._of_world().calendar.find(cluster.described["version"], now)
        git_version = f"v{version.patch(now)}-eks-0a1b2c3" if version else "v0"
        login, cleanup = partial(self._login, cluster), partial(self._clean_up, cluster, objects)
        server = Server(cluster, objects, git_version, now, login, cleanup)
        return server.answer(replace(request, path=f"/{path}"))

    def _lets_in(self, cluster: Cluster, address: str) -> bool:
        if self._of_world().faults.loses_answer(FAULT, cluster.name):
            return False
        config, caller = cluster.vpc_config, ipaddress.ip_address(address)
        allowed = [ipaddress.ip_network(cidr) for cidr in config["publicAccessCidrs"]]
        return bool(config["endpointPublicAccess"]) and any(caller in network for network in allowed)

    def _login(self, cluster: Cluster, token: str) -> Login | None:
        login = login_of(token, cluster.name, self._of_world().aws.endpoint_url)
        return None if login is None or not is_known(cluster, login.principal) else login

    def _clean_up(self, cluster: Cluster, objects: Objects, plural: str, namespace: str, name: str) -> None:
        if plural == "namespaces":
            self._of_world().jobs.after(durations.NAMESPACE_ENDS, partial(_end_namespace, objects, name))
            return
        act = partial(self._controller_acts, cluster, objects, plural, namespace, name)
        self._of_world().jobs.after(durations.CONTROLLER_CLEANUP, act)

    def _controller_acts(self, cluster: Cluster, objects: Objects, plural: str, namespace: str, name: str) -> None:
        stored = objects.find(plural, namespace, name)
        if stored is None or not cluster.has_ready_nodes():
            return
        for owned in stored.owns:
            client = self._of_world().client(owned["service"], cluster)
            with gone_is_fine():
                getattr(client, owned["operation"])(**owned["parameters"])
        objects.remove(plural, namespace, name)

    def _of_world(self) -> World:
        if self._world is None:
            raise RuntimeError("attach a world before clusters are added")
        return self._world


def _end_namespace(objects: Objects, name: str) -> None:
    """Drop a namespace with all that is in it."""
    objects.remove_where(lambda _plural, each: each["metadata"].get("namespace") == name)
    objects.remove("namespaces", "", name)
