"""What to do with a cluster that carries our tags: nothing, adopt it as a lab, end it again, or only report it. See ADR 7.

Called by the sweep once a night. A cluster is ours only by the installation's name on it; anyone can write the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.names import as_tag_value
from chalicelib.domain.core.place import Place
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import OVER, ClusterFacts, Lab, Phase
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec, ExistingNetwork, LabSpec
from chalicelib.domain.teardown.evidence import LAB_TAG

OWNER_TAG = "ekslab:owner"
INSTALLATION_TAG, ENDS_BY_TAG, PROTECTED_TAG = "ekslab:installation", "ekslab:ends-by", "ekslab:protected"


class Orphan(StrEnum):
    """KNOWN: its lab answers for it. ADOPT: make a lab of it. REOPEN: its lab is over, and it is not. FOREIGN: only told."""

    KNOWN = "known"
    ADOPT = "adopt"
    REOPEN = "reopen"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class OrphanDecision:
    """What to do, and a sentence for administrators."""

    action: Orphan
    message: str


def is_overdue(tagged: TaggedCluster, now: datetime) -> bool:
    """Whether its lab can't be alive any more by what its tag says, so that it is worth looking up."""
    try:
        ends_by = datetime.fromisoformat(tagged.tags.get(ENDS_BY_TAG, ""))
    except ValueError:
        return True
    return ends_by.tzinfo is None or ends_by <= now


def decide_orphan(tagged: TaggedCluster, lab: Lab | None, installation: str) -> OrphanDecision:
    """Decide for an overdue cluster; `lab` is the record its tag names, None if there is none."""
    what = f"{tagged.name} in {tagged.region}"
    whose = tagged.tags.get(INSTALLATION_TAG, "")
    if not installation or whose != as_tag_value(installation):
        message = f"belongs to the installation {whose}" if whose else "names no installation"
        return OrphanDecision(Orphan.FOREIGN, f"{what} {message}, so it is left alone.")
    if lab is None:
        return OrphanDecision(Orphan.ADOPT, f"{what} was in no record: it is a lab again, and on the plan.")
    if (lab.account, lab.region, lab.name) != (tagged.place.account, tagged.region, tagged.name):
        return OrphanDecision(Orphan.FOREIGN, f"{what} carries the tag of {lab.id}, which is another cluster.")
    if lab.phase in OVER:
        return OrphanDecision(Orphan.REOPEN, f"{what} outlived its lab {lab.id}: it is one again, and on the plan.")
    return OrphanDecision(Orphan.KNOWN, "")


def adopted_lab(tagged: TaggedCluster, state: ClusterState, nobody: str, installation: str, now: datetime) -> Lab:
    """A lab made of what the cluster says of itself: ready, its lease over, to be planned like any other.

    `nobody`: who owns what names no owner. Raises ValueError for a cluster without a lab's id.
    """
    lab_id = tagged.tags.get(LAB_TAG, "")
    if not lab_id:
        raise ValueError(f"{tagged.arn} carries no lab's id")
    return Lab(
        id=lab_id,
        owner=tagged.tags.get(OWNER_TAG) or nobody,
        account=tagged.place.account,
        spec=_spec(tagged, state),
        phase=Phase.READY,
        created_at=now,
        phase_since=now,
        lease_ends_at=now,
        due_at=now,
        facts=_facts(state),
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
    )


def _spec(tagged: TaggedCluster, state: ClusterState) -> LabSpec:
    public, private = state.public_access, state.private_access
    both = EndpointAccess.PUBLIC_AND_PRIVATE if private else EndpointAccess.PUBLIC
    return LabSpec(
        name=tagged.name,
        region=tagged.region,
        version=state.version,
        network=ExistingNetwork(state.vpc_id),
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
