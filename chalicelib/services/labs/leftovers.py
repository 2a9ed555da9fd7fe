"""The owner's answer on unproved resources that look like the lab's: they stay, and no further mail asks about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import NoReceiptYet, UnknownLeftover, WrongPhase
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.lab import OVER, phase_said
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.commands import own_lab
from chalicelib.services.labs.queries import ReceiptView, receipt


def keep_leftovers(deps: Deps, caller: Caller, lab_id: str, arns: Sequence[str], now: datetime) -> ReceiptView:
    """Settle these lines of the newest receipt. Repeating it is the same. Raises WrongPhase, NoReceiptYet, UnknownLeftover."""
    lab = own_lab(deps, caller, lab_id)
    if lab.phase not in OVER:
        why = Sentence(
            "What a lab leaves is settled when it is over; this one is {phase}.", phase=phase_said(lab.phase)
        )
        raise WrongPhase(lab_id, lab.phase, why)
    receipts = deps.store.receipts(lab_id)
    if not receipts:
        raise NoReceiptYet(lab_id, "No look has been taken yet.")
    ledger = {entry.resource.arn: entry for entry in deps.store.ledger(lab_id)}
    lines = {line.arn: line for line in receipts[-1].lines}
    unknown = tuple(arn for arn in arns if not _may_be_settled(lines.get(arn), ledger.get(arn)))
    if unknown:
        raise UnknownLeftover(lab_id, unknown)
    for arn in dict.fromkeys(arns):
        entry = ledger.get(arn) or _entry_of(lines[arn], now)
        deps.store.record(lab_id, replace(entry, settled_by=caller.arn, changed_at=now))
    deps.store.put_receipt(lab_id, _settled(receipts[-1], frozenset(arns), caller.arn))
    told = f"{caller.arn} keeps {', '.join(arns)}."
    deps.store.add_event(lab_id, Event(now, "leftovers-kept", told, {"by": caller.arn}))
    return receipt(deps, caller, lab_id)


def _may_be_settled(line: ReceiptLine | None, entry: LedgerEntry | None) -> bool:
    if line is None:
        return False
    return line.outcome is ReceiptOutcome.LEFT or (entry is not None and entry.settled_by != "")


def _entry_of(line: ReceiptLine, now: datetime) -> LedgerEntry:
    thing = Resource(Kind(line.kind), line.arn.rpartition("/")[2], line.arn)
    return LedgerEntry(thing, EntryState.UNPROVEN, line.how, now, now)


def _settled(newest: Receipt, arns: frozenset[str], by: str) -> Receipt:
    reason = Sentence("Kept at the word of {by}.", by=by)
    lines = (
        replace(line, outcome=ReceiptOutcome.KEPT, reason=reason, command="") if line.arn in arns else line
        for line in newest.lines
    )
    return replace(newest, lines=tuple(lines))
