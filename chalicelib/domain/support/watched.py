"""A watched cluster: its assessment, its owners, its lab."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.support.deadlines import Support, SupportPhase
from chalicelib.domain.support.fleet import FleetCluster, ReadFailure


@dataclass(frozen=True)
class Watched:
    """The service's record of one cluster: the last good reading, its support, its owners, and people's answers.

    `other_owners`: the owners in other tags. They get the owner's messages, also after the owner acknowledged a deadline.
    `gone_at`: when EKS no longer listed it. `armed_at`: when its present
    deadlines became known (first seen, upgraded, policy or date changed, no earlier end of a lease): nothing due before it is
    late. `upgraded_by_aws_at`: when AWS was found to have upgraded it to its version. `version_since`: when it was
    first seen to run its version, None if it ran it when it was first seen. `version` is for optimistic
    locking.
    """

    cluster: FleetCluster
    support: Support
    owner: str | None
    team: str | None
    read_at: datetime
    trouble: ReadFailure | None = None
    lab_id: str | None = None
    lease_ends_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_deadline: str | None = None
    snoozed_until: datetime | None = None
    other_owners: tuple[str, ...] = ()
    upgraded_by_aws_at: datetime | None = None
    version_since: datetime | None = None
    gone_at: datetime | None = None
    armed_at: datetime | None = None
    health_event_arn: str | None = None
    version: int = 0

    @property
    def is_undated(self) -> bool:
        """Whether no calendar has dates for its version: AWS may upgrade it at any time, so it is listed first."""
        return self.support.phase is SupportPhase.UNKNOWN and bool(self.cluster.version) and not self.support.deadlines
