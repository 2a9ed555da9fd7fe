"""Events of controllers, the scheduler and the kubelet, which `kubectl get events` and `describe` show.

The words are Kubernetes' own (pkg/controller/deployment, replicaset, pkg/scheduler, pkg/kubelet/events). They are kept an hour, as
the API server does by default (`--event-ttl`).
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from emulator.eks.kubernetes.objects import Object, Objects

_KEPT = timedelta(hours=1)


def tell(
    objects: Objects, about: Object, reason: str, message: str, now: datetime, source: str, kind: str = "Normal"
) -> None:
    """Record an event of an object; delete events older than an hour."""
    metadata, instant = about["metadata"], now.strftime("%Y-%m-%dT%H:%M:%SZ")
    space = metadata.get("namespace", "default")
    involved = {
        "kind": about["kind"],
        "apiVersion": about["apiVersion"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    event = {
        "metadata": {"name": f"{metadata['name']}.{secrets.token_hex(8)}", "namespace": space},
        "involvedObject": {**involved, "namespace": space, "resourceVersion": metadata["resourceVersion"]},
        "reason": reason,
        "message": message,
        "type": kind,
        "count": 1,
        "firstTimestamp": instant,
        "lastTimestamp": instant,
        "source": {"component": source},
        "reportingComponent": source,
        "reportingInstance": "",
    }
    oldest = (now - _KEPT).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    objects.remove_where(lambda plural, each: plural == "events" and each.get("lastTimestamp", oldest) < oldest)
    objects.put("events", event, [], now)


def tell_scaled(objects: Objects, deployment: Object, replica_set: str, before: int, after: int, now: datetime) -> None:
    """Record that a deployment's replica set has another size."""
    how = "up" if after > before else "down"
    message = f"Scaled {how} replica set {replica_set} from {before} to {after}"
    tell(objects, deployment, "ScalingReplicaSet", message, now, "deployment-controller")


def tell_started(objects: Objects, pod: Object, now: datetime) -> None:
    """Record that a pod was assigned to a node, and its containers were started there."""
    name, spec = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}", pod["spec"]
    message = f"Successfully assigned {name} to {spec['nodeName']}"
    tell(objects, pod, "Scheduled", message, now, "default-scheduler")
    for container in spec.get("containers", []):
        image = f'Container image "{container.get("image", "")}" already present on machine'
        tell(objects, pod, "Pulled", image, now, "kubelet")
        tell(objects, pod, "Created", f"Created container: {container['name']}", now, "kubelet")
        tell(objects, pod, "Started", f"Started container {container['name']}", now, "kubelet")


def tell_unschedulable(objects: Objects, pod: Object, now: datetime) -> None:
    """Record that no node fits a pod."""
    message = "no nodes available to schedule pods"
    tell(objects, pod, "FailedScheduling", message, now, "default-scheduler", "Warning")
