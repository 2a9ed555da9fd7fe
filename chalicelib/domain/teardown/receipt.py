"""The receipt: what an independent look at the account found after a teardown, thing by thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import format_instant
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import VolumePolicy

_VOLUMES = {
    VolumePolicy.DELETE: "deleted",
    VolumePolicy.SNAPSHOT: "snapshotted, then deleted; the snapshots stay",
    VolumePolicy.KEEP: "kept, and go on costing",
}


class ReceiptOutcome(StrEnum):
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
    outcome: ReceiptOutcome
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
        bad = {ReceiptOutcome.BLOCKED, ReceiptOutcome.PRESENT}
        return not self.unreadable and not any(line.outcome in bad for line in self.lines)


def verdict(lab: Lab, receipts: Sequence[Receipt]) -> str:
    """Sentences for people; `receipts` in order of taking, at least one."""
    newest = receipts[-1]
    counts = Counter(line.outcome for line in newest.lines)
    message = (
        ", ".join(f"{counts[outcome]} {outcome}" for outcome in ReceiptOutcome if counts[outcome]) or "nothing to tell"
    )
    opening = _opening(newest, counts)
    chosen = _VOLUMES[lab.spec.volumes]
    return (
        f"{opening} Looked {newest.look}, {format_instant(newest.taken_at)}: {message}. "
        f"Volumes of PersistentVolumeClaims were to be {chosen}."
    )


def _opening(receipt: Receipt, counts: Counter[ReceiptOutcome]) -> str:
    there = counts[ReceiptOutcome.PRESENT] + counts[ReceiptOutcome.BLOCKED]
    if there:
        return f"Not empty: {there} of the lab's things {'is' if there == 1 else 'are'} still there."
    if receipt.unreadable:
        return f"Not proved: {len(receipt.unreadable)} of {len(receipt.sources)} sources could not be read."
    if counts[ReceiptOutcome.KEPT]:
        return "Nothing of the lab's is left but what is kept on purpose."
    return "Nothing of the lab's is left."
