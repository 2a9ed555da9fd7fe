"""Checks of `teardown` before it touches a cluster, and the inventory that completes the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from chalicelib.domain.core.resources import ASKED_FOR, BY_STACK, EntryState, Kind, Resource
from chalicelib.domain.core.sentence import Sentence, joined, reason_of
from chalicelib.domain.curfew.decision import shield_of
from chalicelib.domain.errors.explain import explain_execution
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone, StillInUse
from chalicelib.domain.labs.aws_states import ClusterState, NodegroupState, StackState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import STEPS, Execution, StepStatus, execution_name
from chalicelib.domain.teardown.causes import causes_of, why_left, why_refused
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.cluster import own_stack
from chalicelib.workflows.shared.leftovers import Book
from chalicelib.workflows.shared.records import enter, learn

#: The step that takes the inventory.
_INVENTORY = STEPS["teardown"]["take_inventory"][0]


def take_stock_of(deps: Deps, lab: Lab, now: datetime) -> tuple[int, tuple[str, ...]]:
    """Write the resources of the stack and the inventory on the ledger; return their number and the unreadable sources."""
    if own_stack(deps, lab) is not None:
        enter(deps, lab, deps.cloud(lab.place).stacks.resources(lab.stack_name), EntryState.PRESENT, now, BY_STACK)
    book = Book(deps, lab, now)
    unreadable = book.take_stock()
    return len(book.ledger), unreadable


def note_lifted(deps: Deps, lab: Lab, cluster: ClusterState) -> None:
    """Record a deletion protection of the cluster for the receipt: EKS does not show it after it is lifted."""
    if shield := shield_of(cluster.tags, cluster.deletion_protection):
        learn(deps, lab, lifted=shield)


def is_superseded_run_alive(deps: Deps, lab: Lab) -> bool:
    """Whether the workflow that this teardown supersedes is still running one of its steps."""
    before = range(max(lab.run - 1, 0), lab.run)
    return any(
        deps.workflows.execution(workflow, execution_name(lab, workflow, run)) is Execution.RUNNING
        for run in before
        for workflow in ("provision", "update", "hibernate", "wake", "teardown")
    )


def ask_to_delete_nodes(deps: Deps, lab: Lab, now: datetime) -> list[str]:
    """Request the deletion of Fargate profiles, one at a time, and of all node groups; return the states of those that are left.

    If the control plane is deleted meanwhile, none is left.
    """
    try:
        profiles = deps.cloud(lab.place).clusters.fargate_profiles(lab.name)
        return _ask_to_delete_profiles(deps, lab, profiles) + _ask_to_delete_nodegroups(deps, lab, now)
    except ResourceGone:
        return []


def _ask_to_delete_nodegroups(deps: Deps, lab: Lab, now: datetime) -> list[str]:
    """Request the deletion of all node groups; return the states of those that are left, as sentences.

    A refusal does not stop the others: it goes on the ledger, and is raised when no other deletion is under way.
    """
    going, refused = [], None
    for name in deps.cloud(lab.place).clusters.nodegroups(lab.name):
        try:
            going.append(_ask_to_delete_nodegroup(deps, lab, name, now))
        except AwsRefused as error:
            refused = error
            note_refusal(deps, lab, _nodegroup_on_ledger(deps, lab, name), error, now)
    left = [words for words in going if words]
    if refused is not None and not left:
        raise refused
    return left


def note_refusal(deps: Deps, lab: Lab, things: Iterable[Resource], error: AwsRefused, now: datetime) -> None:
    """Write on the ledger why these resources can't be deleted, for the receipt."""
    for thing in things:
        why = why_refused(thing, lab.id, reason_of(error), denied=False)
        enter(deps, lab, [thing], EntryState.BLOCKED, now, ASKED_FOR, why)


def _nodegroup_on_ledger(deps: Deps, lab: Lab, name: str) -> list[Resource]:
    things = (entry.resource for entry in deps.store.ledger(lab.id))
    return [thing for thing in things if thing.kind is Kind.NODEGROUP and thing.id == name]


def _ask_to_delete_nodegroup(deps: Deps, lab: Lab, name: str, now: datetime) -> str:
    """Request the deletion once; return the group's state as a sentence, empty when it is gone. Keeps EKS's health issues."""
    clusters, in_use = deps.cloud(lab.place).clusters, ""
    try:
        state = clusters.nodegroup(lab.name, name)
    except ResourceGone:
        return ""
    try:
        if state.status != "DELETING":
            clusters.delete_nodegroup(lab.name, name)
    except ResourceGone:
        return ""
    except StillInUse as error:
        in_use = error.message
    complaints = _complaints(state)
    if complaints:
        told = f"eks:DeleteNodegroup: {complaints}"
        enter(deps, lab, _nodegroup_on_ledger(deps, lab, name), EntryState.PRESENT, now, ASKED_FOR, told)
    how = Sentence("{what}: {reason}", what=name, reason=in_use) if in_use else Sentence("{name} is going", name=name)
    return joined((how, f"({complaints})" if complaints else ""))


def _complaints(state: NodegroupState) -> str:
    """EKS's health issues with the ids that they name; a failed deletion of a node group is requested again."""
    failed = ("DELETE_FAILED",) if state.status == "DELETE_FAILED" and not state.issues else ()
    said = (
        f"{i.code}: {i.message}" + (f" ({', '.join(i.resource_ids)})" if i.resource_ids else "") for i in state.issues
    )
    return "; ".join((*failed, *said))


def ask_to_delete_stack(deps: Deps, lab: Lab, state: StackState, token: str, now: datetime) -> str:
    """Request the deletion; write on the ledger why the last one failed, or the refusal, which is raised.

    Returns CloudFormation's message while another operation keeps the stack from being deleted; else nothing.
    """
    own = note_failed_stack(deps, lab, state, now)
    try:
        deps.cloud(lab.place).stacks.delete(lab.stack_name, token)
    except StillInUse as busy:
        return busy.message
    except AwsRefused as error:
        note_refusal(deps, lab, own, error, now)
        raise
    return ""


def note_failed_stack(deps: Deps, lab: Lab, state: StackState, now: datetime) -> list[Resource]:
    """Write the stack on the ledger, with the reason if its last deletion failed. Return its resource."""
    own = [Resource(Kind.STACK, lab.stack_name, state.id)]
    failed = f"cloudformation:DeleteStack: {state.status}: {state.failure}" if state.failure else ""
    enter(deps, lab, own, EntryState.PRESENT, now, ASKED_FOR, failed)
    return own


def _ask_to_delete_profiles(deps: Deps, lab: Lab, names: tuple[str, ...]) -> list[str]:
    """Request the first Fargate profile's deletion: EKS deletes one at a time. Return the remaining ones."""
    clusters = deps.cloud(lab.place).clusters
    for name in names[:1]:
        try:
            clusters.delete_fargate_profile(lab.name, name)
        except (ResourceGone, StillInUse):
            continue
    return [Sentence("Fargate profile {name} is going", name=name) for name in names]


def why_blocked(deps: Deps, lab: Lab, failure: object) -> str:
    """The causes in the newest receipt; without any, the first failed step, in AWS's words.

    `failure`: the error that Step Functions caught last (`Error`, `Cause`); None if nothing failed. A step that could not load the
    lab has recorded nothing, so this error is appended to the known causes, unless it repeats them.
    """
    why = _why_left(deps, lab)
    if isinstance(failure, Mapping):
        caught = explain_execution(failure)
        if caught.reason not in why and caught.cause not in why:
            why = joined((why, Sentence("A step failed: {cause}", cause=caught.cause)))
    return why or Sentence("The inventory could not be taken.")


def _why_left(deps: Deps, lab: Lab) -> str:
    taken = deps.store.receipts(lab.id)
    left = why_left(taken[-1]) if taken else ""
    is_fresh = bool(taken) and taken[-1].taken_at >= lab.phase_since
    if is_fresh and any(not line.waits_for for line in causes_of(taken[-1])):
        return left
    steps = [step for step in deps.store.steps(lab.id) if (step.run, step.workflow) == (lab.run, "teardown")]
    failed = (step for step in steps if step.name != _INVENTORY and step.status is StepStatus.FAILED and step.detail)
    at = (Sentence("{reason} (at: {step})", reason=step.detail, step=step.title) for step in failed)
    return joined((next(at, ""), left))
