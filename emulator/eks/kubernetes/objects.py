"""The objects in a cluster: a store in memory, with versions, and the deleted ones, for watches.

An object that stands for something in AWS (a LoadBalancer Service, an Ingress, a claim for a volume) is put in with the AWS calls
of its controller's cleanup; deleting it only marks it until the controller has made these.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.eks.kubernetes.kinds import KINDS, Kind

Object = dict[str, Any]
_BUILT_IN_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_MOST_DELETIONS = 500


@dataclass(slots=True)
class Stored:
    """An object and the AWS calls by which its controller cleans up: {service, operation, parameters}."""

    object: Object
    owns: list[dict[str, Any]] = field(default_factory=list)
    by_api: bool = False
    """Created over the API, so that the scheduler handles it; other objects stay as they were put in."""


class Objects:
    """One cluster's objects by kind, namespace ("" for kinds without) and name."""

    def __init__(self, now: datetime) -> None:
        self.lock = threading.RLock()
        self._stored: dict[tuple[str, str, str], Stored] = {}
        self._deleted: deque[tuple[int, str, Object]] = deque(maxlen=_MOST_DELETIONS)
        self.version = 1
        for name in _BUILT_IN_NAMESPACES:
            labels = {"kubernetes.io/metadata.name": name}
            given = {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Active"}}
            self.put("namespaces", {**given, "spec": {"finalizers": ["kubernetes"]}}, [], now)

    def put(self, plural: str, given: Object, owns: list[dict[str, Any]], now: datetime) -> Object:
        """Store an object completed with what the API server adds, and return it; KeyError for an unknown kind."""
        kind = KINDS[plural]
        metadata = {
            "uid": str(uuid.uuid4()),
            "creationTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "generation": 1,
            **({"namespace": "default"} if kind.namespaced else {}),
            **given["metadata"],
        }
        with self.lock:
            metadata["resourceVersion"] = self._next_version()
            stored = {"apiVersion": kind.api_version, "kind": kind.kind, **given, "metadata": metadata}
            self._stored[_key(kind, metadata)] = Stored(stored, owns)
        return stored

    def replace(self, kind: Kind, stored: Stored, new: Object) -> Object:
        """Replace an object; the API server's own members stay, and a new spec increases the generation."""
        with self.lock:
            before = stored.object
            kept = {key: before["metadata"][key] for key in ("uid", "creationTimestamp") if key in before["metadata"]}
            generation = before["metadata"].get("generation", 1) + (before.get("spec") != new.get("spec"))
            own = {**kept, "generation": generation, "resourceVersion": self._next_version()}
            metadata = {**new["metadata"], **own}
            stored.object = {**new, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
            return stored.object

    def touch(self, stored_object: Object) -> None:
        """Give an object that was changed in place a new version."""
        with self.lock:
            stored_object["metadata"]["resourceVersion"] = self._next_version()

    def made_by_api(self, plural: str) -> Sequence[Object]:
        """The objects of a kind that somebody made over the API."""
        return [each.object for key, each in list(self._stored.items()) if key[0] == plural and each.by_api]

    def list(self, plural: str, namespace: str | None) -> list[Object]:
        """Return the objects of a kind, of one namespace or of all."""
        found = [(key, stored) for key, stored in list(self._stored.items()) if key[0] == plural]
        return [stored.object for key, stored in found if namespace in (None, key[1])]

    def find(self, plural: str, namespace: str, name: str) -> Stored | None:
        """Return one object with its dependents."""
        return self._stored.get((plural, namespace, name))

    def remove(self, plural: str, namespace: str, name: str) -> None:
        """Forget an object."""
        with self.lock:
            gone = self._stored.pop((plural, namespace, name), None)
            if gone:
                self._deleted.append((int(self._next_version()), plural, gone.object))

    def remove_where(self, gone: Callable[[str, Object], bool]) -> None:
        """Forget every object for which `gone` says so, by its kind's plural and itself."""
        for (plural, namespace, name), stored in list(self._stored.items()):
            if gone(plural, stored.object):
                self.remove(plural, namespace, name)

    def deleted_since(self, plural: str, version: int) -> Sequence[tuple[int, Object]]:
        """The objects of a kind deleted after a version, oldest first."""
        return [(at, gone) for at, of, gone in list(self._deleted) if of == plural and at > version]

    def _next_version(self) -> str:
        self.version += 1
        return str(self.version)


def _key(kind: Kind, metadata: Object) -> tuple[str, str, str]:
    return kind.plural, metadata["namespace"] if kind.namespaced else "", metadata["name"]
