"""A lab and its life: the record that the store keeps, the phases it goes through, and who may do what to it.

REQUESTED → PROVISIONING → READY → RELEASING → DELETED, with PROVISIONING → ROLLING_BACK → FAILED when a step fails,
READY ⇄ UPDATING, and BLOCKED when something can't be deleted (asking to delete again tries again).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.names import as_tag_value
from chalicelib.domain.spec import LabSpec


class Phase(StrEnum):
    """Where a lab is in its life."""

    REQUESTED = "requested"
    PROVISIONING = "provisioning"
    READY = "ready"
    UPDATING = "updating"
    RELEASING = "releasing"
    ROLLING_BACK = "rolling-back"
    DELETED = "deleted"
    FAILED = "failed"
    BLOCKED = "blocked"


#: The lab is over and its name is free again.
OVER = frozenset({Phase.DELETED, Phase.FAILED})
#: A teardown is running, or has stopped on something it can't delete.
ENDING = frozenset({Phase.RELEASING, Phase.ROLLING_BACK, Phase.BLOCKED})


class Blame(StrEnum):
    """Who can mend a failure."""

    YOURS = "yours to fix"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as API Gateway's IAM authorizer tells it. `arn` may be an assumed-role session."""

    arn: str
    account: str
    source_ip: str | None
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What EKS and the stack told us about what was made; kept so that teardown never needs to ask the cluster itself."""

    arn: str | None = None
    endpoint: str | None = None
    certificate_authority: str | None = None
    oidc_issuer: str | None = None
    cluster_security_group_id: str | None = None
    vpc_id: str | None = None
    stack_id: str | None = None
    stack_outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What a PATCH asks for. None: leave as it is. `nodes` maps a node group's name to its desired count."""

    endpoint_access: str | None = None
    allowed_cidrs: tuple[str, ...] | None = None
    nodes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab. `version` is the store's, for optimistic locking; all instants are aware UTC.

    `due_at` is when the scheduled run must look at it next (a start that may have been lost, the lease's end, a
    receipt to be taken again); None when nothing is due. `run` counts executions, so that execution names are
    deterministic and a second start of the same run is refused by Step Functions.
    """

    id: str
    owner: str
    account: str
    spec: LabSpec
    phase: Phase
    created_at: datetime
    phase_since: datetime
    lease_ends_at: datetime
    due_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    blame: Blame | None = None
    run: int = 0
    facts: ClusterFacts = ClusterFacts()
    change: Change | None = None
    version: int = 0

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.spec.name

    @property
    def region(self) -> str:
        """The cluster's AWS region."""
        return self.spec.region

    @property
    def stack_name(self) -> str:
        """The name of the lab's CloudFormation stack."""
        return f"ekslab-{self.id}"

    @property
    def txt_owner_id(self) -> str:
        """The external-dns TXT owner id: unique to this lab, so that its records can be told from everyone else's."""
        return f"ekslab-{self.id}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that every resource of this lab carries."""
        own = {"ekslab:lab-id": self.id, "ekslab:owner": as_tag_value(self.owner), "ekslab:cluster": self.name}
        return {**self.spec.tags, **own}

    def tags_with(self, more: Mapping[str, str]) -> dict[str, str]:
        """The lab's tags and `more`, which may say otherwise of a person's tags but never of the lab's own."""
        own = {key: value for key, value in self.tags.items() if key.startswith("ekslab:")}
        return {**self.tags, **more, **own}

    def token(self, purpose: str) -> str:
        """A client request token: the same for the same purpose, so that a repeated call is the same call. ≤ 64 characters."""
        return f"{self.id}-{purpose}"[:64]

    def may_be_seen_by(self, caller: Caller) -> bool:
        """Only the owner and administrators see a lab; for everyone else it does not exist."""
        return caller.is_admin or caller.arn == self.owner

    def moved_to(self, phase: Phase, now: datetime, reason: str | None = None, blame: Blame | None = None) -> Lab:
        """The same lab in another phase, since `now`. Over, it has an end."""
        ended = now if phase in OVER else None
        return replace(self, phase=phase, phase_since=now, ended_at=ended, reason=reason, blame=blame)
