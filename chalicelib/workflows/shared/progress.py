"""Records the state of a cluster and its parts for `provision`, and decides whether they are ready."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.core.resources import ASKED_FOR, BY_EKS, EntryState, Kind
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.errors.explain import explain_issues
from chalicelib.domain.errors.tree import ProvisioningFailed
from chalicelib.domain.labs.arns import cluster_of, ec2_thing, part_of_cluster
from chalicelib.domain.labs.aws_states import AddonState, ClusterState, NodegroupState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.steps import Result, StepResult
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.records import again_or_failed, enter, learn
from chalicelib.workflows.shared.runner import StepInput

ENDED_BADLY = frozenset({"CREATE_FAILED", "DEGRADED", "DELETING", "DELETE_FAILED", "FAILED"})


def note_cluster(deps: Deps, at: StepInput, state: ClusterState) -> None:
    """Record EKS's facts of the control plane; its security group goes on the ledger when first seen."""
    lab, group = at.lab, state.cluster_security_group_id
    enter(deps, lab, [cluster_of(lab)], EntryState.PRESENT, at.now, ASKED_FOR)
    if group is not None:
        own = ec2_thing(lab, Kind.SECURITY_GROUP, group, vpc_id=state.vpc_id or lab.facts.vpc_id or "")
        enter(deps, lab, [own], EntryState.PRESENT, at.now, BY_EKS)
    message = {
        "arn": state.arn,
        "endpoint": state.endpoint,
        "certificate_authority": state.certificate_authority,
        "oidc_issuer": state.oidc_issuer,
        "cluster_security_group_id": group,
        "vpc_id": state.vpc_id,
        "created_at": state.created_at,
        "version": state.version or None,
    }
    learn(deps, lab, **{name: fact for name, fact in message.items() if fact is not None})


def note_nodegroup(deps: Deps, at: StepInput, state: NodegroupState) -> None:
    """Put a node group on the ledger, with the names of its Auto Scaling groups as soon as it has them."""
    groups = {"asg_names": ",".join(state.asg_names)} if state.asg_names else {}
    own = part_of_cluster(at.lab, Kind.NODEGROUP, state.name, state.arn, **groups)
    enter(deps, at.lab, [own], EntryState.PRESENT, at.now, ASKED_FOR)


def note_addon(deps: Deps, at: StepInput, state: AddonState) -> None:
    """Put an add-on on the ledger."""
    enter(
        deps,
        at.lab,
        [part_of_cluster(at.lab, Kind.ADDON, state.name, state.arn)],
        EntryState.PRESENT,
        at.now,
        ASKED_FOR,
    )


def is_ready(lab: Lab, state: NodegroupState | AddonState) -> bool:
    """Whether it is ACTIVE, or an add-on that lacks only nodes in a lab that was requested without any."""
    if state.status == "ACTIVE":
        return True
    wants_nodes = any(group.desired for group in lab.spec.nodegroups)
    return isinstance(state, AddonState) and state.lacks_only_nodes and not wants_nodes


def all_active(
    step: str,
    at: StepInput,
    what: str,
    states: Sequence[NodegroupState | AddonState],
    bad: frozenset[str] = ENDED_BADLY,
) -> StepResult:
    """Done when all are ready. Raises ProvisioningFailed when one ended badly, or the polling policy is exhausted."""
    message = joined((_state(state) for state in states), ", ")
    failed = [state for state in states if state.status in bad]
    if failed:
        issues = [issue for state in failed for issue in state.issues]
        raise ProvisioningFailed(explain_issues(issues, message))
    if all(is_ready(at.lab, state) for state in states):
        return StepResult(Result.DONE, message)
    issues = [issue for state in states if not is_ready(at.lab, state) for issue in state.issues]
    if issues and POLL_POLICIES[step].is_out(at.attempt):
        raise ProvisioningFailed(explain_issues(issues, message))
    return again_or_failed(step, at, f"A {what}", message)


def _state(state: NodegroupState | AddonState) -> str:
    return joined((Sentence("{name} is {status}", name=state.name, status=state.status), _complaints(state)))


def _complaints(state: NodegroupState | AddonState) -> str:
    return f" ({'; '.join(f'{issue.code}: {issue.message}' for issue in state.issues)})" if state.issues else ""
