"""Notices: one reminder of one deadline of one cluster for one recipient, and what has become of it. See ADR 6."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Severity
from chalicelib.domain.core.place import ClusterKey


class NoticeKind(StrEnum):
    """What a notice says."""

    DEADLINE = "deadline"
    DATE_MOVED = "date-moved"
    LEASE_FIRST = "lease-ends-first"
    SOLVED = "solved"
    NODES_BEHIND = "nodes-behind"
    UPGRADED_BY_AWS = "upgraded-by-aws"
    UNREADABLE = "unreadable"
    NO_DATE = "no-date"


class NoticeState(StrEnum):
    """Written first, sent after. UNHEARD: nobody takes messages for its recipient; it is tried again daily."""

    PENDING = "pending"
    UNHEARD = "unheard"
    SENT = "sent"


class Audience(StrEnum):
    """As whom the recipient is told."""

    OWNER = "owner"
    TEAM = "team"
    ADMINISTRATORS = "administrators"


@dataclass(frozen=True)
class Notice:
    """`reminder`: days before the deadline it was due at (None where there is no escalation). `late_by_days`: 0 when on time.

    What is said weekly counts days after it began: 0, -7, -14. `DATE_MOVED` counts the moves: 0, 1, 2.
    So does `SOLVED` the ends: a deadline that a policy brings back ends again. `unheard`: why nobody took it so far.

    `id` is unique per cluster, kind, deadline, reminder and recipient: the same decision twice is one notice.
    """

    key: ClusterKey
    kind: NoticeKind
    deadline_id: str
    reminder: int | None
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
    unheard: str = ""

    @property
    def id(self) -> str:
        """The row's name."""
        return f"{self.kind}#{self.deadline_id}#{self.reminder}#{self.recipient}"
