"""Updates: changes that take time, of a cluster, a node group or an add-on; DescribeUpdate and ListUpdates.

Every Update operation ends in `start_update`: the resource is UPDATING; later the change is applied and it is ACTIVE again, or a
fault rule makes the update Failed and nothing changes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from emulator.eks.http.call import Call
from emulator.eks.http.errors import in_use, not_found
from emulator.eks.http.pages import page
from emulator.eks.http.refusals import message_of, update_error
from emulator.eks.state.state import Cluster, Described, Update
from emulator.eks.state.world import Operation, World


@dataclass(frozen=True, slots=True)
class Change:
    """The change of an update: its type and parameters by the model, its duration, and the function that applies it."""

    type: str
    params: dict[str, Any]
    seconds: float
    apply: Callable[[], None]


def start_update(world: World, cluster: Cluster, target: Described, operation: str, change: Change) -> Update:
    """Begin a change of `target`, the description of the cluster or of something on it."""
    params = [{"type": kind, "value": _as_text(value)} for kind, value in change.params.items() if value is not None]
    update = Update(
        {
            "id": str(uuid.uuid4()),
            "status": "InProgress",
            "type": change.type,
            "params": params,
            "createdAt": world.clock.now(),
            "errors": [],
        },
        nodegroup=target.get("nodegroupName"),
        addon=target.get("addonName"),
    )
    cluster.updates[update.described["id"]] = update
    outcome = world.faults.outcome(operation, cluster.name)
    target["status"] = "UPDATING"
    finish = partial(_finish, world, target, update, change, outcome)
    world.jobs.after(outcome.get("durationSeconds", change.seconds), finish)
    return update


def require_quiet(cluster: Cluster, target: Described, operation: str) -> None:
    """Raise ResourceInUseException while the target is being changed, made or deleted."""
    if target["status"] in ("UPDATING", "CREATING", "DELETING"):
        name = target.get("nodegroupName") or target.get("addonName") or cluster.name
        message = f"Cannot {operation} because {name} is in status {target['status']}"
        raise in_use(message, clusterName=cluster.name)


def describe_update(world: World, call: Call) -> dict[str, Any]:
    """Return one update as it is now."""
    cluster = world.cluster_of(call)
    update = cluster.updates.get(call.given["updateId"])
    if update is None or not _is_of(update, call.given):
        raise not_found(f"No update found for ID: {call.given['updateId']}", clusterName=cluster.name)
    return {"update": update.described}


def list_updates(world: World, call: Call) -> dict[str, Any]:
    """Return the ids of the updates of the cluster, or of the node group or add-on named, newest first."""
    updates = [update for update in world.cluster_of(call).updates.values() if _is_of(update, call.given)]
    return page(call, "updateIds", [update.described["id"] for update in reversed(updates)])


def _is_of(update: Update, given: dict[str, Any]) -> bool:
    return (update.nodegroup, update.addon) == (given.get("nodegroupName"), given.get("addonName"))


def _finish(world: World, target: Described, update: Update, change: Change, outcome: dict[str, Any]) -> None:
    if target["status"] != "UPDATING":
        return
    target["status"] = "ACTIVE"
    if "modifiedAt" in target:
        target["modifiedAt"] = world.clock.now()
    if "error" in outcome or outcome.get("status") == "Failed":
        _fail(update, **outcome.get("error", {}))
        return
    try:
        change.apply()
    except ClientError as refused:
        _fail(update, errorCode=update_error(refused), errorMessage=message_of(refused))
        return
    update.described["status"] = "Successful"


def _fail(update: Update, **error: Any) -> None:
    whole = {"errorCode": "Unknown", "errorMessage": "A fault was asked for", "resourceIds": [], **error}
    update.described.update(status="Failed", errors=[whole])


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


OPERATIONS: dict[str, Operation] = {"DescribeUpdate": describe_update, "ListUpdates": list_updates}
