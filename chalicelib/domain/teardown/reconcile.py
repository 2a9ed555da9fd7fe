"""Builds a receipt: every ARN ever on the ledger, and every ARN found that is the lab's, becomes exactly one line.

A resource counts as deleted only if the inventory could have seen it and did not; never because we requested it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.resources import CAME_BACK, EntryState, InventoryAnswer, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import Prices
from chalicelib.domain.teardown.ownership import Action, OwnershipDecision, judge
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome, Wait
from chalicelib.domain.teardown.unproven import delete_command, left_line


def describe_call(arn: str) -> str:
    """The name of the inventory's source for this one ledger entry; unreadable ones read `<source>: <why>`."""
    return Sentence("direct look at {arn}", arn=arn)


def reconcile(
    look: str,
    now: datetime,
    ledger: Sequence[LedgerEntry],
    inventory: InventoryAnswer,
    target: Target,
    prices: Prices | None = None,
) -> Receipt:
    """Combine the ledger and the inventory into the receipt of one look."""
    entries = {entry.resource.arn: entry for entry in ledger}
    there = {resource.arn: resource for resource in inventory.found}
    unreadable = inventory.unreadable
    lines = [_line(there.get(arn), entry, unreadable, target, entries, prices) for arn, entry in entries.items()]
    strays = [_line_of_stray(thing, target, entries, prices) for arn, thing in there.items() if arn not in entries]
    told = with_holders((line for line in (*lines, *strays) if line is not None), there)
    worst_first = sorted(told, key=lambda line: (_ORDER.index(line.outcome), line.kind, line.arn))
    return Receipt(look, now, tuple(worst_first), inventory.sources, unreadable)


def _line(
    there: Resource | None,
    entry: LedgerEntry,
    unreadable: Sequence[str],
    target: Target,
    entries: Mapping[str, LedgerEntry],
    prices: Prices | None,
) -> ReceiptLine | None:
    """The line of an entry; None for a resource that looked like the lab's and belongs to somebody else."""
    arn, kind = entry.resource.arn, str(entry.resource.kind)
    if there is None:
        return ReceiptLine(arn, kind, *_of_what_was_not_seen(entry, unreadable), entry.how)
    decision = judge(there, target, entries)
    if decision.action is Action.UNPROVEN:
        return _unproven(there, entry, decision, prices)
    if decision.action is Action.IGNORE and entry.state is EntryState.UNPROVEN:
        return None
    outcome, reason, waits = _of_what_is_there(entry, decision)
    refused = entry.state is EntryState.BLOCKED and outcome is ReceiptOutcome.BLOCKED and decision.ours
    command = delete_command(there, reason) if refused else ""
    return ReceiptLine(arn, kind, outcome, reason, entry.how, command=command, waits_for=waits)


def _unproven(there: Resource, entry: LedgerEntry, decision: OwnershipDecision, prices: Prices | None) -> ReceiptLine:
    if entry.settled_by:
        return ReceiptLine(
            there.arn,
            str(there.kind),
            ReceiptOutcome.KEPT,
            Sentence("Kept at the word of {who}.", who=entry.settled_by),
            decision.how,
        )
    return left_line(there, decision.how, entry.creator, entry.reason, prices)


def _of_what_is_there(entry: LedgerEntry, decision: OwnershipDecision) -> tuple[ReceiptOutcome, str, Wait]:
    nothing, reason = Wait.NOTHING, decision.reason
    match decision.action:
        case Action.IGNORE if entry.grounds is None:
            return ReceiptOutcome.KEPT, Sentence("It was taken for the lab's once. {reason}", reason=reason), nothing
        case Action.IGNORE:
            told = Sentence("The lab's is gone; what has its name now is someone else's. {reason}", reason=reason)
            return ReceiptOutcome.DELETED, told, nothing
        case Action.KEEP:
            return ReceiptOutcome.KEPT, reason, nothing
        case Action.BLOCK:
            return ReceiptOutcome.BLOCKED, reason, decision.waits_for
    if entry.state is EntryState.KEPT:
        return ReceiptOutcome.KEPT, entry.reason, nothing
    if entry.state is EntryState.BLOCKED:
        return ReceiptOutcome.BLOCKED, entry.reason, nothing
    if entry.state is EntryState.DELETED:
        return ReceiptOutcome.PRESENT, CAME_BACK, nothing
    if entry.reason:
        return ReceiptOutcome.PRESENT, entry.reason, nothing
    if decision.action is Action.LEAVE:
        return ReceiptOutcome.PRESENT, reason, decision.waits_for
    return ReceiptOutcome.PRESENT, Sentence("It has not been deleted yet."), Wait.DELETION


def _of_what_was_not_seen(entry: LedgerEntry, unreadable: Sequence[str]) -> tuple[ReceiptOutcome, str]:
    source = describe_call(entry.resource.arn)
    why = next((line.removeprefix(f"{source}: ") for line in unreadable if line.startswith(f"{source}: ")), None)
    if entry.guest:
        return ReceiptOutcome.KEPT, entry.reason or Sentence("The lab was only a guest in it.")
    if why is not None:
        return ReceiptOutcome.PRESENT, Sentence("It could not be looked at, so it may still be there: {why}", why=why)
    if entry.state is EntryState.KEPT:
        return ReceiptOutcome.DELETED, Sentence("It was to be kept, but someone has deleted it since.")
    if entry.state is EntryState.UNPROVEN:
        return ReceiptOutcome.DELETED, Sentence("It looked like the lab's and was left; someone has deleted it since.")
    told = entry.reason if entry.state is EntryState.DELETED else ""
    return ReceiptOutcome.DELETED, told or Sentence("It is not there.")


def _line_of_stray(
    resource: Resource, target: Target, entries: Mapping[str, LedgerEntry], prices: Prices | None
) -> ReceiptLine | None:
    """The line of a resource that exists but is not on the ledger; None if it does not concern the lab."""
    decision = judge(resource, target, entries)
    if decision.action is Action.UNPROVEN:
        return left_line(resource, decision.how, None, "", prices)
    outcome = _STRAY_OUTCOME[decision.action]
    if outcome is None:
        return None
    line = ReceiptLine(resource.arn, str(resource.kind), outcome, decision.reason, decision.how)
    return replace(line, waits_for=decision.waits_for)


_STRAY_OUTCOME: Mapping[Action, ReceiptOutcome | None] = {
    Action.DELETE: ReceiptOutcome.PRESENT,
    Action.LEAVE: ReceiptOutcome.PRESENT,
    Action.KEEP: ReceiptOutcome.KEPT,
    Action.BLOCK: ReceiptOutcome.BLOCKED,
    Action.UNPROVEN: ReceiptOutcome.LEFT,
    Action.IGNORE: None,
}
_ORDER = (
    ReceiptOutcome.BLOCKED,
    ReceiptOutcome.PRESENT,
    ReceiptOutcome.LEFT,
    ReceiptOutcome.KEPT,
    ReceiptOutcome.DELETED,
)


_THERE = (ReceiptOutcome.BLOCKED, ReceiptOutcome.PRESENT)
_GOES_WITH: Mapping[Wait, Kind] = {Wait.STACK: Kind.STACK, Wait.CLUSTER: Kind.CLUSTER}
#: Facts of a resource that hold the ids of its users.
_HOLDING = ("attached-to", "used-by")


def with_holders(lines: Iterable[ReceiptLine], there: Mapping[str, Resource]) -> tuple[ReceiptLine, ...]:
    """The lines, each remaining one with `caused_by`: the ARN of the line that holds it, so that readers can fold it under that.

    AWS or our order of deletion names a holder: an attachment, a use, an id in a refusal, the stack or the control plane. Without
    one, `caused_by` is empty.
    """
    told = tuple(lines)
    left = {line.arn: line for line in told if line.outcome in _THERE}
    held: dict[str, str] = {}
    for line in left.values():
        holder = next((arn for arn in _holders(line, left, there) if not _leads_to(line.arn, arn, held)), "")
        if holder:
            held[line.arn] = holder
    return tuple(replace(line, caused_by=held.get(line.arn, "")) for line in told)


def _holders(line: ReceiptLine, left: Mapping[str, ReceiptLine], there: Mapping[str, Resource]) -> Iterator[str]:
    """ARNs of the resources that may hold it, best known first."""
    facts = there[line.arn].attributes if line.arn in there else {}
    ids = {id for fact in _HOLDING for id in facts.get(fact, "").split()}
    yield from (other for other in left if ids & {other, _id(other, there)})
    yield from (other for other in left if _is_named(_id(other, there), line.reason))
    kind = _GOES_WITH.get(line.waits_for)
    yield from (other for other, each in left.items() if kind is not None and each.kind == str(kind))


def _id(arn: str, there: Mapping[str, Resource]) -> str:
    return there[arn].id if arn in there else re.split("[/:]", arn)[-1]


def _is_named(id: str, words: str) -> bool:
    """Whether AWS's words name this id: an id of AWS's making (`eni-0a1b`) or an ARN, since a plain name is ambiguous."""
    by_aws = id.startswith("arn:") or re.fullmatch(r"[a-z]+-[0-9a-f]+", id) is not None
    return by_aws and re.search(rf"(?<![\w-]){re.escape(id)}(?![\w-])", words) is not None


def _leads_to(arn: str, holder: str, held: Mapping[str, str]) -> bool:
    """Whether the holder's own holders lead back to the resource."""
    at: str | None = holder
    while at is not None:
        if at == arn:
            return True
        at = held.get(at)
    return False
