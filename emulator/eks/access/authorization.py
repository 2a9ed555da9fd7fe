"""Access to a cluster: access entries by principal, and the permissions of their associated policies.

Used by the access entry operations, at cluster creation, and by the Kubernetes API server when a token arrives.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from emulator.eks.http.errors import invalid_parameter
from emulator.eks.state.state import AccessEntry, Cluster, Described
from emulator.eks.state.world import World

CLUSTER_ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
#: The kinds that AmazonEKSViewPolicy allows to read: no nodes, no volumes, nothing of Karpenter's.
_VIEWED = frozenset(
    {
        "configmaps",
        "cronjobs",
        "daemonsets",
        "deployments",
        "endpoints",
        "events",
        "horizontalpodautoscalers",
        "ingresses",
        "jobs",
        "namespaces",
        "persistentvolumeclaims",
        "networkpolicies",
        "poddisruptionbudgets",
        "pods",
        "replicasets",
        "serviceaccounts",
        "services",
        "statefulsets",
    }
)
_EDITED = _VIEWED - {"namespaces", "events"} | {"secrets"}
_PRINCIPAL = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(role|user|root)/?(.*)")


def new_entry(world: World, cluster: Cluster, principal: str, kind: str = "STANDARD") -> AccessEntry:
    """Add an access entry for an IAM principal with EKS's defaults."""
    found = _PRINCIPAL.fullmatch(principal)
    if not found:
        raise invalid_parameter("The specified principalArn is invalid: invalid principal", clusterName=cluster.name)
    account, sort, path = found.groups()
    where = f"{cluster.name}/{sort}/{account}/{path.split('/')[-1] or 'root'}/{uuid.uuid4()}"
    now = world.clock.now()
    described: Described = {
        "clusterName": cluster.name,
        "principalArn": principal,
        "kubernetesGroups": [] if kind == "STANDARD" else ["system:nodes"],
        "accessEntryArn": f"arn:aws:eks:{cluster.region}:{cluster.account}:access-entry/{where}",
        "createdAt": now,
        "modifiedAt": now,
        "tags": {},
        "username": _username(sort, account, principal, path, kind),
        "type": kind,
    }
    entry = cluster.access_entries[principal] = AccessEntry(described)
    return entry


def associate(world: World, entry: AccessEntry, policy: str, scope: dict[str, Any]) -> Described:
    """Associate an access policy to an entry; the same policy again changes its scope."""
    now = world.clock.now()
    before = entry.policies.get(policy, {"associatedAt": now})
    entry.policies[policy] = {
        "policyArn": policy,
        "accessScope": {"type": scope["type"], "namespaces": list(scope.get("namespaces", []))},
        "associatedAt": before["associatedAt"],
        "modifiedAt": now,
    }
    return entry.policies[policy]


def admit_creator(world: World, cluster: Cluster) -> None:
    """Make the cluster's creator its admin, where its access configuration asks for that and has access entries."""
    config = cluster.described["accessConfig"]
    if config["authenticationMode"] != "CONFIG_MAP" and config["bootstrapClusterCreatorAdminPermissions"]:
        associate(world, new_entry(world, cluster, cluster.creator), CLUSTER_ADMIN, {"type": "cluster"})


def is_known(cluster: Cluster, principal: str) -> bool:
    """Tell whether the cluster admits the principal: by its entry, or as the creator where entries are off."""
    return principal in cluster.access_entries or _is_creator_without_entries(cluster, principal)


def may(cluster: Cluster, principal: str, verb: str, plural: str | None, namespace: str | None = None) -> bool:
    """Return whether the principal may do this to a kind (None: an unknown one), in a namespace or in all of them.

    Source: EKS user guide, "Review access policy permissions"; limited to the rules for the kinds emulated here.
    """
    if _is_creator_without_entries(cluster, principal):
        return True
    reads, entry = verb in ("get", "list", "watch"), cluster.access_entries.get(principal)
    policies = [arn for arn, each in entry.policies.items() if _covers(each["accessScope"], namespace)] if entry else []
    return any(_allows(policy.rpartition("/")[2], reads, plural) for policy in policies)


def _allows(policy: str, reads: bool, plural: str | None) -> bool:
    match policy:
        case "AmazonEKSClusterAdminPolicy":
            return True
        case "AmazonEKSAdminViewPolicy":
            return reads
        case "AmazonEKSViewPolicy":
            return reads and plural in _VIEWED
        case "AmazonEKSEditPolicy":
            return plural in _EDITED or (reads and plural in _VIEWED)
        case "AmazonEKSAdminPolicy":
            return plural in _EDITED or plural in ("roles", "rolebindings") or (reads and plural in _VIEWED)
    return False


def _covers(scope: Described, namespace: str | None) -> bool:
    return scope["type"] == "cluster" or namespace in scope["namespaces"]


def _is_creator_without_entries(cluster: Cluster, principal: str) -> bool:
    config = cluster.described["accessConfig"]
    bootstrapped = config["bootstrapClusterCreatorAdminPermissions"]
    return config["authenticationMode"] == "CONFIG_MAP" and bootstrapped and principal == cluster.creator


def _username(sort: str, account: str, principal: str, path: str, kind: str) -> str:
    if kind in ("EC2_LINUX", "EC2_WINDOWS", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX"):
        return "system:node:{{EC2PrivateDNSName}}"
    if sort != "role":
        return principal
    return f"arn:aws:sts::{account}:assumed-role/{path.split('/')[-1]}/{{{{SessionName}}}}"
