"""Lists as rows and columns, as kubectl prints them; a kind that has no columns here has its name and age."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from emulator.eks.kubernetes.kinds import Kind

Object = dict[str, Any]
Column = tuple[str, int, Callable[[Object], Any]]
"""A column's title, its priority (1: only `-o wide`), and an object's cell."""


def table(kind: Kind, objects: Iterable[Object], now: datetime, version: str = "") -> dict[str, Any]:
    """Return the objects as a Table."""
    columns = [
        (title, wide, (lambda found: age_of(found, now)) if cell is _AGE[2] else cell)
        for title, wide, cell in _columns(kind)
    ]
    definitions = [
        {
            "name": title,
            "type": "string",
            "format": "name" if title == "Name" else "",
            "description": "",
            "priority": wide,
        }
        for title, wide, _ in columns
    ]
    rows = [
        {
            "cells": [cell(found) for _, _, cell in columns],
            "object": {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": found["metadata"],
            },
        }
        for found in objects
    ]
    metadata = {"resourceVersion": version} if version else {}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _columns(kind: Kind) -> list[Column]:
    """Event names are shown only with `-o wide`."""
    name: Column = ("Name", 1 if kind.plural == "events" else 0, _name)
    columns = _COLUMNS.get(kind.plural, [_AGE])
    return [*columns, name] if kind.plural == "events" else [name, *columns]


def age_of(found: Object, now: datetime) -> str:
    """An object's age, in kubectl's form: 42s, 3m5s, 2h, 5d."""
    born = datetime.fromisoformat(found["metadata"].get("creationTimestamp", f"{now:%Y-%m-%dT%H:%M:%SZ}"))
    seconds = max(0, int((now.astimezone(UTC) - born).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    return f"{hours}h" if hours < 48 else f"{days}d"


def _name(found: Object) -> str:
    return str(found["metadata"]["name"])


def _at(*path: str, default: Any = "") -> Callable[[Object], Any]:
    def cell(found: Object) -> Any:
        value: Any = found
        for part in path:
            value = (value or {}).get(part)
        return default if value is None else value

    return cell


def _spec(name: str, default: Any = "<none>") -> Callable[[Object], Any]:
    return _at("spec", name, default=default)


def _status(name: str, default: Any = 0) -> Callable[[Object], Any]:
    return _at("status", name, default=default)


def _count(*path: str) -> Callable[[Object], int]:
    return lambda found: len(_at(*path, default=())(found))


def _node_status(found: Object) -> str:
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in found["status"]["conditions"])
    cordoned = ",SchedulingDisabled" if found["spec"].get("unschedulable") else ""
    return ("Ready" if ready else "NotReady") + cordoned


def _address(kind: str) -> Callable[[Object], str]:
    return lambda found: next(
        (each["address"] for each in found["status"].get("addresses", []) if each["type"] == kind), "<none>"
    )


def _ready_containers(found: Object) -> str:
    states = (found.get("status") or {}).get("containerStatuses", [])
    return f"{sum(bool(each.get('ready')) for each in states)}/{len((found.get('spec') or {}).get('containers', []))}"


def _pod_status(found: Object) -> str:
    status = found.get("status") or {}
    waiting = [each["state"]["waiting"]["reason"] for each in status.get("containerStatuses", []) if _waits(each)]
    return (
        "Terminating" if "deletionTimestamp" in found["metadata"] else (waiting or [status.get("phase", "Unknown")])[0]
    )


def _waits(container: Object) -> bool:
    return "reason" in ((container.get("state") or {}).get("waiting") or {})


def _restarts(found: Object) -> int:
    return sum(each.get("restartCount", 0) for each in (found.get("status") or {}).get("containerStatuses", []))


def _ports(found: Object) -> str:
    ports = (found.get("spec") or {}).get("ports", [])
    said = [f"{each['port']}{_node_port(each)}/{each.get('protocol', 'TCP')}" for each in ports]
    return ",".join(said) or "<none>"


def _node_port(port: Object) -> str:
    return f":{port['nodePort']}" if port.get("nodePort") else ""


def _external(found: Object) -> str:
    balancers = ((found.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    hosts = [each.get("hostname") or each.get("ip", "") for each in balancers]
    is_balancer = (found.get("spec") or {}).get("type") == "LoadBalancer"
    return ",".join(hosts) or ("<pending>" if is_balancer else "<none>")


def _of_desired(name: str) -> Callable[[Object], str]:
    return lambda found: f"{_status(name)(found)}/{_spec('replicas', 1)(found)}"


def _completions(found: Object) -> str:
    return f"{_status('succeeded')(found)}/{_spec('completions', 1)(found)}"


def _involved(found: Object) -> str:
    involved = found.get("involvedObject") or {}
    return f"{involved.get('kind', '').lower()}/{involved.get('name', '')}"


_AGE: Column = ("Age", 0, lambda _found: "")
_WORKLOAD: list[Column] = [
    ("Up-to-date", 0, _status("updatedReplicas")),
    ("Available", 0, _status("availableReplicas")),
]
_COLUMNS: dict[str, list[Column]] = {
    "nodes": [
        ("Status", 0, _node_status),
        ("Roles", 0, lambda _found: "<none>"),
        _AGE,
        ("Version", 0, _at("status", "nodeInfo", "kubeletVersion")),
        ("Internal-IP", 1, _address("InternalIP")),
        ("External-IP", 1, _address("ExternalIP")),
        ("OS-Image", 1, _at("status", "nodeInfo", "osImage")),
        ("Kernel-Version", 1, _at("status", "nodeInfo", "kernelVersion")),
        ("Container-Runtime", 1, _at("status", "nodeInfo", "containerRuntimeVersion")),
    ],
    "namespaces": [("Status", 0, _status("phase", "Active")), _AGE],
    "pods": [
        ("Ready", 0, _ready_containers),
        ("Status", 0, _pod_status),
        ("Restarts", 0, _restarts),
        _AGE,
        ("IP", 1, _status("podIP", "<none>")),
        ("Node", 1, _spec("nodeName")),
    ],
    "services": [
        ("Type", 0, _spec("type", "ClusterIP")),
        ("Cluster-IP", 0, _spec("clusterIP")),
        ("External-IP", 0, _external),
        ("Port(s)", 0, _ports),
        _AGE,
    ],
    "deployments": [("Ready", 0, _of_desired("readyReplicas")), *_WORKLOAD, _AGE],
    "statefulsets": [("Ready", 0, _of_desired("readyReplicas")), _AGE],
    "replicasets": [
        ("Desired", 0, _spec("replicas", 1)),
        ("Current", 0, _status("replicas")),
        ("Ready", 0, _status("readyReplicas")),
        _AGE,
    ],
    "daemonsets": [
        ("Desired", 0, _status("desiredNumberScheduled")),
        ("Current", 0, _status("currentNumberScheduled")),
        ("Ready", 0, _status("numberReady")),
        ("Up-to-date", 0, _status("updatedNumberScheduled")),
        ("Available", 0, _status("numberAvailable")),
        _AGE,
    ],
    "jobs": [("Completions", 0, _completions), _AGE],
    "cronjobs": [("Schedule", 0, _spec("schedule")), ("Suspend", 0, _spec("suspend", False)), _AGE],
    "configmaps": [("Data", 0, _count("data")), _AGE],
    "secrets": [("Type", 0, _at("type", default="Opaque")), ("Data", 0, _count("data")), _AGE],
    "persistentvolumeclaims": [
        ("Status", 0, _status("phase", "Pending")),
        ("Volume", 0, _spec("volumeName", "")),
        ("StorageClass", 0, _spec("storageClassName", "")),
        _AGE,
    ],
    "ingresses": [("Class", 0, _spec("ingressClassName")), ("Address", 0, _external), _AGE],
    "events": [
        ("Last Seen", 0, _AGE[2]),
        ("Type", 0, _at("type")),
        ("Reason", 0, _at("reason")),
        ("Object", 0, _involved),
        ("Source", 1, _at("source", "component")),
        ("Message", 0, _at("message")),
        ("Count", 1, _at("count")),
    ],
}
