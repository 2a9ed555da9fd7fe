"""Scales all managed node groups of a lab's cluster for `hibernate` and `wake`.

Level-triggered: each pass compares actual with desired sizes and requests the difference, so a crashed pass loses nothing, and
a node group that somebody adds meanwhile is scaled, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from chalicelib.domain.core.failure import Failure, Responsible
from chalicelib.domain.core.sentence import Sentence, ended, joined
from chalicelib.domain.errors.explain import explain
from chalicelib.domain.errors.tree import ProvisioningFailed, ResourceGone, StillInUse
from chalicelib.domain.labs.aws_states import NodegroupState, UpdateState
from chalicelib.domain.labs.hibernation import describe_sizes
from chalicelib.domain.labs.lab import Lab, NodegroupSize
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.steps import Result, StepResult
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.cluster import own_cluster
from chalicelib.workflows.shared.records import again
from chalicelib.workflows.shared.runner import StepInput

#: States of a node group in which EKS accepts no other update of it.
_BUSY = frozenset({"CREATING", "UPDATING"})


def nodegroups_of(deps: Deps, lab: Lab) -> Iterator[NodegroupState]:
    """All managed node groups that are not being deleted, also hand-made ones."""
    clusters = deps.cloud(lab.place).clusters
    for name in clusters.nodegroups(lab.name):
        try:
            state = clusters.nodegroup(lab.name, name)
        except ResourceGone:
            continue
        if state.status != "DELETING":
            yield state


def is_busy(state: NodegroupState) -> bool:
    """Whether EKS is changing it: its size can't be changed now."""
    return state.status in _BUSY


def why_not_now(deps: Deps, lab: Lab) -> str:
    """Why node groups can't be resized now; empty if they can. Raises ProvisioningFailed if the cluster is gone."""
    cluster = own_cluster(deps, lab)
    if cluster is None:
        raise ProvisioningFailed(
            Failure(
                "cluster-gone", Sentence("EKS knows no cluster {name} of the lab's.", name=lab.name), Responsible.OURS
            )
        )
    return "" if cluster.status == "ACTIVE" else Sentence("the control plane is {status}", status=cluster.status)


def again_or_late(step: str, at: StepInput, detail: str) -> StepResult:
    """Look again; raises ProvisioningFailed after the step's last attempt."""
    if POLL_POLICIES[step].is_out(at.attempt):
        minutes = POLL_POLICIES[step].minutes
        why = Sentence(
            "After {minutes} minutes it was not done: {detail}. Try again in a while.", minutes=minutes, detail=detail
        )
        raise ProvisioningFailed(Failure("took-too-long", why, Responsible.OURS, detail))
    return again(step, detail)


def resize_all(
    deps: Deps,
    at: StepInput,
    step: str,
    states: Sequence[NodegroupState],
    wanted: Callable[[NodegroupSize], NodegroupSize],
) -> StepResult:
    """Request the `wanted` sizes that differ; done when none does. Raises ProvisioningFailed if updates keep failing."""
    waiting = [text for state in states if (text := _towards(deps, at.lab, state, wanted(state.size)))]
    if waiting:
        return again_or_late(step, at, joined(waiting, "; "))
    text = describe_sizes([state.size for state in states]) if states else Sentence("There are no node groups")
    return StepResult(Result.DONE, ended(text))


def ask_for_size(deps: Deps, lab: Lab, wanted: NodegroupSize) -> str | None:
    """Request a size once, by a token of this run and size; return the update's id, None if the group has that size."""
    text = f"{wanted.name} {wanted.min} {wanted.desired} {wanted.max}"
    token = lab.token(f"size-{lab.run}-{hashlib.sha256(text.encode()).hexdigest()[:16]}")
    return deps.cloud(lab.place).clusters.resize_nodegroup(lab.name, wanted, token)


def _towards(deps: Deps, lab: Lab, state: NodegroupState, wanted: NodegroupSize) -> str:
    """The state that a node group waits in, as a sentence; empty when it has its size."""
    if is_busy(state):
        return Sentence("{name} is {status}", name=state.name, status=state.status)
    if state.size == wanted:
        return ""
    try:
        update_id = ask_for_size(deps, lab, wanted)
    except StillInUse as error:
        return Sentence("{what}: {reason}", what=state.name, reason=error.message)
    except ResourceGone:
        return ""
    if update_id is not None:
        # The same token returns the same update, which an earlier look requested: it may have failed since.
        is_over(deps.cloud(lab.place).clusters.nodegroup_update_state(lab.name, state.name, update_id))
    return Sentence("{name} is to have {desired} nodes", name=state.name, desired=wanted.desired)


def is_over(state: UpdateState) -> bool:
    """Whether an update succeeded. Raises ProvisioningFailed if it ended otherwise."""
    if state.status in ("Failed", "Cancelled"):
        error = state.errors[0] if state.errors else f"Unknown: The update was {state.status}."
        code, _, message = error.partition(": ")
        raise ProvisioningFailed(explain(code, message or code))
    return state.status == "Successful"
