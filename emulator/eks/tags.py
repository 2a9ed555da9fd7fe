"""Tags of anything EKS has, by ARN: TagResource, UntagResource, ListTagsForResource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from emulator.eks.http.call import Call
from emulator.eks.http.errors import EksError
from emulator.eks.state.state import Cluster, Described
from emulator.eks.state.world import Operation, World

_MOST = 50


def tag_resource(world: World, call: Call) -> dict[str, Any]:
    """Add or change tags."""
    tags, more = _tags_of(world, call), call.given["tags"]
    if any(key.startswith("aws:") for key in more):
        raise EksError("BadRequestException", "Tag keys that begin with aws: are AWS's own")
    if len({*tags, *more}) > _MOST:
        raise EksError("BadRequestException", f"A resource can have {_MOST} tags")
    tags.update(more)
    return {}


def untag_resource(world: World, call: Call) -> dict[str, Any]:
    """Remove tags; a missing key is ignored."""
    tags = _tags_of(world, call)
    for key in call.given["tagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags_for_resource(world: World, call: Call) -> dict[str, Any]:
    """Return the tags."""
    return {"tags": _tags_of(world, call)}


def tagged_resources(world: World, account: str, region: str, name: str = "") -> dict[str, dict[str, str]]:
    """Return the tags of every EKS resource of an account in a region, by ARN; with `name` only those of this cluster.

    Called on the event loop too, where waiting for the world's lock would stop the server its holder may be calling.
    """
    clusters = [each for each in list(world.clusters.values()) if (each.account, each.region) == (account, region)]
    wanted = [each for each in clusters if name in ("", each.described["name"])]
    return {arn: thing["tags"] for cluster in wanted for arn, thing in _things(cluster)}


def _tags_of(world: World, call: Call) -> dict[str, str]:
    arn = call.given["resourceArn"]
    if not re.fullmatch(r"arn:aws[\w-]*:eks:[a-z0-9-]+:\d{12}:.+", arn):
        raise EksError("BadRequestException", f"{arn} is not the ARN of an EKS resource")
    found = tagged_resources(world, call.caller.account, call.caller.region)
    if arn not in found:
        raise EksError("NotFoundException", f"Resource {arn} was not found")
    return found[arn]


def _things(cluster: Cluster) -> Iterator[tuple[str, Described]]:
    yield cluster.described["arn"], cluster.described
    for group in list(cluster.nodegroups.values()):
        yield group.described["nodegroupArn"], group.described
    for addon in list(cluster.addons.values()):
        yield addon["addonArn"], addon
    for entry in list(cluster.access_entries.values()):
        yield entry.described["accessEntryArn"], entry.described
    for association in list(cluster.pod_identity_associations.values()):
        yield association["associationArn"], association
    for profile in cluster.fargate_profiles.values():
        yield profile["fargateProfileArn"], profile


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
