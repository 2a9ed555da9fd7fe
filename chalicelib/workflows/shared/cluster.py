"""The lab's own cluster and stack as AWS returns them now. A matching name alone does not make a cluster or stack the lab's."""

from __future__ import annotations

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.explain import explain_stack
from chalicelib.domain.errors.tree import ProvisioningFailed, ResourceGone
from chalicelib.domain.labs.aws_states import ClusterState, StackState, is_own_cluster
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import STEPS, Result, StepResult, StepStatus
from chalicelib.domain.teardown.target import stack_id_of
from chalicelib.ports.deps import Deps


def own_cluster(deps: Deps, lab: Lab) -> ClusterState | None:
    """The lab's cluster as it is now; None if there is none, or one that is not the lab's."""
    try:
        state = deps.cloud(lab.place).clusters.describe(lab.name)
    except ResourceGone:
        return None
    return state if is_own_cluster(lab, state) else None


def not_seen_yet(deps: Deps, lab: Lab) -> ResourceGone | None:
    """The error to wait out if EKS does not know a control plane yet that was requested and never seen; else None."""
    making = STEPS["provision"]["create_cluster"][0]
    steps = [step for step in deps.store.steps(lab.id) if (step.workflow, step.name) == ("provision", making)]
    # The first look of the step is the request itself.
    if not steps or steps[-1].attempts != 1 or steps[-1].status is StepStatus.FAILED:
        return None
    return ResourceGone(
        "eks:DescribeCluster",
        "NotSeenYet",
        Sentence("EKS does not know {name} yet, which was asked for.", name=lab.name),
    )


def own_stack(deps: Deps, lab: Lab) -> StackState | None:
    """The lab's stack as it is now; None if there is none, or one that is somebody else's.

    Its id is CreateStack's answer; if that answer was lost, the stack must have the role that only this service passes.
    """
    try:
        state = deps.cloud(lab.place).stacks.describe(lab.stack_name)
    except ResourceGone:
        return None
    known = stack_id_of(lab, deps.store.ledger(lab.id))
    return state if state.id == known or (known is None and state.ours) else None


#: The most stacks that a lab is given.
_MOST = 3


def throttled_stack_goes(deps: Deps, lab: Lab) -> bool:
    """Whether the throttled stack still exists. Requests its deletion; any other stack is left alone."""
    stacks = deps.cloud(lab.place).stacks
    if lab.facts.stack_id is None:
        return False
    try:
        state = stacks.describe(lab.stack_name)
    except ResourceGone:
        return False
    if state.id != lab.facts.stack_id:
        return False
    if state.status == "DELETE_IN_PROGRESS":
        return True
    if _is_throttled(state):
        stacks.delete(lab.stack_name, lab.token("delete-throttled"))
        return True
    return False


def stack_token(lab: Lab) -> str:
    """The client token for the next stack: another one after each deleted stack."""
    before = (lab.facts.stack_id or "").rpartition("/")[2]
    return lab.token(f"stack-{before}" if before else "create-stack")


def anew_or_failed(deps: Deps, lab: Lab, state: StackState) -> StepResult:
    """Request another stack if AWS throttled CloudFormation: throttling alone never fails a lab.

    Raises ProvisioningFailed for any other cause, or after `_MOST` stacks.
    """
    made = [entry for entry in deps.store.ledger(lab.id) if entry.resource.kind is Kind.STACK]
    if not _is_throttled(state) or len(made) >= _MOST:
        raise ProvisioningFailed(explain_stack(state.failure or f"The stack is {state.status}."))
    return StepResult(
        Result.ASKED,
        Sentence("AWS throttled CloudFormation, so the stack is made anew: {failure}", failure=state.failure or ""),
    )


def _is_throttled(state: StackState) -> bool:
    from chalicelib.domain.errors.failure_causes import THROTTLED

    return state.failure is not None and explain_stack(state.failure).code == THROTTLED.code
