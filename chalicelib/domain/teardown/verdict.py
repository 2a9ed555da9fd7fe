"""The receipt in one sentence: what the newest look found, in numbers, and what became of PVC volumes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chalicelib.domain.core.instants import instant_told
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.domain.teardown.receipt import Outcome, Receipt

_VOLUMES = {
    VolumePolicy.DELETE: "deleted",
    VolumePolicy.SNAPSHOT: "snapshotted, then deleted; the snapshots stay",
    VolumePolicy.KEEP: "kept, and go on costing",
}


def verdict(lab: Lab, receipts: Sequence[Receipt]) -> str:
    """Sentences for people; `receipts` in order of taking, at least one."""
    newest = receipts[-1]
    counts = Counter(line.outcome for line in newest.lines)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]) or "nothing to tell"
    opening = _opening(newest, counts)
    chosen = _VOLUMES[lab.spec.volumes]
    return (
        f"{opening} Looked {newest.look}, {instant_told(newest.taken_at)}: {told}. "
        f"Volumes of PersistentVolumeClaims were to be {chosen}."
    )


def _opening(receipt: Receipt, counts: Counter[Outcome]) -> str:
    there = counts[Outcome.PRESENT] + counts[Outcome.BLOCKED]
    if there:
        return f"Not empty: {there} of the lab's things {'is' if there == 1 else 'are'} still there."
    if receipt.unreadable:
        return f"Not proved: {len(receipt.unreadable)} of {len(receipt.sources)} sources could not be read."
    if counts[Outcome.KEPT]:
        return "Nothing of the lab's is left but what is kept on purpose."
    return "Nothing of the lab's is left."
