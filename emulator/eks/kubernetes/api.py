"""The Kubernetes REST API in small: /version, and get, list and delete of the kinds that are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from emulator.eks.access.authorization import may
from emulator.eks.kubernetes.objects import KINDS, Kind, Object, Objects
from emulator.eks.state.state import Cluster, Node, Nodegroup

Reply = tuple[int, dict[str, Any] | str]
User = Callable[[str], str | None]
Cleanup = Callable[[str, str, str], None]
_REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed"}


@dataclass(frozen=True, slots=True)
class Request:
    """What came in: method, path with query, bearer token ("" without) and the caller's address."""

    method: str
    path: str
    token: str
    address: str


def answer(
    request: Request,
    path: str,
    cluster: Cluster,
    objects: Objects,
    git_version: str,
    user: User,
    cleanup: Cleanup,
) -> Reply:
    """Answer a request; `user` tells who a token is from, if the cluster knows them."""
    bare = urlsplit(path).path
    if bare == "/version":
        _, minor = cluster.described["version"].split(".")
        return 200, {"major": "1", "minor": minor, "gitVersion": git_version, "platform": "linux/amd64"}
    if bare in ("/healthz", "/livez", "/readyz"):
        return 200, "ok"
    principal = user(request.token)
    if principal is None:
        return _status(401, "Unauthorized")
    kind, namespace, name = _addressed(bare)
    if not may(cluster, principal, request.method, kind.plural if kind else None):
        return _status(403, f'forbidden: User "{principal}" cannot {request.method} path "{bare}"')
    if kind is None:
        return _status(404, "the server could not find the requested resource")
    _refresh_nodes(cluster, objects, git_version)
    return _on_kind(request.method, kind, namespace, name, objects, cleanup)


def _on_kind(
    method: str, kind: Kind, namespace: str | None, name: str | None, objects: Objects, cleanup: Cleanup
) -> Reply:
    if name is None:
        listed = {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "metadata": {}}
        return (
            (200, {**listed, "items": objects.list(kind.plural, namespace)})
            if method == "GET"
            else _status(405, method)
        )
    stored = objects.find(kind.plural, namespace or "", name)
    if stored is None:
        return _status(404, f'{kind.plural} "{name}" not found')
    if method == "DELETE" and stored.owns:
        stored.object["metadata"].setdefault("deletionTimestamp", stored.object["metadata"]["creationTimestamp"])
        cleanup(kind.plural, namespace or "", name)
    elif method == "DELETE":
        objects.remove(kind.plural, namespace or "", name)
    elif method != "GET":
        return _status(405, method)
    return 200, stored.object


def _addressed(path: str) -> tuple[Kind | None, str | None, str | None]:
    for kind in KINDS.values():
        inside = r"(?:/namespaces/(?P<namespace>[^/]+))?" if kind.namespaced else "(?P<namespace>)"
        found = re.fullmatch(f"{kind.root}{inside}/{kind.plural}(?:/(?P<name>[^/]+))?", path)
        if found:
            return kind, found["namespace"] or None, found["name"]
    return None, None, None


def _refresh_nodes(cluster: Cluster, objects: Objects, git_version: str) -> None:
    for known in objects.list("nodes", None):
        objects.remove("nodes", "", known["metadata"]["name"])
    for group in list(cluster.nodegroups.values()):
        for node in list(group.nodes):
            objects.put("nodes", _node(node, group, git_version), [], group.described["createdAt"])


def _node(node: Node, group: Nodegroup, git_version: str) -> Object:
    kubelet = (
        git_version if group.described["version"] in git_version else f"v{group.described['version']}.0-eks-0a1b2c3"
    )
    labels = {
        "eks.amazonaws.com/nodegroup": group.name,
        "topology.kubernetes.io/zone": node.zone,
        "kubernetes.io/hostname": node.name,
        **group.described["labels"],
    }
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return {
        "metadata": {"name": node.name, "labels": labels},
        "spec": {"providerID": f"aws:///{node.zone}/{node.instance_id}"},
        "status": {"conditions": [ready], "nodeInfo": {"kubeletVersion": kubelet}},
    }


def _status(code: int, message: str) -> Reply:
    status = {"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code}
    return code, {**status, "reason": _REASONS[code], "message": message}
