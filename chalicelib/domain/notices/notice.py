"""Notices: one reminder of one deadline of one cluster for one recipient, and its outcome. See ADR 6."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Severity
from chalicelib.domain.core.place import ClusterKey


class NoticeKind(StrEnum):
    """The kind of a notice."""

    DEADLINE = "deadline"
    DATE_MOVED = "date-moved"
    LEASE_FIRST = "lease-ends-first"
    SOLVED = "solved"
    NODES_BEHIND = "nodes-behind"
    UPGRADED_BY_AWS = "upgraded-by-aws"
    UNREADABLE = "unreadable"
    NO_DATE = "no-date"


class NoticeState(StrEnum):
    """Stored first, sent after. UNHEARD: nobody receives messages for its recipient; it is tried again daily."""

    PENDING = "pending"
    UNHEARD = "unheard"
    SENT = "sent"


class Audience(StrEnum):
    """The role in which the recipient is told."""

    OWNER = "owner"
    TEAM = "team"
    ADMINISTRATORS = "administrators"


@dataclass(frozen=True)
class Notice:
    """`reminder`: days before the deadline (None without escalation). `late_by_days`: 0 when on time.

    Weekly notices count days after the first: 0, -7, -14. `DATE_MOVED` counts the moves: 0, 1, 2. `SOLVED` counts the ends: a
    deadline that a policy brings back ends again. `unheard`: why nobody received it so far.

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
