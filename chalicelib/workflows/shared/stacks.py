"""Makes a lab's stack anew where AWS throttled CloudFormation while it made it: throttling alone ends no lab."""

from __future__ import annotations

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.explain import explain_stack
from chalicelib.domain.errors.failure_causes import THROTTLED
from chalicelib.domain.errors.tree import ProvisioningFailed, ResourceGone
from chalicelib.domain.labs.aws_states import StackState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import Result, StepResult
from chalicelib.ports.deps import Deps

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
    """Send the workflow back to ask for another stack. Raises ProvisioningFailed for any other cause, or after some stacks."""
    made = [entry for entry in deps.store.ledger(lab.id) if entry.resource.kind is Kind.STACK]
    if not _is_throttled(state) or len(made) >= _MOST:
        raise ProvisioningFailed(explain_stack(state.failure or f"The stack is {state.status}."))
    return StepResult(Result.ASKED, f"AWS throttled CloudFormation, so the stack is made anew: {state.failure}")


def _is_throttled(state: StackState) -> bool:
    return state.failure is not None and explain_stack(state.failure).code == THROTTLED.code
