"""Reads the instances of many clusters of one place from EC2 together: EC2 limits calls per account and region.

An instance belongs to a cluster by the tag `kubernetes.io/cluster/NAME`, which its launcher wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Any

from chalicelib.aws.clients.calls import instances_of
from chalicelib.domain.errors.tree import AccessDenied, EkslabError

_ALIVE = {"Name": "instance-state-name", "Values": ["pending", "running"]}
#: EC2's most values of one filter.
_MOST = 200
Instances = list[dict[str, Any]]


class InstanceReading:
    """May be used by several threads. If the common read fails, each cluster is read by itself; a denial applies to all."""

    def __init__(self, ec2: Any) -> None:
        self._ec2, self._lock = ec2, Lock()
        self._names: tuple[str, ...] = ()
        self._found: dict[str, Instances] | EkslabError | None = None

    def expect(self, names: Iterable[str]) -> None:
        """Announce the next clusters."""
        self._names, self._found = tuple(names), None

    def of(self, cluster: str) -> Instances:
        """The cluster's running or pending instances. Raises EC2's errors."""
        if cluster not in self._names:
            return self._alone(cluster)
        with self._lock:
            if self._found is None:
                self._found = self._all()
            found = self._found
        if isinstance(found, AccessDenied):
            raise found
        if isinstance(found, EkslabError):
            return self._alone(cluster)
        return found.get(cluster, [])

    def _all(self) -> dict[str, Instances] | EkslabError:
        keys = {_tag(name): name for name in self._names}
        found: dict[str, Instances] = {}
        try:
            for start in range(0, len(keys), _MOST):
                wanted = {"Name": "tag-key", "Values": list(keys)[start : start + _MOST]}
                for instance in instances_of(self._ec2, [wanted, _ALIVE]):
                    for tag in instance.get("Tags", []):
                        if tag["Key"] in keys and tag["Value"] == "owned":
                            found.setdefault(keys[tag["Key"]], []).append(instance)
        except EkslabError as error:
            return error
        return found

    def _alone(self, cluster: str) -> Instances:
        return instances_of(self._ec2, [{"Name": _tag(cluster, "tag:"), "Values": ["owned"]}, _ALIVE])


def _tag(cluster: str, prefix: str = "") -> str:
    return f"{prefix}kubernetes.io/cluster/{cluster}"
