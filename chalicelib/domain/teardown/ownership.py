"""Ownership rules: whether a resource is deleted, kept, or left and named. Pure; in doubt it leaves.

The teardown calls it for every resource it finds, with its current tags, and again for the receipt. `evidence.py` defines proof,
claim and veto.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.proof import Proof
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.teardown.evidence import (
    STACK_ID_TAG,
    Weighed,
    in_own_vpc,
    is_control_plane_interface,
    weigh,
)
from chalicelib.domain.teardown.receipt import Wait

#: Other people's resources that keep a VPC from being deleted.
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
        Kind.AUTO_SCALING_GROUP,
        Kind.ROUTE_TABLE,
        Kind.ELASTIC_IP,
    }
)
#: EKS deletes these with their cluster.
_GO_WITH_THE_CLUSTER = frozenset({Kind.ADDON, Kind.ACCESS_ENTRY, Kind.POD_IDENTITY})


class Action(StrEnum):
    """The decision on a resource. LEAVE: it is ours and goes with another resource of ours. BLOCK: not ours, but in our way.

    UNPROVEN: something points to the lab and nothing proves it; the resource stays, and the receipt names it.
    """

    DELETE = "delete"
    LEAVE = "leave"
    KEEP = "keep"
    BLOCK = "block"
    UNPROVEN = "unproven"
    IGNORE = "ignore"


@dataclass(frozen=True)
class OwnershipDecision:
    """`reason` is for people; `how`: the proof that the resource is the lab's, or the claim; `proof`: its grade.

    `waits_for`: the resource with which it goes.
    """

    action: Action
    reason: str
    how: str = ""
    proof: Proof | None = None
    waits_for: Wait = Wait.NOTHING

    @property
    def ours(self) -> bool:
        """Whether the resource is the lab's own."""
        return self.action in (Action.DELETE, Action.LEAVE)


def judge(resource: Resource, target: Target, ledger: Mapping[str, LedgerEntry]) -> OwnershipDecision:
    """Decide what the teardown of `target` may do with `resource`. `ledger`: ARN -> the lab's entry."""
    entry = ledger.get(resource.arn)
    if is_control_plane_interface(resource, target):
        return OwnershipDecision(
            Action.BLOCK, Sentence("It is the control plane's own, and goes with it."), waits_for=Wait.CLUSTER
        )
    if entry is not None and entry.guest:
        return OwnershipDecision(Action.KEEP, entry.reason or Sentence("The lab was only a guest in it."), entry.how)
    weighed = weigh(resource, target, entry)
    if weighed.veto is not None:
        return _vetoed(resource, target, weighed, weighed.veto.told)
    if weighed.proof is None:
        return _unproven(resource, target, weighed)
    how, proof = weighed.proof.told, weighed.proof.proof
    if resource.kind in _GO_WITH_THE_CLUSTER:
        return OwnershipDecision(Action.LEAVE, Sentence("It goes with the control plane."), how, proof, Wait.CLUSTER)
    stacks = resource.tags.get(STACK_ID_TAG) == target.stack_id and target.stack_id is not None
    # A resource that was deleted with the stack and exists again no longer waits for the stack.
    waits = entry is not None and entry.state is not EntryState.DELETED and "logical-id" in entry.resource.attributes
    if stacks or (waits and proof is Proof.STACK):
        return OwnershipDecision(Action.LEAVE, Sentence("It goes with the lab's stack."), how, proof, Wait.STACK)
    return OwnershipDecision(Action.DELETE, Sentence("It is the lab's."), how, proof)


def _vetoed(resource: Resource, target: Target, weighed: Weighed, reason: str) -> OwnershipDecision:
    """Leave the resource; the receipt names it if it concerns the lab or is in the lab's own VPC."""
    if hindrance := _hindrance(resource, target):
        return OwnershipDecision(Action.BLOCK, Listed((hindrance, reason), between=" "))
    speaks = weighed.proof or weighed.claim
    return (
        OwnershipDecision(Action.KEEP, reason, speaks.told)
        if speaks is not None
        else OwnershipDecision(Action.IGNORE, reason)
    )


def _unproven(resource: Resource, target: Target, weighed: Weighed) -> OwnershipDecision:
    how = weighed.claim.told if weighed.claim is not None else ""
    if hindrance := _hindrance(resource, target):
        points = (
            Sentence("Only a claim ({how}) points to the lab.", how=how)
            if how
            else Sentence("Nothing points to the lab.")
        )
        return OwnershipDecision(Action.BLOCK, Listed((hindrance, points), between=" "), how)
    if weighed.claim is not None:
        return OwnershipDecision(Action.UNPROVEN, Sentence("It looks like the lab's, and nothing proves it."), how)
    if resource.kind is Kind.TARGET_GROUP and in_own_vpc(resource, target):
        return OwnershipDecision(
            Action.UNPROVEN, Sentence("It is in the lab's own VPC, and nothing says whose it is."), Sentence("its VPC")
        )
    return OwnershipDecision(Action.IGNORE, Sentence("Nothing points to the lab."))


def _hindrance(resource: Resource, target: Target) -> str:
    """How a foreign resource keeps the lab's from being deleted; empty if it does not."""
    words = list[str]()
    if _stands_in_the_way(resource, target):
        words.append(Sentence("It is in the lab's own VPC, but not the lab's to delete."))
    if rules := resource.attributes.get("refers-to"):
        words.append(
            Sentence("Its rule refers to a group of the lab's, which can't go before that rule ({rules}).", rules=rules)
        )
    elif holder := resource.attributes.get("attached-to"):
        words += [Sentence("It is attached to {holder}.", holder=holder)] if words else []
    return Listed(words, between=" ") if words else ""


def _stands_in_the_way(resource: Resource, target: Target) -> bool:
    default = resource.kind is Kind.SECURITY_GROUP and resource.attributes.get("group-name") == "default"
    return in_own_vpc(resource, target) and resource.kind in _IN_THE_WAY and not default
