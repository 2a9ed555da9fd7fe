"""Checks whether a lab is as requested. `provision.verify` calls it; it reads AWS and trusts no earlier request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import field

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import Failure, HealthIssue, Responsible
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.errors.explain import explain_issues
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.labs.aws_states import AddonState, ClusterState, NodegroupState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AccessSpec, AddonSpec
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.progress import is_ready


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
