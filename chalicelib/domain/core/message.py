"""A message to people: its subject, its text and how grave it is."""

from __future__ import annotations

from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import ClusterKey


class Severity(StrEnum):
    """How loud."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"
    CRITICAL = "critical"


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
    days: int = 0
    notice_ids: tuple[tuple[ClusterKey, str], ...] = ()
