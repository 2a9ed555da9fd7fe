"""Records the state of a cluster and its parts for `provision`, decides whether they are ready, and at the end checks whether
the lab is as requested: that reads AWS and trusts no earlier request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import field

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import Failure, HealthIssue, Responsible
from chalicelib.domain.core.resources import ASKED_FOR, BY_EKS, EntryState, Kind
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.errors.explain import explain_issues
from chalicelib.domain.errors.tree import ProvisioningFailed, ResourceGone
from chalicelib.domain.labs.arns import cluster_of, ec2_thing, part_of_cluster
from chalicelib.domain.labs.aws_states import AddonState, ClusterState, NodegroupState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.spec import AccessSpec, AddonSpec
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
    own = part_of_cluster(at.lab, Kind.ADDON, state.name, state.arn)
    enter(deps, at.lab, [own], EntryState.PRESENT, at.now, ASKED_FOR)


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


@dataclass
class Findings:
    """`missing` keeps the lab from being ready; `notes` are for people; `issues`: EKS's own words on missing parts."""

    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    issues: list[HealthIssue] = field(default_factory=list)

    @property
    def failure(self) -> Failure:
        """Why the lab did not become ready."""
        words = joined(self.missing, "; ")
        if self.issues:
            return explain_issues(self.issues, words)
        return Failure(
            "verification-failed",
            Sentence("The lab was made, but is not as it should be: {words}.", words=words),
            Responsible.OURS,
            words,
        )


def findings_of(
    deps: Deps, lab: Lab, addons: Sequence[AddonSpec], access: Sequence[AccessSpec], optional: Collection[str] = ()
) -> Findings:
    """Check the endpoint, the nodes, the add-ons and the access entries; a missing `optional` principal is only a note."""
    clusters, found = deps.cloud(lab.place).clusters, Findings()
    _endpoint(deps, lab, clusters.describe(lab.name), found)
    for nodegroup in lab.spec.nodegroups:
        try:
            _nodes(clusters.nodegroup(lab.name, nodegroup.name), found)
        except ResourceGone:
            found.missing.append(Sentence("node group {name} is not there", name=nodegroup.name))
    for addon in addons:
        try:
            _addon(lab, clusters.addon(lab.name, addon.name), found)
        except ResourceGone:
            found.missing.append(Sentence("add-on {name} is not there", name=addon.name))
    entries = {entry.principal_arn: set(entry.policies) for entry in clusters.access_entries(lab.name)}
    for one in access:
        if not _granted(one, entries):
            (found.notes if one.principal_arn in optional else found.missing).append(
                Sentence("{principal_arn} has no access", principal_arn=one.principal_arn)
            )
    return found


def _endpoint(deps: Deps, lab: Lab, cluster: ClusterState, found: Findings) -> None:
    if cluster.status != "ACTIVE" or not cluster.endpoint:
        found.missing.append(Sentence("the control plane is {status}", status=cluster.status))
        return
    probe = deps.cloud(lab.place).kubernetes.probe(cluster.endpoint, cluster.certificate_authority)
    if not probe.addresses:
        found.missing.append(Sentence("the endpoint's name {host} does not resolve yet", host=probe.host))
    elif probe.answered:
        found.notes.append(Sentence("the API server answers: {version}", version=probe.version or ""))
    else:
        found.notes.append(
            Sentence(
                "the API server does not let this service ask, which is normal here ({problem})",
                problem=probe.problem or "",
            )
        )


def _nodes(state: NodegroupState, found: Findings) -> None:
    if state.status != "ACTIVE":
        found.missing.append(Sentence("node group {name} is {status}", name=state.name, status=state.status))
    if not state.asg_names:
        found.missing.append(Sentence("node group {name} has no Auto Scaling group yet", name=state.name))
    _issues(Sentence("node group {name}", name=state.name), state.issues, found)


def _addon(lab: Lab, state: AddonState, found: Findings) -> None:
    if state.lacks_only_nodes and is_ready(lab, state):
        found.notes.append(Sentence("add-on {name} waits for nodes, of which the lab has none", name=state.name))
        return
    if state.status != "ACTIVE":
        found.missing.append(Sentence("add-on {name} is {status}", name=state.name, status=state.status))
    _issues(Sentence("add-on {name}", name=state.name), state.issues, found)


def _issues(what: str, issues: Iterable[HealthIssue], found: Findings) -> None:
    for issue in issues:
        found.issues.append(issue)
        found.missing.append(Sentence("{what}: {reason}", what=what, reason=f"{issue.code}: {issue.message}"))


def _granted(access: AccessSpec, entries: dict[str, set[str]]) -> bool:
    return access.principal_arn in entries and {p.policy_arn for p in access.policies} <= entries[access.principal_arn]
