"""Notices: one rung of one deadline of one cluster for one recipient, and what has become of it. See ADR 6."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.support.deadlines import Support
from chalicelib.domain.support.fleet import ClusterKey, FleetCluster, Trouble


class NoticeKind(StrEnum):
    """What a notice says."""

    DEADLINE = "deadline"
    DATE_MOVED = "date-moved"
    LEASE_FIRST = "lease-ends-first"
    SOLVED = "solved"
    NODES_BEHIND = "nodes-behind"
    UPGRADED_BY_AWS = "upgraded-by-aws"
    UNREADABLE = "unreadable"


class NoticeState(StrEnum):
    """Written first, sent after."""

    PENDING = "pending"
    SENT = "sent"


class Severity(StrEnum):
    """How loud."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"
    CRITICAL = "critical"


class Audience(StrEnum):
    """As whom the recipient is told."""

    OWNER = "owner"
    TEAM = "team"
    ADMINISTRATORS = "administrators"


@dataclass(frozen=True)
class Notice:
    """`rung`: days before the deadline it was due at (None where there is no ladder). `late_by_days`: 0 when on time.

    What is said weekly counts days after it began: 0, -7, -14. `DATE_MOVED` counts the moves: 0, 1, 2.
    So does `SOLVED` the ends: a deadline that a policy brings back ends again.

    `id` is unique per cluster, kind, deadline, rung and recipient: the same decision twice is one notice.
    """

    key: ClusterKey
    kind: NoticeKind
    deadline_id: str
    rung: int | None
    recipient: str
    audience: Audience
    severity: Severity
    due_at: datetime
    decided_at: datetime
    state: NoticeState = NoticeState.PENDING
    late_by_days: int = 0
    sent_at: datetime | None = None
    message_id: str | None = None
    note: str = ""

    @property
    def id(self) -> str:
        """The row's name."""
        return f"{self.kind}#{self.deadline_id}#{self.rung}#{self.recipient}"


@dataclass(frozen=True)
class Watched:
    """What the service keeps of one cluster: the last good reading, its support, who answers for it, and what people said.

    `told`: deadline ids people were told of. `gone_at`: when EKS no longer listed it. `armed_at`: when its present
    deadlines became known (first seen, upgraded, policy or date changed, no lease ending first any more): nothing due before it is
    late. `upgraded_by_aws_at`: when AWS was found to have raised it to the version it runs. `version` is for optimistic
    locking.
    """

    cluster: FleetCluster
    support: Support
    owner: str | None
    team: str | None
    read_at: datetime
    trouble: Trouble | None = None
    lab_id: str | None = None
    lease_ends_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_deadline: str | None = None
    snoozed_until: datetime | None = None
    told: tuple[str, ...] = ()
    upgraded_by_aws_at: datetime | None = None
    gone_at: datetime | None = None
    armed_at: datetime | None = None
    health_event_arn: str | None = None
    version: int = 0


@dataclass(frozen=True)
class Message:
    """What is sent to one recipient: a subject that reads well plain (≤ 100 characters), a body, facts to filter by."""

    recipient: str
    subject: str
    body: str
    kind: str
    severity: Severity
    account: str
    owner: str
    days: int
    notice_ids: tuple[tuple[ClusterKey, str], ...]
