"""Decides about a cluster with this installation's tags: ignore it, reopen its lab, or report it with evidence (ADR 12).

The curfew run calls it, and an administrator's adoption. Anyone can write tags, so a tag is only a hint: a cluster is ours by
a role that a stack of ours created for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.names import LAB_ID, as_tag_value
from chalicelib.domain.core.place import Place
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.aws_states import ClusterState, StackState, is_own_cluster
from chalicelib.domain.labs.lab import OVER, UNMADE, ClusterFacts, Lab, Phase
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec, ExistingNetwork, LabSpec, NewNetwork
from chalicelib.domain.teardown.evidence import LAB_TAG

INSTALLATION_TAG, ENDS_BY_TAG, PROTECTED_TAG = "ekslab:installation", "ekslab:ends-by", "ekslab:protected"


class Orphan(StrEnum):
    """KNOWN: its lab is on record. REOPEN: its lab is over, and the cluster is alive. FOREIGN: another installation's.

    REPORT: it carries our tags and no record names it; an administrator may adopt it.
    """

    KNOWN = "known"
    REOPEN = "reopen"
    REPORT = "report"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class OrphanDecision:
    """The action, and a sentence for administrators."""

    action: Orphan
    message: str


def is_overdue(tagged: TaggedCluster, now: datetime) -> bool:
    """Whether the end in the cluster's tag has passed, so that the cluster is worth looking up."""
    try:
        ends_by = datetime.fromisoformat(tagged.tags.get(ENDS_BY_TAG, ""))
    except ValueError:
        return True
    return ends_by.tzinfo is None or ends_by <= now


def claimed_lab_id(tagged: TaggedCluster) -> str | None:
    """The lab's id in the tag, if it has the form of one: anybody may write anything there."""
    told = tagged.tags.get(LAB_TAG, "")
    return told if LAB_ID.fullmatch(told) else None


def in_its_region(tagged: TaggedCluster) -> Sentence:
    """The cluster as the beginning of a sentence."""
    return Sentence("{name} in {region}", name=tagged.name, region=tagged.region)


def decide_orphan(tagged: TaggedCluster, lab: Lab | None, state: ClusterState, installation: str) -> OrphanDecision:
    """Decide for an overdue cluster, as EKS returns it. `lab`: the record that its tag names, None if there is none."""
    what = in_its_region(tagged)
    whose = tagged.tags.get(INSTALLATION_TAG, "")
    if not installation or whose != as_tag_value(installation):
        message = (
            Sentence(
                "{what} belongs to the installation {name}, so it is left alone.", what=what, name=as_tag_value(whose)
            )
            if whose
            else Sentence("{what} names no installation, so it is left alone.", what=what)
        )
        return OrphanDecision(Orphan.FOREIGN, message)
    if lab is None:
        return OrphanDecision(
            Orphan.REPORT, Sentence("{what} bears this installation's tags, and no record knows it.", what=what)
        )
    if (lab.account, lab.region, lab.name) != (tagged.place.account, tagged.region, tagged.name):
        return OrphanDecision(
            Orphan.FOREIGN,
            Sentence("{what} carries the tag of {lab}, which is another cluster.", what=what, lab=lab.id),
        )
    if lab.phase in UNMADE or not is_own_cluster(lab, state):
        return OrphanDecision(
            Orphan.REPORT,
            Sentence("{what} carries the tag of {lab}, and is not the cluster that it made.", what=what, lab=lab.id),
        )
    if lab.phase in OVER:
        return OrphanDecision(
            Orphan.REOPEN,
            Sentence("{what} outlived its lab {lab}: it is one again, and on the plan.", what=what, lab=lab.id),
        )
    return OrphanDecision(Orphan.KNOWN, "")


def describe_provenance(tagged: TaggedCluster, state: ClusterState, stack: StackState | None, made: bool) -> str:
    """The creator of the cluster, as far as known, and an administrator's options. `made`: the stack created its role."""
    role = state.role_arn.rpartition("/")[2] if state.role_arn else Sentence("a role unknown")
    if not made or stack is None:
        return Sentence("Its role {role} is not one that a stack of this service made: it stays as it is.", role=role)
    place = tagged.place
    named = f"{place.account}/{place.region}/{tagged.name}"
    return Sentence(
        "Its role {role} was made by the stack {stack}. `ekslab adopt {named}` makes it a lab again.",
        role=role,
        stack=stack.id,
        named=named,
    )


def is_made_by(state: ClusterState, stack: StackState, resources: Sequence[Resource]) -> bool:
    """Whether this stack of ours created a role of the cluster: only this service passes such a role to EKS."""
    roles = {thing.arn for thing in resources if thing.kind is Kind.ROLE}
    return stack.ours and state.role_arn is not None and state.role_arn in roles


def adopted_lab(
    tagged: TaggedCluster, state: ClusterState, stack: StackState, owner: str, installation: str, now: datetime
) -> Lab:
    """A lab from the cluster and its stack: ready, its lease over, to be planned like any other.

    It is as old as its stack, so that none of its own resources counts as older. `owner`: the principal of administrators.
    Raises ValueError for a cluster without a lab's id.
    """
    lab_id = claimed_lab_id(tagged)
    if lab_id is None:
        raise ValueError(f"{tagged.arn} carries no lab's id")
    return Lab(
        id=lab_id,
        owner=owner,
        account=tagged.place.account,
        spec=_spec(tagged, state, stack),
        phase=Phase.READY,
        created_at=stack.created_at or state.created_at or now,
        phase_since=now,
        lease_ends_at=now,
        due_at=now,
        facts=replace(_facts(state), stack_id=stack.id, stack_outputs=dict(stack.outputs)),
        adopted=True,
        installation=installation,
    )


def _facts(state: ClusterState) -> ClusterFacts:
    return ClusterFacts(
        arn=state.arn,
        endpoint=state.endpoint,
        certificate_authority=state.certificate_authority,
        oidc_issuer=state.oidc_issuer,
        cluster_security_group_id=state.cluster_security_group_id,
        vpc_id=state.vpc_id,
        created_at=state.created_at,
    )


def _spec(tagged: TaggedCluster, state: ClusterState, stack: StackState) -> LabSpec:
    public, private = state.public_access, state.private_access
    both = EndpointAccess.PUBLIC_AND_PRIVATE if private else EndpointAccess.PUBLIC
    return LabSpec(
        name=tagged.name,
        region=tagged.region,
        version=state.version,
        network=NewNetwork() if stack.outputs.get("VpcId") == state.vpc_id else ExistingNetwork(state.vpc_id),
        endpoint=EndpointSpec(both if public else EndpointAccess.PRIVATE, state.allowed_cidrs),
        nodegroups=(),
    )


@dataclass(frozen=True)
class TaggedCluster:
    """An EKS cluster as the tagging API lists it."""

    arn: str
    name: str
    region: str
    tags: Mapping[str, str]

    @property
    def place(self) -> Place:
        """The account, as the ARN says it, and the region."""
        return Place(self.arn.split(":")[4], self.region)
