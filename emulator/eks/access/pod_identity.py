"""Pod identity associations: an IAM role for a service account; Create, Describe, List, Update, Delete."""

from __future__ import annotations

import secrets
from typing import Any

from emulator.eks.access.roles import require_role
from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, not_found
from emulator.eks.http.pages import page
from emulator.eks.state.state import Cluster, Described
from emulator.eks.state.world import Operation, World

_TRUSTED = "pods.eks.amazonaws.com"
_SUMMARY = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")


def new_association(
    world: World, call: Call, cluster: Cluster, asked: dict[str, Any], owner: str | None = None
) -> Described:
    """Add an association; `owner` is the ARN of the add-on it belongs to, if any."""
    require_role(world, call.caller, asked["roleArn"], _TRUSTED)
    subject = (asked["namespace"], asked["serviceAccount"])
    for other in cluster.pod_identity_associations.values():
        if (other["namespace"], other["serviceAccount"]) == subject:
            message = f"Association already exists: {other['associationId']}"
            raise in_use(message, clusterName=cluster.name)
    unique, now = f"a-{secrets.token_hex(9)[:17]}", world.clock.now()
    where = f"{cluster.region}:{cluster.account}:podidentityassociation/{cluster.name}/{unique}"
    described: Described = {
        "clusterName": cluster.name,
        "namespace": asked["namespace"],
        "serviceAccount": asked["serviceAccount"],
        "roleArn": asked["roleArn"],
        "associationArn": f"arn:aws:eks:{where}",
        "associationId": unique,
        "tags": dict(asked.get("tags", {})),
        "createdAt": now,
        "modifiedAt": now,
        "ownerArn": owner,
        "disableSessionTags": asked.get("disableSessionTags", False),
        "targetRoleArn": asked.get("targetRoleArn"),
        "policy": asked.get("policy"),
    }
    cluster.pod_identity_associations[unique] = described
    return described


def drop_association(world: World, cluster: Cluster, association: Described) -> None:
    """Take an association away."""
    del cluster.pod_identity_associations[association["associationId"]]
    world.tokens.forget(association)


def create_pod_identity_association(world: World, call: Call) -> dict[str, Any]:
    """Add an association to a cluster that is up."""
    return {"association": new_association(world, call, world.ready_cluster_of(call), call.given)}


def describe_pod_identity_association(world: World, call: Call) -> dict[str, Any]:
    """Return one association."""
    return {"association": _association_of(world, call)}


def list_pod_identity_associations(world: World, call: Call) -> dict[str, Any]:
    """Return summaries of the associations, of one namespace or service account if asked."""
    filters = {key: call.given[key] for key in ("namespace", "serviceAccount") if key in call.given}
    every = world.cluster_of(call).pod_identity_associations.values()
    wanted = [each for each in every if all(each[key] == value for key, value in filters.items())]
    return page(call, "associations", [{key: each[key] for key in _SUMMARY} for each in wanted])


def update_pod_identity_association(world: World, call: Call) -> dict[str, Any]:
    """Change an association's role or session settings at once."""
    association = _association_of(world, call)
    changes: dict[str, Any] = {
        key: call.given[key]
        for key in ("roleArn", "disableSessionTags", "targetRoleArn", "policy")
        if key in call.given
    }
    if "roleArn" in changes:
        require_role(world, call.caller, changes["roleArn"], _TRUSTED)
    association.update(changes, modifiedAt=world.clock.now())
    return {"association": association}


def delete_pod_identity_association(world: World, call: Call) -> dict[str, Any]:
    """Delete an association at once."""
    association = _association_of(world, call)
    drop_association(world, world.cluster_of(call), association)
    return {"association": association}


def _association_of(world: World, call: Call) -> Described:
    cluster, unique = world.cluster_of(call), call.given["associationId"]
    if unique not in cluster.pod_identity_associations:
        raise not_found(f"No association found with ID {unique}", clusterName=cluster.name)
    return cluster.pod_identity_associations[unique]


OPERATIONS: dict[str, Operation] = {
    "CreatePodIdentityAssociation": create_pod_identity_association,
    "DescribePodIdentityAssociation": describe_pod_identity_association,
    "ListPodIdentityAssociations": list_pod_identity_associations,
    "UpdatePodIdentityAssociation": update_pod_identity_association,
    "DeletePodIdentityAssociation": delete_pod_identity_association,
}
