"""The lab's own cluster and stack as AWS has them now. A cluster or stack that only bears the name is not the lab's."""

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
    """The lab's cluster as it is now; None when there is none, or one that is not the lab's."""
    try:
        state = deps.cloud(lab.place).clusters.describe(lab.name)
    except ResourceGone:
        return None
    return state if is_own_cluster(lab, state) else None


def not_seen_yet(deps: Deps, lab: Lab) -> ResourceGone | None:
    """What EKS's "there is none" may mean of a control plane that was asked for and never seen since: not known yet."""
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
    """The lab's stack as it is now; None: there is none, or what has its name is somebody else's.

    It is known by the id that CreateStack answered; where that answer was lost, by the role that only this service hands over.
    """
    try:
        state = deps.cloud(lab.place).stacks.describe(lab.stack_name)
    except ResourceGone:
        return None
    known = stack_id_of(lab, deps.store.ledger(lab.id))
    return state if state.id == known or (known is None and state.ours) else None


#: How many stacks a lab may be given.
_MOST = 3


def throttled_stack_goes(deps: Deps, lab: Lab) -> bool:
    """Whether the stack that was throttled is still there. It is asked to go; any other one is left alone."""
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
    """The client token to ask for a stack with: another one after each stack that went."""
    before = (lab.facts.stack_id or "").rpartition("/")[2]
    return lab.token(f"stack-{before}" if before else "create-stack")


def anew_or_failed(deps: Deps, lab: Lab, state: StackState) -> StepResult:
    """Ask for another stack if AWS throttled CloudFormation: throttling alone ends no lab.

    Raises ProvisioningFailed for any other cause, or after some stacks.
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
