"""The cluster and the stack that are the lab's, as AWS has them now; what only bears their names is not."""

from __future__ import annotations

from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.labs.aws_states import ClusterState, StackState
from chalicelib.domain.labs.cluster_identity import is_own_cluster
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import STEPS, StepStatus
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
    return ResourceGone("eks:DescribeCluster", "NotSeenYet", f"EKS does not know {lab.name} yet, which was asked for.")


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
