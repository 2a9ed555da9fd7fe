"""The receipt: the result of an independent inventory after a teardown, one line a resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import format_instant
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import VolumePolicy

_VOLUMES = {
    VolumePolicy.DELETE: Sentence("deleted"),
    VolumePolicy.SNAPSHOT: Sentence("snapshotted, then deleted; the snapshots stay"),
    VolumePolicy.KEEP: Sentence("kept, and go on costing"),
}


class ReceiptOutcome(StrEnum):
    """The outcome of one resource."""

    DELETED = "deleted"
    KEPT = "kept"
    LEFT = "left"
    BLOCKED = "blocked"
    PRESENT = "still there"


class Wait(StrEnum):
    """The event that a remaining resource waits for; NOTHING: it has a cause of its own."""

    NOTHING = ""
    DELETION = "its own deletion"
    STACK = "the lab's stack"
    CLUSTER = "the control plane"


@dataclass(frozen=True)
class ReceiptLine:
    """One ARN. `reason` says why it was kept, left, blocked or remains; `how` why it counts as the lab's.

    For resources that are left: `creator` by CloudTrail (empty: unknown), the monthly cost (None: unknown), and the command
    with which a person with permission deletes it, also if AWS refused the deletion to us. `caused_by` is the ARN of the
    line that holds this one (empty: no holder, or an unknown one). `waits_for` is set on consequences.
    """

    arn: str
    kind: str
    outcome: ReceiptOutcome
    reason: str
    how: str
    creator: str = ""
    usd_month: float | None = None
    command: str = ""
    caused_by: str = ""
    waits_for: Wait = Wait.NOTHING


@dataclass(frozen=True)
class Receipt:
    """One look. `look` is `now`, `after 15 minutes` or `after 24 hours`; `sources`: the sources read, and the unreadable ones."""

    look: str
    taken_at: datetime
    lines: tuple[ReceiptLine, ...]
    sources: tuple[str, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether no proved resource of the lab remains against its will, nothing blocks it, and every source could be read."""
        bad = {ReceiptOutcome.BLOCKED, ReceiptOutcome.PRESENT}
        return not self.unreadable and not any(line.outcome in bad for line in self.lines)

    @property
    def left(self) -> tuple[ReceiptLine, ...]:
        """The resources that a claim, but no proof, links to the lab. They stay until somebody settles them."""
        return tuple(line for line in self.lines if line.outcome is ReceiptOutcome.LEFT)

    @property
    def clean(self) -> bool:
        """Whether no resource of the lab remains against its will, every source could be read, and no claim is unexplained."""
        return self.done and not self.left


def verdict(lab: Lab, receipts: Sequence[Receipt], why: str = "") -> str:
    """Sentences for people; `receipts` in order of taking, at least one. `why`: why the newest is not done."""
    newest = receipts[-1]
    counts = Counter(line.outcome for line in newest.lines)
    told = [_counted(outcome, counts[outcome]) for outcome in ReceiptOutcome if counts[outcome]]
    opening = _opening(newest, counts, why)
    chosen = _VOLUMES[lab.spec.volumes]
    said = Sentence(
        "{opening} Looked {look}, {at}: {told}. Volumes of PersistentVolumeClaims were to be {chosen}.",
        opening=opening,
        look=_look(newest.look),
        at=format_instant(newest.taken_at),
        told=Listed(told, between=", ") if told else Sentence("nothing to tell"),
        chosen=chosen,
    )
    if not lab.facts.lifted:
        return said
    lifted = Sentence("When it was deleted: {what} That was lifted.", what=lab.facts.lifted)
    return Listed((said, lifted), between=" ")


def _counted(outcome: ReceiptOutcome, number: int) -> Sentence:
    return {
        ReceiptOutcome.DELETED: Sentence("{n} deleted", n=number),
        ReceiptOutcome.KEPT: Sentence("{n} kept", n=number),
        ReceiptOutcome.LEFT: Sentence("{n} left", n=number),
        ReceiptOutcome.BLOCKED: Sentence("{n} blocked", n=number),
        ReceiptOutcome.PRESENT: Sentence("{n} still there", n=number),
    }[outcome]


def _look(look: str) -> str:
    looks: dict[str, str] = {
        text: text for text in (Sentence("now"), Sentence("after 15 minutes"), Sentence("after 24 hours"))
    }
    return looks.get(look, look)


def _opening(receipt: Receipt, counts: Counter[ReceiptOutcome], why: str) -> str:
    there = counts[ReceiptOutcome.PRESENT] + counts[ReceiptOutcome.BLOCKED]
    if there:
        left = Sentence(
            "Not empty: {n} of the lab's things is still there.",
            "Not empty: {n} of the lab's things are still there.",
            n=there,
        )
        return Listed((left, why), between=" ") if why else left
    if receipt.unreadable:
        return Sentence(
            "Not proved: {number} of {of} sources could not be read.",
            number=len(receipt.unreadable),
            of=len(receipt.sources),
        )
    if counts[ReceiptOutcome.LEFT]:
        return Sentence(
            "Nothing proved as the lab's is left; {n} thing looks like the lab's, unproved, and stays.",
            "Nothing proved as the lab's is left; {n} things look like the lab's, unproved, and stay.",
            n=counts[ReceiptOutcome.LEFT],
        )
    if counts[ReceiptOutcome.KEPT]:
        return Sentence("Nothing of the lab's is left but what is kept on purpose.")
    return Sentence("Nothing of the lab's is left.")
