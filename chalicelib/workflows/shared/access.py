"""Access entries that a lab grants: deleted when it hibernates or ends, created again when it wakes.

They are people's entries, and the service's own read-only one. Entries of node roles, or of other creators, are never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.resources import ASKED_FOR, EntryState, Kind
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.errors.not_yet_known import is_not_yet_known
from chalicelib.domain.errors.patience import Waited, pause_for
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone
from chalicelib.domain.labs.access_role import access_role_arn
from chalicelib.domain.labs.arns import part_of_cluster, partition_of_lab
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import AccessPolicySpec, AccessSpec
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.records import enter, learn

#: The type of entries that people and their tools log in with; all others belong to nodes and to EKS itself.
_PEOPLE = "STANDARD"


def people_of(lab: Lab) -> tuple[AccessSpec, ...]:
    """Entries for people: the requested ones, the owner's by the access role, and the work host's."""
    return tuple(access for access in access_of(lab) if access.type == _PEOPLE)


def of_other_accounts(lab: Lab) -> frozenset[str]:
    """Requested principals of other accounts, which can't be looked up: a lab is ready without them."""
    return frozenset(one.principal_arn for one in lab.spec.access if one.principal_arn.split(":")[4] != lab.account)


def own_of(lab: Lab) -> tuple[AccessSpec, ...]:
    """The service's own read-only entry, if the lab has one."""
    return (view_of(lab, lab.facts.view_role_arn),) if lab.facts.view_role_arn else ()


def revoke_all(deps: Deps, lab: Lab, now: datetime) -> tuple[str, ...]:
    """Delete all of them; return AWS's refusals as sentences. A missing entry, or cluster, is success."""
    refused = []
    for access in (*people_of(lab), *own_of(lab)):
        try:
            deps.cloud(lab.place).clusters.revoke_access(lab.name, access.principal_arn)
        except AwsRefused as error:
            refused.append(Sentence("{what}: {reason}", what=access.principal_arn, reason=error.message))
        else:
            _settle(deps, lab, access.principal_arn, now)
    return tuple(refused)


def not_taken_back(refused: Iterable[str]) -> Sentence:
    """The refusals of `revoke_all` in one sentence."""
    return Sentence("Not taken back: {what}.", what=joined(refused, "; "))


def grant_all(deps: Deps, lab: Lab, access: Iterable[AccessSpec], now: datetime) -> dict[str, AwsRefused]:
    """Create these entries; return AWS's refusals by principal. A refusal does not stop the others.

    Raises ResourceGone if the cluster is gone. A refusal because AWS does not know something yet is returned like any other.
    """
    refused = {}
    for one in access:
        try:
            grant(deps, lab, one, now)
        except AwsRefused as error:
            if isinstance(error, ResourceGone) and not is_not_yet_known(error, "wake"):
                raise
            refused[one.principal_arn] = error
    return refused


def first_to_wait_for(refused: Mapping[str, AwsRefused], workflow: str, waited: Waited) -> AwsRefused | None:
    """The first refusal that is worth waiting for, after the time waited so far."""
    waiting = (error for error in refused.values() if pause_for(error, workflow, "", waited) is not None)
    return next(waiting, None)


def grant_own(deps: Deps, lab: Lab, now: datetime, workflow: str, waited: Waited) -> str:
    """Create the service's read-only entry; return the result as a sentence. Without the entry, a lab's idleness is still judged.

    Raises ResourceGone if the cluster is gone, and refusals that are worth waiting for.
    """
    role = deps.cloud(lab.place).kubernetes.view_role()
    try:
        grant(deps, lab, view_of(lab, role), now)
    except AwsRefused as error:
        if isinstance(error, ResourceGone) or pause_for(error, workflow, "", waited) is not None:
            raise
        learn(deps, lab, view_role_arn=None)
        return Sentence("What runs can't be seen by this service ({role}: {message})", role=role, message=error.message)
    learn(deps, lab, view_role_arn=role)
    return Sentence("What runs is seen by this service ({role})", role=role)


def grant(deps: Deps, lab: Lab, access: AccessSpec, now: datetime) -> None:
    """Create one entry and write it on the ledger. Raises AwsRefused."""
    arn = deps.cloud(lab.place).clusters.grant_access(lab, access)
    own = part_of_cluster(lab, Kind.ACCESS_ENTRY, access.principal_arn, arn)
    enter(deps, lab, [own], EntryState.PRESENT, now, ASKED_FOR)


def _settle(deps: Deps, lab: Lab, principal_arn: str, now: datetime) -> None:
    for entry in deps.store.ledger(lab.id):
        own = entry.resource.kind is Kind.ACCESS_ENTRY and entry.resource.id == principal_arn
        if own and entry.state is not EntryState.DELETED:
            deps.store.record(lab.id, replace(entry, state=EntryState.DELETED, changed_at=now, reason=""))


def access_of(lab: Lab) -> tuple[AccessSpec, ...]:
    """The requested entries, the owner's access role's, and the work host's, so that kubectl works there without anyone's keys."""
    host = lab.facts.stack_outputs.get("WorkHostRoleArn") if lab.spec.work_host is not None else None
    own = (role for role in (access_role_arn(lab), host) if role is not None)
    return (*lab.spec.access, *(_access(lab, role, "AmazonEKSClusterAdminPolicy") for role in own))


def in_words(lab: Lab, access: AccessSpec) -> str:
    """The principal of an entry, as the lab's history names it."""
    is_owners = access.principal_arn == access_role_arn(lab)
    name = access.principal_arn
    return Sentence("{name} (for {owner})", name=name, owner=lab.owner) if is_owners else name


def view_of(lab: Lab, role_arn: str) -> AccessSpec:
    """The service's own entry: it may read workloads in the cluster, but neither secrets nor nodes."""
    return _access(lab, role_arn, "AmazonEKSViewPolicy")


def _access(lab: Lab, role_arn: str, policy: str) -> AccessSpec:
    arn = f"arn:{partition_of_lab(lab)}:eks::aws:cluster-access-policy/{policy}"
    return AccessSpec(role_arn, (AccessPolicySpec(arn),))
