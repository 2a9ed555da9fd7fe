"""Whose is it? The one rule by which a thing in the account is deleted, kept, or left alone. Pure; errs towards leaving.

Called for every thing a sweep finds, with its tags as they are at that moment, and again when a receipt is reckoned.
Vetoes come first (guest, shared, another lab's, another cluster's, older than the lab), then one proof is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.resources import Kind, LedgerEntry, Resource, Target
from chalicelib.domain.teardown.evidence import (
    LAB_TAG,
    STACK_TAG,
    claim_of,
    in_own_vpc,
    is_cluster_log_group,
    is_control_plane_interface,
    is_shared,
    name_speaks_for,
    names_cluster,
    other_claimants,
    proof_by_kind,
)

#: What stands in the way of deleting a VPC when someone else put it there.
_IN_THE_WAY = frozenset(
    {
        Kind.INSTANCE,
        Kind.LOAD_BALANCER,
        Kind.CLASSIC_LOAD_BALANCER,
        Kind.SECURITY_GROUP,
        Kind.NETWORK_INTERFACE,
        Kind.MOUNT_TARGET,
        Kind.VPC_ENDPOINT,
        Kind.NAT_GATEWAY,
        Kind.SUBNET,
    }
)
#: EKS deletes these with their cluster.
_GO_WITH_THE_CLUSTER = frozenset({Kind.ADDON, Kind.ACCESS_ENTRY, Kind.POD_IDENTITY})
#: Identified by a name that someone else may have by now: being on the ledger does not prove these.
_NAMES_ARE_REUSED = frozenset({Kind.CLUSTER, Kind.LOG_GROUP, Kind.DNS_RECORD})


class Action(StrEnum):
    """What to do with a thing. LEAVE: it is ours and goes with another thing of ours. BLOCK: not ours, but in our way."""

    DELETE = "delete"
    LEAVE = "leave"
    KEEP = "keep"
    BLOCK = "block"
    IGNORE = "ignore"


@dataclass(frozen=True)
class OwnershipDecision:
    """`reason` is for a person; `how` is the proof that the thing is the lab's, empty when it is not."""

    action: Action
    reason: str
    how: str = ""

    @property
    def ours(self) -> bool:
        """Whether the thing is the lab's own."""
        return self.action in (Action.DELETE, Action.LEAVE)


def judge(resource: Resource, target: Target, ledger: Mapping[str, LedgerEntry]) -> OwnershipDecision:
    """Decide what may be done with `resource` in the name of `target`. `ledger` maps ARNs to the lab's entries."""
    entry = ledger.get(resource.arn)
    if is_control_plane_interface(resource, target):
        return OwnershipDecision(Action.BLOCK, "It is the control plane's own, and goes with it.")
    if entry is not None and entry.guest:
        return OwnershipDecision(Action.KEEP, entry.reason or "The lab was only a guest in it.", entry.how)
    veto = _veto(resource, target)
    if veto is not None:
        return _not_ours(resource, target, veto, entry is not None or _worth_mentioning(resource, target))
    how = _proof(resource, target, ledger)
    if how is None:
        return _not_ours(resource, target, "It is neither on the ledger nor tagged as this cluster's own.", False)
    if resource.kind in _GO_WITH_THE_CLUSTER:
        return OwnershipDecision(Action.LEAVE, "It goes with the control plane.", how)
    if resource.tags.get(STACK_TAG) == target.stack_name or (entry and "logical-id" in entry.resource.attributes):
        return OwnershipDecision(Action.LEAVE, "It goes with the lab's stack.", how)
    return OwnershipDecision(Action.DELETE, "It is the lab's.", how)


def _not_ours(resource: Resource, target: Target, reason: str, tied: bool) -> OwnershipDecision:
    """Leave it alone; say it on the receipt when it has to do with the lab or stands in the lab's own VPC."""
    if in_own_vpc(resource, target) and resource.kind in _IN_THE_WAY and not _goes_with_the_vpc(resource):
        return OwnershipDecision(Action.BLOCK, f"It is in the lab's own VPC, but not the lab's to delete. {reason}")
    return OwnershipDecision(Action.KEEP if tied else Action.IGNORE, reason)


def _veto(resource: Resource, target: Target) -> str | None:
    """Why this can't be the lab's to delete, whatever else speaks for it."""
    tags = resource.tags
    if is_shared(tags):
        return "It is marked as shared."
    if tags.get(LAB_TAG, target.lab_id) != target.lab_id:
        return f"It belongs to lab {tags[LAB_TAG]}."
    others = other_claimants(target.cluster_name, tags)
    if others:
        return f"It is claimed by cluster {', '.join(others)}."
    if resource.created_at is not None and resource.created_at < target.created_at.replace(microsecond=0):
        return "It was there before the lab."
    return None


def _proof(resource: Resource, target: Target, ledger: Mapping[str, LedgerEntry]) -> str | None:
    """How we know that it is the lab's; None when nothing proves it."""
    if resource.tags.get(LAB_TAG) == target.lab_id:
        return f"tag {LAB_TAG}"
    entry = ledger.get(resource.arn)
    if entry is not None and resource.kind not in _NAMES_ARE_REUSED:
        return entry.how
    key = claim_of(target.cluster_name, resource.tags)
    if key is not None and name_speaks_for(resource, target):
        return f"tag {key}"
    return proof_by_kind(resource, target)


def _worth_mentioning(resource: Resource, target: Target) -> bool:
    """Whether someone who looks for what the lab left would take this for it: the receipt then says why it stays."""
    if resource.tags.get(LAB_TAG, target.lab_id) != target.lab_id:
        return False
    named = names_cluster(target.cluster_name, resource.tags) or is_cluster_log_group(resource, target)
    return named and not other_claimants(target.cluster_name, resource.tags)


def _goes_with_the_vpc(resource: Resource) -> bool:
    return resource.kind is Kind.SECURITY_GROUP and resource.attributes.get("group-name") == "default"
