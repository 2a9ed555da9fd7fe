"""The objects in a cluster: the kinds there are, where each lives, and a store in memory.

An object that stands for something in AWS (a LoadBalancer Service, an Ingress, a claim for a volume) is put in with
what its controller would delete; deleting it only marks it, and it goes when the controller has done that.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object and its place in the API."""

    plural: str
    kind: str
    api_version: str = "v1"
    namespaced: bool = True

    @property
    def root(self) -> str:
        """The path of its API group."""
        return f"/api/{self.api_version}" if self.api_version == "v1" else f"/apis/{self.api_version}"


KINDS = {
    kind.plural: kind
    for kind in (
        Kind("nodes", "Node", namespaced=False),
        Kind("namespaces", "Namespace", namespaced=False),
        Kind("services", "Service"),
        Kind("pods", "Pod"),
        Kind("jobs", "Job", "batch/v1"),
        Kind("cronjobs", "CronJob", "batch/v1"),
        Kind("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v2"),
        Kind("persistentvolumeclaims", "PersistentVolumeClaim"),
        Kind("persistentvolumes", "PersistentVolume", namespaced=False),
        Kind("ingresses", "Ingress", "networking.k8s.io/v1"),
        Kind("nodepools", "NodePool", "karpenter.sh/v1", namespaced=False),
    )
}
_BUILT_IN_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


@dataclass(slots=True)
class Stored:
    """An object and the AWS calls by which its controller cleans up: {service, operation, parameters}."""

    object: Object
    owns: list[dict[str, Any]] = field(default_factory=list)


class Objects:
    """One cluster's objects by kind, namespace ("" for kinds without) and name."""

    def __init__(self, now: datetime) -> None:
        self._stored: dict[tuple[str, str, str], Stored] = {}
        for name in _BUILT_IN_NAMESPACES:
            self.put("namespaces", {"metadata": {"name": name}}, [], now)

    def put(self, plural: str, given: Object, owns: list[dict[str, Any]], now: datetime) -> Object:
        """Store an object completed with what the API server adds, and return it; KeyError for an unknown kind."""
        kind = KINDS[plural]
        metadata = {
            "uid": str(uuid.uuid4()),
            "creationTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **({"namespace": "default"} if kind.namespaced else {}),
            **given["metadata"],
        }
        stored = {"apiVersion": kind.api_version, "kind": kind.kind, **given, "metadata": metadata}
        self._stored[(plural, metadata.get("namespace", ""), metadata["name"])] = Stored(stored, owns)
        return stored

    def list(self, plural: str, namespace: str | None) -> list[Object]:
        """Return the objects of a kind, of one namespace or of all."""
        found = [(key, stored) for key, stored in list(self._stored.items()) if key[0] == plural]
        return [stored.object for key, stored in found if namespace in (None, key[1])]

    def find(self, plural: str, namespace: str, name: str) -> Stored | None:
        """Return one object with what it owns."""
        return self._stored.get((plural, namespace, name))

    def remove(self, plural: str, namespace: str, name: str) -> None:
        """Forget an object."""
        self._stored.pop((plural, namespace, name), None)
