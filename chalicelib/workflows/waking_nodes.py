"""Whether the nodes of a waking lab are there: running in EC2, healthy to EKS, and Ready to Kubernetes where it can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import Blame, Failure
from chalicelib.domain.errors.explain import explain_issues
from chalicelib.domain.labs.aws_states import HealthIssue, NodegroupState
from chalicelib.domain.labs.lab import Lab, NodegroupSize
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.scaling import nodegroups_of


@dataclass(frozen=True)
class NodesSeen:
    """`missing` keeps the lab from being awake; `issues` are EKS's own words for it; `note` says what was looked at."""

    missing: tuple[str, ...]
    issues: tuple[HealthIssue, ...]
    note: str

    def failure(self, minutes: int) -> Failure:
        """Why the lab did not wake."""
        words = "; ".join(self.missing)
        if self.issues:
            return explain_issues(self.issues, words)
        return Failure("nodes-not-ready", f"After {minutes} minutes nodes are missing: {words}.", Blame.OURS, words)


def nodes_of(deps: Deps, lab: Lab, sizes: Sequence[NodegroupSize]) -> NodesSeen:
    """Look at the node groups that were put to sleep and are to have nodes again."""
    known = {size.name for size in sizes if size.desired}
    states = [state for state in nodegroups_of(deps, lab) if state.name in known]
    cloud = deps.cloud(lab.place)
    running, asked = cloud.network.running_nodes(lab.name), cloud.kubernetes.nodes(lab)
    ready = asked.ready if asked.reachable else None
    missing = [told for state in states for told in _missing(state, running, ready)]
    nodes = sum(state.desired for state in states)
    by = (
        "say Ready"
        if ready is not None
        else f"run, and EKS finds no fault (Kubernetes can't be asked: {asked.problem})"
    )
    issues = tuple(issue for state in states for issue in state.issues)
    return NodesSeen(
        tuple(missing), issues, f"{nodes} of {nodes} nodes {by}" if nodes else "There are no nodes to wait for"
    )


def _missing(state: NodegroupState, running: Mapping[str, int], ready: Mapping[str, int] | None) -> Iterator[str]:
    if state.status != "ACTIVE":
        yield f"{state.name} is {state.status}"
    yield from (f"{state.name}: {issue.code}: {issue.message}" for issue in state.issues)
    if running.get(state.name, 0) < state.desired:
        yield f"{state.name}: {running.get(state.name, 0)} of {state.desired} nodes run"
    elif ready is not None and ready.get(state.name, 0) < state.desired:
        yield f"{state.name}: {ready.get(state.name, 0)} of {state.desired} nodes are Ready"
