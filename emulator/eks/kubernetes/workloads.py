"""The work of a cluster's controllers at once: joining nodes, pods of workloads, their states, deletions with an owner.

It runs at every call of the API server, so callers see the state that a real cluster reaches a little later. Pods
are Running while there is a node for them, else Pending; nothing runs in them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from emulator.eks.kubernetes.events import tell, tell_scaled, tell_started, tell_unschedulable
from emulator.eks.kubernetes.objects import Object, Objects
from emulator.eks.state.state import Cluster, Node, Nodegroup

_SYSTEM = "kube-system"
_CONTROLLERS = {
    "ReplicaSet": "replicaset-controller",
    "StatefulSet": "statefulset-controller",
    "DaemonSet": "daemonset-controller",
}
_REGISTRY = "602401143452.dkr.ecr.{region}.amazonaws.com/eks"


def settle(cluster: Cluster, objects: Objects, git_version: str, now: datetime) -> None:
    """Run the controllers."""
    with objects.lock:
        _refresh_nodes(cluster, objects, git_version)
        _collect_orphans(objects)
        nodes = [each for each in objects.list("nodes", None) if not each["spec"].get("unschedulable")]
        for deployment in objects.list("deployments", None):
            _deploy(objects, deployment, now)
        for plural in ("replicasets", "statefulsets"):
            for owner in objects.list(plural, None):
                _scale(objects, plural, owner, nodes, now)
        for owner in objects.list("daemonsets", None):
            _spread(objects, owner, nodes, now)
        for deployment in objects.list("deployments", None):
            _report_deployment(objects, deployment)
        _start(objects, objects.made_by_api("pods"), nodes, now)


def furnish(cluster: Cluster, objects: Objects, now: datetime) -> None:
    """Add the objects of a new cluster: the service of its API server, and its networking and DNS workloads."""
    address = {"clusterIP": "10.100.0.1", "type": "ClusterIP", "ports": [_port("https", 443)]}
    objects.put("services", {"metadata": {"name": "kubernetes"}, "spec": address, "status": {}}, [], now)
    if not cluster.self_managed_addons and not cluster.addons:
        return
    registry = _REGISTRY.format(region=cluster.region)
    for name, image in (("aws-node", "amazon-k8s-cni"), ("kube-proxy", "kube-proxy")):
        objects.put("daemonsets", _workload(name, {"k8s-app": name}, f"{registry}/{image}"), [], now)
    dns = _workload("coredns", {"k8s-app": "kube-dns"}, f"{registry}/coredns")
    objects.put("deployments", {**dns, "spec": {**dns["spec"], "replicas": 2}}, [], now)
    spec = {"clusterIP": "10.100.0.10", "type": "ClusterIP", "selector": {"k8s-app": "kube-dns"}}
    service = {"metadata": {"name": "kube-dns", "namespace": _SYSTEM}, "spec": {**spec, "ports": [_port("dns", 53)]}}
    objects.put("services", {**service, "status": {}}, [], now)


def _workload(name: str, labels: dict[str, str], image: str) -> Object:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name, "namespace": _SYSTEM, "labels": labels}, "spec": spec}


def _port(name: str, port: int) -> Object:
    return {"name": name, "port": port, "targetPort": port, "protocol": "UDP" if port == 53 else "TCP"}


def _collect_orphans(objects: Objects) -> None:
    """Delete the objects of a deleted namespace, and those of a deleted owner."""
    spaces = {each["metadata"]["name"] for each in objects.list("namespaces", None)}
    owners = {each["metadata"].get("uid") for each in objects.list("deployments", None)}
    for plural in ("replicasets", "statefulsets", "daemonsets", "jobs"):
        owners |= {each["metadata"].get("uid") for each in objects.list(plural, None)}

    def is_orphan(_plural: str, found: Object) -> bool:
        metadata = found["metadata"]
        controlled = [each["uid"] for each in metadata.get("ownerReferences", []) if each.get("controller")]
        in_space = metadata.get("namespace")
        return bool(controlled and not owners & set(controlled)) or (
            _plural == "replicasets" and in_space not in spaces
        )

    for _ in range(2):  # Replica sets of a deployment first, then their pods.
        objects.remove_where(is_orphan)
        owners = {each["metadata"].get("uid") for each in _owners(objects)}


def _owners(objects: Objects) -> Iterator[Object]:
    for plural in ("deployments", "replicasets", "statefulsets", "daemonsets", "jobs"):
        yield from objects.list(plural, None)


def _deploy(objects: Objects, deployment: Object, now: datetime) -> None:
    """One replica set for each template that a deployment has had; all but the newest are empty."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    digest = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:10]
    name, space = f"{metadata['name']}-{digest}", metadata["namespace"]
    for other in _controlled(objects, "replicasets", deployment):
        if other["metadata"]["name"] != name:
            _resize(objects, deployment, other, 0, now)
    found = objects.find("replicasets", space, name)
    if found is None:
        labels = {**spec["template"].get("metadata", {}).get("labels", {}), "pod-template-hash": digest}
        template = {**spec["template"], "metadata": {**spec["template"].get("metadata", {}), "labels": labels}}
        own = {"name": name, "namespace": space, "labels": labels, "ownerReferences": [_owner(deployment)]}
        selector = {"matchLabels": labels}
        body = {"replicas": 0, "selector": selector, "template": template}
        made = objects.put("replicasets", {"metadata": own, "spec": body}, [], now)
        _resize(objects, deployment, made, spec.get("replicas", 1), now)
    else:
        _resize(objects, deployment, found.object, spec.get("replicas", 1), now)


def _resize(objects: Objects, deployment: Object, replica_set: Object, wanted: int, now: datetime) -> None:
    before = replica_set["spec"]["replicas"]
    if before != wanted:
        replica_set["spec"]["replicas"] = wanted
        objects.touch(replica_set)
        tell_scaled(objects, deployment, replica_set["metadata"]["name"], before, wanted, now)


def _scale(objects: Objects, plural: str, owner: Object, nodes: list[Object], now: datetime) -> None:
    wanted, pods = owner["spec"].get("replicas", 1), _controlled(objects, "pods", owner)
    numbered = plural == "statefulsets"
    for pod in pods[wanted:]:
        objects.remove("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        tell(
            objects,
            owner,
            "SuccessfulDelete",
            f"Deleted pod: {pod['metadata']['name']}",
            now,
            _CONTROLLERS[owner["kind"]],
        )
    for number in range(len(pods), wanted):
        suffix = str(number) if numbered else secrets.token_hex(3)[:5]
        node = nodes[number % len(nodes)] if nodes else None
        _make_pod(objects, owner, f"{owner['metadata']['name']}-{suffix}", node, now)
    ready = _schedule(objects, owner, nodes, now)
    counts = {"replicas": wanted, "readyReplicas": ready, "availableReplicas": ready, "fullyLabeledReplicas": wanted}
    _report(
        objects, owner, counts if not numbered else {**counts, "currentReplicas": wanted, "updatedReplicas": wanted}
    )


def _spread(objects: Objects, owner: Object, nodes: list[Object], now: datetime) -> None:
    """A pod on each node."""
    placed = {pod["spec"].get("nodeName"): pod for pod in _controlled(objects, "pods", owner)}
    names = {node["metadata"]["name"] for node in nodes}
    for name, pod in placed.items():
        if name not in names:
            objects.remove("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
    for node in nodes:
        if node["metadata"]["name"] not in placed:
            _make_pod(objects, owner, f"{owner['metadata']['name']}-{secrets.token_hex(3)[:5]}", node, now)
    number = len(nodes)
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    counts = dict.fromkeys((*fields, "numberAvailable"), number)
    _report(objects, owner, {**counts, "numberMisscheduled": 0})


def _make_pod(objects: Objects, owner: Object, name: str, node: Object | None, now: datetime) -> None:
    template = owner["spec"]["template"]
    labels = template.get("metadata", {}).get("labels", {})
    metadata = {"name": name, "namespace": owner["metadata"]["namespace"], "labels": labels}
    metadata |= {"ownerReferences": [_owner(owner)]}
    pod = {"metadata": metadata, "spec": json.loads(json.dumps(template["spec"])), "status": {"phase": "Pending"}}
    made = objects.put("pods", pod, [], now)
    tell(objects, owner, "SuccessfulCreate", f"Created pod: {name}", now, _CONTROLLERS[owner["kind"]])
    _assign(objects, made, node, now)


def _schedule(objects: Objects, owner: Object, nodes: list[Object], now: datetime) -> int:
    """Place waiting pods, and pods of deleted nodes; return how many pods run."""
    pods = _controlled(objects, "pods", owner)
    _start(objects, pods, nodes, now)
    return sum(pod["status"]["phase"] == "Running" for pod in pods)


def _start(objects: Objects, pods: Sequence[Object], nodes: list[Object], now: datetime) -> None:
    names = {node["metadata"]["name"] for node in objects.list("nodes", None)}
    for number, pod in enumerate(pods):
        is_lost = pod["spec"].get("nodeName") and pod["spec"]["nodeName"] not in names
        is_new = not pod["spec"].get("nodeName") and not (pod.get("status") or {}).get("conditions")
        if nodes and (is_lost or not pod["spec"].get("nodeName")):
            _assign(objects, pod, nodes[number % len(nodes)], now)
        elif is_lost or is_new:
            _assign(objects, pod, None, now)


def _assign(objects: Objects, pod: Object, node: Object | None, now: datetime) -> None:
    _place(pod, node, pod["metadata"]["creationTimestamp"])
    objects.touch(pod)
    if node is None:
        tell_unschedulable(objects, pod, now)
    else:
        tell_started(objects, pod, now)


def _place(pod: Object, node: Object | None, since: str) -> None:
    """Assign a pod to a node, or leave it pending."""
    containers = pod["spec"].get("containers", [])
    pod["spec"].pop("nodeName", None)
    if node is None:
        reason = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no nodes available"}
        pod["status"] = {"phase": "Pending", "conditions": [reason]}
        return
    pod["spec"]["nodeName"] = node["metadata"]["name"]
    ready = {"ready": True, "started": True, "restartCount": 0, "state": {"running": {"startedAt": since}}}
    statuses = [
        {"name": each["name"], "image": each.get("image", ""), "imageID": each.get("image", ""), **ready}
        for each in containers
    ]
    host = next((each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"), "")
    conditions = [
        {"type": kind, "status": "True"} for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    address = f"{host.rpartition('.')[0]}.{100 + int(hashlib.sha256(since.encode()).hexdigest()[:2], 16) % 100}"
    pod["status"] = {"phase": "Running", "conditions": conditions, "hostIP": host, "podIP": address}
    pod["status"] |= {"startTime": since, "containerStatuses": statuses, "qosClass": "BestEffort"}


def _report_deployment(objects: Objects, deployment: Object) -> None:
    wanted = deployment["spec"].get("replicas", 1)
    sets = _controlled(objects, "replicasets", deployment)
    ready = sum((each.get("status") or {}).get("readyReplicas", 0) for each in sets if each["spec"]["replicas"])
    available = "True" if ready >= wanted else "False"
    condition = {"type": "Available", "status": available, "reason": "MinimumReplicasAvailable"}
    progress = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    counts = {"replicas": wanted, "updatedReplicas": wanted, "readyReplicas": ready, "availableReplicas": ready}
    _report(objects, deployment, {**counts, "conditions": [condition, progress]})


def _report(objects: Objects, owner: Object, counts: dict[str, Any]) -> None:
    status = {**counts, "observedGeneration": owner["metadata"]["generation"]}
    if owner.get("status") != status:
        owner["status"] = status
        objects.touch(owner)


def _controlled(objects: Objects, plural: str, owner: Object) -> list[Object]:
    uid = owner["metadata"]["uid"]
    found = objects.list(plural, owner["metadata"]["namespace"])
    return [each for each in found if any(one["uid"] == uid for one in each["metadata"].get("ownerReferences", []))]


def _owner(owner: Object) -> Object:
    named = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    return {**named, "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}


def _refresh_nodes(cluster: Cluster, objects: Objects, git_version: str) -> None:
    wanted = {node.name: (node, group) for group in list(cluster.nodegroups.values()) for node in list(group.nodes)}
    for known in objects.list("nodes", None):
        if known["metadata"]["name"] not in wanted:
            objects.remove("nodes", "", known["metadata"]["name"])
            objects.remove("leases", "kube-node-lease", known["metadata"]["name"])
    for name, (node, group) in wanted.items():
        found, fresh = objects.find("nodes", "", name), _node(node, group, git_version)
        if found is None:
            objects.put("nodes", fresh, [], group.described["createdAt"])
            lease = {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": {"holderIdentity": name}}
            objects.put("leases", lease, [], group.described["createdAt"])
        elif found.object["status"] != fresh["status"]:
            found.object["status"] = fresh["status"]
            objects.touch(found.object)


def _node(node: Node, group: Nodegroup, git_version: str) -> Object:
    kubelet = (
        git_version if group.described["version"] in git_version else f"v{group.described['version']}.0-eks-0a1b2c3"
    )
    instance_type = (group.described["instanceTypes"] or [group.template.get("InstanceType", "")])[0]
    labels = {
        "eks.amazonaws.com/nodegroup": group.name,
        "topology.kubernetes.io/zone": node.zone,
        "topology.kubernetes.io/region": node.zone[:-1],
        "node.kubernetes.io/instance-type": instance_type,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": node.name,
        **group.described["labels"],
    }
    address = node.name.removeprefix("ip-").partition(".")[0].replace("-", ".")
    system = {
        "architecture": "amd64",
        "bootID": node.instance_id,
        "containerRuntimeVersion": "containerd://2.1.4",
        "kernelVersion": "6.12.40-64.114.amzn2023.x86_64",
        "kubeProxyVersion": kubelet,
        "kubeletVersion": kubelet,
        "machineID": node.instance_id,
        "operatingSystem": "linux",
        "osImage": "Amazon Linux 2023",
        "systemUUID": node.instance_id,
    }
    resources = {"cpu": "2", "memory": "3943372Ki", "pods": "17", "ephemeral-storage": "31444972Ki"}
    addresses = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": node.name}]
    status = {"capacity": resources, "allocatable": resources, "addresses": addresses, "nodeInfo": system}
    since = f"{group.described['createdAt']:%Y-%m-%dT%H:%M:%SZ}"
    times = {"lastHeartbeatTime": since, "lastTransitionTime": since, "message": "kubelet is posting ready status"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", **times}
    return {
        "metadata": {"name": node.name, "labels": labels},
        "spec": {"providerID": f"aws:///{node.zone}/{node.instance_id}"},
        "status": {"conditions": [ready], **status},
    }
