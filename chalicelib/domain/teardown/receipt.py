"""The receipt: what an independent look at the account found after a teardown, thing by thing."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass


class Outcome(StrEnum):
    """What became of one thing."""

    DELETED = "deleted"
    KEPT = "kept"
    BLOCKED = "blocked"
    PRESENT = "still there"


@dataclass(frozen=True)
class ReceiptLine:
    """One ARN. `reason` says why it was kept, blocked or is still there; `how` why we hold it to be the lab's."""

    arn: str
    kind: str
    outcome: Outcome
    reason: str
    how: str


@dataclass(frozen=True)
class Receipt:
    """One look. `look` is `now`, `after 15 minutes` or `after 24 hours`; `sources` names what was asked, and what could not be."""

    look: str
    taken_at: datetime
    lines: tuple[ReceiptLine, ...]
    sources: tuple[str, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Nothing of the lab's is there against its will, and every source could be read."""
        bad = {Outcome.BLOCKED, Outcome.PRESENT}
        return not self.unreadable and not any(line.outcome in bad for line in self.lines)
