"""Finds, judges and deletes a lab's leftovers for `teardown` and `verify_deletion`.

One sweep searches once and deletes the lab's resources: ASL waits and repeats it. A failure does not stop the others. A resource
is on the ledger before it is deleted; one that only bears the lab's tags is there as `unproven`, and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.proof import Creator, Proof
from chalicelib.domain.core.resources import (
    CAME_BACK,
    EntryState,
    InventoryAnswer,
    Kind,
    LedgerEntry,
    Resource,
    Target,
    kind_said,
)
from chalicelib.domain.core.sentence import Sentence, joined, reason_of
from chalicelib.domain.errors.patience import UNKNOWN_SECONDS
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, ResourceGone, StillInUse, Transient
from chalicelib.domain.labs.aws_states import GroupState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.teardown.causes import why_refused
from chalicelib.domain.teardown.creation import is_young
from chalicelib.domain.teardown.deletion_order import SLOW
from chalicelib.domain.teardown.ownership import Action, OwnershipDecision, judge
from chalicelib.domain.teardown.receipt import Receipt, Wait
from chalicelib.domain.teardown.reconcile import reconcile
from chalicelib.domain.teardown.target import target_of, with_cluster, with_groups, with_roles
from chalicelib.domain.teardown.volumes import VolumeDecision, asked_of_volumes, decide_volume
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.evidence import ask_who_made

#: Facts of a volume's entry: the run, the token and the snapshot of its backup.
_RUN, _TOKEN, _BACKUP = "backup-run", "backup-token", "backup-snapshot"


@dataclass
class SweepOutcome:
    """The result of one sweep. `remaining`: sweep again. `blocked`: AWS refused; the ledger entry's reason has its words.

    `unread` names kinds that could not be listed, with AWS's words; `in_the_way`: other people's resources in the lab's own VPC,
    without those that are deleted with the control plane.
    """

    remaining: list[Resource] = field(default_factory=list)
    deleted: list[Resource] = field(default_factory=list)
    blocked: list[LedgerEntry] = field(default_factory=list)
    kept: list[LedgerEntry] = field(default_factory=list)
    in_the_way: list[tuple[Resource, str]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def told_in_the_way(self) -> str:
        """The first resources of others in the lab's own VPC, each with the reason why it stays."""
        return joined(
            (Sentence("{what}: {reason}", what=thing.arn, reason=reason) for thing, reason in self.in_the_way[:3]), "; "
        )

    @property
    def done(self) -> bool:
        """Whether all resources that were found are gone or kept."""
        return not (self.remaining or self.blocked or self.unread)


def aim(deps: Deps, lab: Lab, ledger: Sequence[LedgerEntry]) -> Target:
    """The lab's target, with AWS's present facts: the cluster's name, the stack's roles, node groups' instances."""
    cloud, target = deps.cloud(lab.place), target_of(lab, ledger, deps.store.before(lab.id))
    try:
        target = with_cluster(target, lab, cloud.clusters.describe(lab.name))
    except ResourceGone:
        target = with_cluster(target, lab, None)
    if target.role_ids:
        target = with_roles(target, cloud.roles.states(sorted(lab.facts.role_ids)))
    return with_groups(target, group_states(deps, lab, target, ledger), ledger)


def group_states(deps: Deps, lab: Lab, target: Target, ledger: Sequence[LedgerEntry]) -> list[GroupState]:
    """The present state of the Auto Scaling groups that node groups name now, or that the ledger knows."""
    named = _named_groups(deps, lab) if target.own_cluster_arn is not None else frozenset[str]()
    known = {entry.resource.id for entry in ledger if entry.resource.kind is Kind.AUTO_SCALING_GROUP and entry.grounds}
    names = sorted(named | known)
    states = deps.cloud(lab.place).groups.states(names) if names else ()
    return [replace(state, named=state.name in named) for state in states]


def _named_groups(deps: Deps, lab: Lab) -> frozenset[str]:
    clusters, names = deps.cloud(lab.place).clusters, set[str]()
    try:
        for nodegroup in clusters.nodegroups(lab.name):
            with suppress(ResourceGone):
                names.update(clusters.nodegroup(lab.name, nodegroup).asg_names)
    except ResourceGone:
        return frozenset()
    return frozenset(names)


def sweep(deps: Deps, lab: Lab, kinds: Iterable[Kind], now: datetime) -> SweepOutcome:
    """Search once for resources of these kinds, in order, and delete the lab's.

    Raises Transient, after the other resources, if AWS asked for time: run it again.
    """
    run = _Sweep(deps, lab, now)
    for kind in kinds:
        run.sweep_kind(kind)
    if run.hiccup is not None:
        raise run.hiccup
    return run.outcome


def take_receipt(deps: Deps, lab: Lab, look: str, now: datetime) -> Receipt:
    """Take the inventory, reconcile it against the ledger, store the receipt of this look (`now`, `after 15 minutes`, ...)."""
    book = Book(deps, lab, now)
    inventory = book.take_inventory()
    doubtful = any(book.judge(thing).action is Action.UNPROVEN for thing in inventory.found)
    prices = deps.curfew.prices(lab.region) if doubtful else None
    receipt = reconcile(look, now, tuple(book.ledger.values()), inventory, book.target, prices)
    deps.store.put_receipt(lab.id, receipt)
    return receipt


class Book:
    """A lab's target and its ledger, updated as facts become known. Every entry is stored at once."""

    def __init__(self, deps: Deps, lab: Lab, now: datetime) -> None:
        entries = deps.store.ledger(lab.id)
        self.deps, self.lab, self.now = deps, lab, now
        self.ledger = {entry.resource.arn: entry for entry in entries}
        self.target = aim(deps, lab, entries)

    def judge(self, resource: Resource) -> OwnershipDecision:
        """Judge a resource by the present target and ledger."""
        return judge(resource, self.target, self.ledger)

    def note(self, entry: LedgerEntry) -> LedgerEntry:
        """Store an entry if it differs from the stored one."""
        if entry != self.ledger.get(entry.resource.arn):
            entry = replace(entry, changed_at=self.now)
            self.ledger[entry.resource.arn] = entry
            self.deps.store.record(self.lab.id, entry)
            if entry.grounds is not None:
                own_ids = self.target.own_ids | {entry.resource.id, entry.resource.arn}
                self.target = replace(self.target, own_ids=own_ids)
        return entry

    def take_inventory(self) -> InventoryAnswer:
        """Take the inventory, and ask CloudTrail for the creators of the claimed resources in it."""
        answer = self.deps.cloud(self.lab.place).inventory.take(self.target, tuple(self.ledger.values()))
        self.look_into(answer.found)
        return answer

    def take_stock(self) -> tuple[str, ...]:
        """Take the inventory, and write its proved resources on the ledger; return the unreadable sources."""
        found, _, unreadable = self.take_inventory()
        for resource in found:
            self.take_in(resource)
        return unreadable

    def take_in(self, resource: Resource) -> None:
        """Write a resource on the ledger with its proof, if there is one."""
        decision, entry = self.judge(resource), self.ledger.get(resource.arn)
        if not decision.ours:
            return
        if entry is None:
            fresh = LedgerEntry(resource, EntryState.PRESENT, decision.how, self.now, self.now, proof=decision.proof)
            self.note(fresh)
        elif entry.grounds is None:
            proved = replace(entry, state=EntryState.PRESENT, how=decision.how, proof=decision.proof, reason="")
            self.note(replace(proved, resource=resource))

    def look_into(self, found: Iterable[Resource]) -> None:
        """Ask CloudTrail for the creators of claimed resources, and record the answers, or that a proof is missing."""
        doubtful = [thing for thing in found if self._is_open(thing)]
        if not doubtful:
            return
        asked = ask_who_made(self.deps, self.lab, doubtful, self.now)
        for thing in doubtful:
            self._note_unproven(thing, asked.creators.get(thing.arn), asked.unknown.get(thing.arn, ""))

    def _is_open(self, thing: Resource) -> bool:
        entry = self.ledger.get(thing.arn)
        decision = self.judge(thing)
        open_ = decision.action is Action.UNPROVEN or (decision.action is Action.BLOCK and decision.how != "")
        return open_ and (entry is None or (entry.creator is None and not entry.settled_by and entry.grounds is None))

    def _note_unproven(self, thing: Resource, creator: Creator | None, why: str) -> None:
        entry = self.ledger.get(thing.arn)
        how = self.judge(thing).how
        if entry is None:
            self.note(LedgerEntry(thing, EntryState.UNPROVEN, how, self.now, self.now, why, creator=creator))
        else:
            self.note(replace(entry, resource=thing, state=EntryState.UNPROVEN, reason=why, creator=creator))


class _Sweep:
    """One run of `sweep`: the lab's book, and the results so far."""

    def __init__(self, deps: Deps, lab: Lab, now: datetime) -> None:
        self.deps, self.lab, self.now = deps, lab, now
        self.book = Book(deps, lab, now)
        self.leftovers = deps.cloud(lab.place).leftovers
        self.outcome = SweepOutcome()
        self.hiccup: Transient | None = None
        self.ours_around = ""

    @property
    def ledger(self) -> Mapping[str, LedgerEntry]:
        return self.book.ledger

    def sweep_kind(self, kind: Kind) -> None:
        try:
            found = self.leftovers.find(kind, self.book.target)
        except Transient as error:
            self.hiccup = error
            return
        except AwsRefused as error:
            self.outcome.unread.append(f"{kind}: {error}")
            return
        self.book.look_into(found)
        self.ours_around = " ".join(resource.id for resource in found if self.book.judge(resource).ours)
        for resource in found:
            self._treat(resource)
        self._strike_off(kind, {resource.arn for resource in found})

    def _treat(self, resource: Resource) -> None:
        decision = self.book.judge(resource)
        match decision.action:
            case Action.DELETE:
                self._see_off(resource, decision)
            case Action.KEEP if resource.arn in self.ledger:
                self._keep(resource, decision.how or self.ledger[resource.arn].how, decision.reason)
            case Action.BLOCK if decision.waits_for is Wait.NOTHING:
                self.outcome.in_the_way.append((resource, decision.reason))
            case Action.UNPROVEN:
                self._leave(resource)

    def _leave(self, resource: Resource) -> None:
        """Wait for a creator that CloudTrail may still name."""
        entry = self.ledger.get(resource.arn)
        if entry is None or entry.settled_by or entry.creator is not None:
            return
        if "LookupEvents" not in entry.reason and is_young(resource, entry.recorded_at, self.now):
            self.outcome.remaining.append(resource)

    def _see_off(self, resource: Resource, decision: OwnershipDecision) -> None:
        entry = self._enter(resource, decision)
        fate = decide_volume(resource, self.lab.spec.volumes)
        try:
            if fate is VolumeDecision.KEEP:
                asked = asked_of_volumes(self.lab.spec.volumes)
                self._keep(resource, entry.how, entry.reason if entry.state is EntryState.KEPT else asked)
                return
            if fate is VolumeDecision.SNAPSHOT_THEN_DELETE and not self._is_backed_up(resource, entry):
                self.outcome.remaining.append(resource)
                return
            self._delete(resource, entry)
        except Transient as error:
            self.hiccup = error
            self.outcome.remaining.append(resource)
        except StillInUse as error:
            self.book.note(replace(entry, state=EntryState.PRESENT, reason=reason_of(error)))
            self.outcome.remaining.append(resource)
        except AwsRefused as error:
            why = why_refused(resource, self.lab.id, reason_of(error), isinstance(error, AccessDenied))
            self.outcome.blocked.append(self.book.note(replace(entry, state=EntryState.BLOCKED, reason=why)))

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
        """A security group gets the lab's other groups as facts: only their rules may be revoked for it."""
        if resource.kind is not Kind.SECURITY_GROUP:
            return resource
        return replace(resource, attributes={**resource.attributes, "may-revoke-from": self.ours_around})

    def _is_backed_up(self, volume: Resource, entry: LedgerEntry) -> bool:
        """Whether a snapshot that this run requested for the volume is complete. Other snapshots do not count, even with our tags.

        A snapshot that EC2 does not find may be new: another one is requested if it stays unknown, or has failed.
        """
        entry = self._with_backup(volume, self.ledger.get(volume.arn, entry))
        backup = entry.resource.attributes[_BACKUP]
        state = self.leftovers.snapshot_state(backup)
        if state == "error" or (state is None and not self._was_just_made(backup)):
            lost = {key: value for key, value in entry.resource.attributes.items() if key not in (_BACKUP, _TOKEN)}
            self.book.note(replace(entry, resource=replace(entry.resource, attributes=lost)))
        return state == "completed"

    def _was_just_made(self, snapshot_id: str) -> bool:
        noted = (known.recorded_at for known in self.ledger.values() if known.resource.id == snapshot_id)
        return any((self.now - at).total_seconds() < UNKNOWN_SECONDS for at in noted)

    def _with_backup(self, volume: Resource, entry: LedgerEntry) -> LedgerEntry:
        """The volume's entry with the requested snapshot; its token is stored before, so that a retry is the same request."""
        run, facts = str(self.lab.run), entry.resource.attributes
        if facts.get(_RUN) != run or _TOKEN not in facts:
            kept = {key: value for key, value in facts.items() if key != _BACKUP}
            entry = self._with_facts(entry, {**kept, _RUN: run, _TOKEN: self.deps.new_id()})
        if _BACKUP not in entry.resource.attributes:
            made = self.leftovers.snapshot(volume, self.lab.tags, entry.resource.attributes[_TOKEN])
            told = Sentence("It holds the contents of {id}, as the lab was asked.", id=volume.id)
            self._keep(made, Sentence("snapshot taken by teardown"), told, Proof.ANSWER)
            entry = self._with_facts(entry, {**entry.resource.attributes, _BACKUP: made.id})
        return entry

    def _with_facts(self, entry: LedgerEntry, facts: Mapping[str, str]) -> LedgerEntry:
        return self.book.note(replace(entry, resource=replace(entry.resource, attributes=facts)))

    def _enter(self, resource: Resource, decision: OwnershipDecision) -> LedgerEntry:
        """Put a found resource on the ledger before it is touched; one that came back is present again."""
        entry = self.ledger.get(resource.arn)
        if entry is None:
            fresh = LedgerEntry(resource, EntryState.PRESENT, decision.how, self.now, self.now, proof=decision.proof)
            return self.book.note(fresh)
        proved = replace(entry, proof=entry.proof or decision.proof)
        if entry.state is EntryState.DELETED:
            return self.book.note(replace(proved, state=EntryState.PRESENT, reason=CAME_BACK, came_back=True))
        if entry.state in (EntryState.REQUESTED, EntryState.UNPROVEN):
            return self.book.note(replace(proved, state=EntryState.PRESENT, how=decision.how, reason=""))
        return self.book.note(proved)

    def _keep(self, resource: Resource, how: str, reason: str, proof: Proof | None = None) -> None:
        old = self.ledger.get(resource.arn)
        entry = old or LedgerEntry(resource, EntryState.KEPT, how, self.now, self.now, proof=proof)
        kept = replace(entry, state=EntryState.KEPT, reason=reason, proof=entry.proof or proof)
        self.outcome.kept.append(self.book.note(kept))

    def _strike_off(self, kind: Kind, found: set[str]) -> None:
        """Mark ledger entries of this kind that the search did not find as deleted."""
        for arn, entry in list(self.ledger.items()):
            settled = entry.guest or entry.state in (EntryState.DELETED, EntryState.KEPT, EntryState.UNPROVEN)
            if entry.resource.kind is kind and arn not in found and not settled:
                self._deleted(entry)

    def _deleted(self, entry: LedgerEntry) -> None:
        reason = Sentence("It came back, and was deleted again.") if entry.came_back else ""
        self.book.note(replace(entry, state=EntryState.DELETED, reason=reason))
        self.outcome.deleted.append(entry.resource)
        what = entry.resource
        facts = {"arn": what.arn, "kind": str(what.kind), "how": entry.how}
        message = Sentence("Deleted {kind} {id} ({how}).", kind=kind_said(what.kind), id=what.id, how=entry.how)
        self.deps.store.add_event(self.lab.id, Event(self.now, "resource-deleted", message, facts))


def what_is_left(receipt: Receipt) -> str:
    """The sentence of a step on a receipt when nothing more is to be deleted."""
    told = Sentence("Nothing proved as the lab's is left; {count} things are accounted for.", count=len(receipt.lines))
    count = len(receipt.left)
    if not count:
        return told
    looks = Sentence(
        "{n} thing looks like the lab's without a proof, and stays: {names}.",
        "{n} things look like the lab's without a proof, and stay: {names}.",
        n=count,
        names="; ".join(line.arn for line in receipt.left[:3]),
    )
    return joined((told, looks))
