"""Finding, judging and deleting what a lab left behind; shared by `teardown` and `verify_deletion`, a workflow of neither's.

One sweep looks once and deletes what it may: ASL waits and looks again. One bad thing never loses the rest. What is
deleted is on the ledger before it is deleted; what is not the lab's never gets there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone, StillInUse, Transient
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.teardown.deletion_order import INSTANCES, LEFTOVERS, REMAINS, SLOW, STRAGGLERS
from chalicelib.domain.teardown.ownership import Action, OwnershipDecision, judge
from chalicelib.domain.teardown.receipt import Receipt, ReceiptOutcome
from chalicelib.domain.teardown.reconcile import CAME_BACK, reconcile
from chalicelib.domain.teardown.target import target_of, with_cluster
from chalicelib.domain.teardown.volumes import VolumeDecision, decide_volume
from chalicelib.ports.deps import Deps

__all__ = [
    "INSTANCES",
    "LEFTOVERS",
    "REMAINS",
    "STRAGGLERS",
    "SweepOutcome",
    "aim",
    "sweep",
    "take_receipt",
    "target_of",
]


@dataclass
class SweepOutcome:
    """What one sweep did. `remaining`: look again. `blocked`: AWS refused, its words are in the ledger entry's reason.

    `unread` names the kinds that could not be listed, with AWS's words; `in_the_way` is what someone else put into the
    lab's own VPC.
    """

    remaining: list[Resource] = field(default_factory=list)
    deleted: list[Resource] = field(default_factory=list)
    blocked: list[LedgerEntry] = field(default_factory=list)
    kept: list[LedgerEntry] = field(default_factory=list)
    in_the_way: list[tuple[Resource, str]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Everything that could be found is gone or kept."""
        return not (self.remaining or self.blocked or self.unread)


def aim(deps: Deps, lab: Lab, ledger: Sequence[LedgerEntry]) -> Target:
    """The lab's target, with what EKS says of the cluster's name now (someone else may have taken it over)."""
    target = target_of(lab, ledger)
    try:
        return with_cluster(target, deps.cloud(lab.place).clusters.describe(lab.name))
    except ResourceGone:
        return with_cluster(target, None)


def sweep(deps: Deps, lab: Lab, kinds: Iterable[Kind], now: datetime) -> SweepOutcome:
    """Look once for things of these kinds, in order, and delete what is the lab's.

    Raises Transient, after everything else was tried, when something asked for time: run it again.
    """
    run = _Sweep(deps, lab, now)
    for kind in kinds:
        run.sweep_kind(kind)
    if run.hiccup is not None:
        raise run.hiccup
    return run.outcome


def take_receipt(deps: Deps, lab: Lab, look: str, now: datetime) -> Receipt:
    """Take the inventory, reconcile it against the ledger, store the receipt of this look (`now`, `after 15 minutes`, ...)."""
    ledger = deps.store.ledger(lab.id)
    target = aim(deps, lab, ledger)
    found, sources, unreadable = deps.cloud(lab.place).inventory.take(target, ledger)
    receipt = reconcile(look, now, ledger, found, sources, unreadable, target)
    deps.store.put_receipt(lab.id, receipt)
    return receipt


class _Sweep:
    """One run of `sweep`: its target and ledger as read at the start, and what came of it so far."""

    def __init__(self, deps: Deps, lab: Lab, now: datetime) -> None:
        entries = deps.store.ledger(lab.id)
        self.deps, self.lab, self.now = deps, lab, now
        self.ledger = {entry.resource.arn: entry for entry in entries}
        self.target = aim(deps, lab, entries)
        self.leftovers = deps.cloud(lab.place).leftovers
        self.outcome = SweepOutcome()
        self.hiccup: Transient | None = None
        self.ours_around = ""

    def sweep_kind(self, kind: Kind) -> None:
        try:
            found = self.leftovers.find(kind, self.target)
        except Transient as error:
            self.hiccup = error
            return
        except AwsRefused as error:
            self.outcome.unread.append(f"{kind}: {error}")
            return
        self.ours_around = " ".join(resource.id for resource in found if self._judge(resource).ours)
        for resource in found:
            self._treat(resource)
        self._strike_off(kind, {resource.arn for resource in found})

    def _judge(self, resource: Resource) -> OwnershipDecision:
        return judge(resource, self.target, self.ledger)

    def _treat(self, resource: Resource) -> None:
        decision = self._judge(resource)
        match decision.action:
            case Action.DELETE:
                self._see_off(resource, decision)
            case Action.KEEP if resource.arn in self.ledger:
                self._keep(resource, decision.how or self.ledger[resource.arn].how, decision.reason)
            case Action.BLOCK:
                self.outcome.in_the_way.append((resource, decision.reason))

    def _see_off(self, resource: Resource, decision: OwnershipDecision) -> None:
        entry = self._enter(resource, decision)
        volume = decide_volume(resource, self.lab.spec.volumes)
        try:
            if volume is VolumeDecision.KEEP:
                asked = f"The lab was asked to {self.lab.spec.volumes} the volumes of its PVCs."
                self._keep(resource, entry.how, entry.reason if entry.state is EntryState.KEPT else asked)
                return
            if volume is VolumeDecision.SNAPSHOT_THEN_DELETE and not self._snapshot_is_safe(resource):
                self.outcome.remaining.append(resource)
                return
            self._delete(resource, entry)
        except Transient as error:
            self.hiccup = error
            self.outcome.remaining.append(resource)
        except StillInUse as error:
            self._note(replace(entry, state=EntryState.PRESENT, reason=str(error)))
            self.outcome.remaining.append(resource)
        except AwsRefused as error:
            self.outcome.blocked.append(self._note(replace(entry, state=EntryState.BLOCKED, reason=str(error))))

    def _delete(self, resource: Resource, entry: LedgerEntry) -> None:
        try:
            self.leftovers.delete(self._with_leave_to_revoke(resource))
        except ResourceGone:
            self._deleted(entry)
            return
        if resource.kind in SLOW:
            self.outcome.remaining.append(resource)
        else:
            self._deleted(entry)

    def _with_leave_to_revoke(self, resource: Resource) -> Resource:
        """A security group is told which other groups are the lab's: only their rules may be revoked for it."""
        if resource.kind is not Kind.SECURITY_GROUP:
            return resource
        return replace(resource, attributes={**resource.attributes, "may-revoke-from": self.ours_around})

    def _snapshot_is_safe(self, volume: Resource) -> bool:
        """Ask for the snapshot (once); the volume may go when it is complete."""
        snapshot = self.leftovers.snapshot(volume, self.lab.tags)
        self._keep(
            snapshot, "snapshot taken by teardown", f"It holds the contents of {volume.id}, as the lab was asked."
        )
        return snapshot.attributes.get("status") == "completed"

    def _enter(self, resource: Resource, decision: OwnershipDecision) -> LedgerEntry:
        """Put a found thing on the ledger before it is touched; one that came back is present again."""
        entry = self.ledger.get(resource.arn)
        if entry is None:
            entry = LedgerEntry(resource, EntryState.PRESENT, decision.how, self.now, self.now)
            return self._note(entry)
        if entry.state is EntryState.DELETED:
            return self._note(replace(entry, state=EntryState.PRESENT, reason=CAME_BACK))
        if entry.state is EntryState.REQUESTED:
            return self._note(replace(entry, state=EntryState.PRESENT))
        return entry

    def _keep(self, resource: Resource, how: str, reason: str) -> None:
        old = self.ledger.get(resource.arn)
        entry = old or LedgerEntry(resource, EntryState.KEPT, how, self.now, self.now)
        kept = replace(entry, state=EntryState.KEPT, reason=reason)
        self.outcome.kept.append(self._note(kept))

    def _strike_off(self, kind: Kind, found: set[str]) -> None:
        """What is on the ledger and was looked for, but is not there any more, is deleted."""
        for arn, entry in list(self.ledger.items()):
            settled = entry.guest or entry.state in (EntryState.DELETED, EntryState.KEPT)
            if entry.resource.kind is kind and arn not in found and not settled:
                self._deleted(entry)

    def _deleted(self, entry: LedgerEntry) -> None:
        reason = "It came back, and was deleted again." if entry.reason == CAME_BACK else ""
        self._note(replace(entry, state=EntryState.DELETED, reason=reason))
        self.outcome.deleted.append(entry.resource)
        what = entry.resource
        facts = {"arn": what.arn, "kind": str(what.kind), "how": entry.how}
        message = f"Deleted {what.kind} {what.id} ({entry.how})."
        self.deps.store.add_event(self.lab.id, Event(self.now, "resource-deleted", message, facts))

    def _note(self, entry: LedgerEntry) -> LedgerEntry:
        """Write an entry down if it says anything new."""
        if entry != self.ledger.get(entry.resource.arn):
            entry = replace(entry, changed_at=self.now)
            self.ledger[entry.resource.arn] = entry
            self.deps.store.record(self.lab.id, entry)
        return entry


def why_not_clean(receipt: Receipt) -> str:
    """Count and first few ARNs of what is left, with their reasons; and what could not be looked at."""
    left = [line for line in receipt.lines if line.outcome in (ReceiptOutcome.BLOCKED, ReceiptOutcome.PRESENT)]
    first = "; ".join(f"{line.arn} ({line.reason})" for line in left[:3])
    more = f"; and {len(left) - 3} more" if len(left) > 3 else ""
    are = "is" if len(left) == 1 else "are"
    things = f"{len(left)} of the lab's things {are} left: {first}{more}." if left else ""
    unread = f"Could not be looked at: {'; '.join(receipt.unreadable[:3])}." if receipt.unreadable else ""
    return " ".join(part for part in (things, unread) if part)
