"""Looks at the account again after a teardown: log groups come back by late delivery, deleted things take a while to go.

One function per Task state of verify_deletion.asl.json; the scheduled run starts it 15 minutes and 24 hours after the end.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.steps import Result, StepResult
from chalicelib.domain.teardown.deletion_order import STRAGGLERS
from chalicelib.domain.teardown.receipt import Receipt
from chalicelib.domain.teardown.unproven import is_billable
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.leftovers import sweep, take_receipt, what_is_left, why_not_done
from chalicelib.workflows.shared.records import again, move
from chalicelib.workflows.shared.runner import StepInput

_A_DAY = timedelta(hours=24)


def look(deps: Deps, at: StepInput) -> StepResult:
    """Take the receipt of the look that is due. What came back is removed and looked for again, a bounded number of times.

    With the last look the lab's records begin to age: they go when nobody needs them any more.
    """
    lab = at.lab
    if lab.phase is Phase.BLOCKED or lab.ended_at is None:
        return StepResult(Result.STUCK, "The lab is blocked; releasing it again tries again.")
    last = at.now >= lab.ended_at + _A_DAY
    receipt = take_receipt(deps, lab, "after 24 hours" if last else "after 15 minutes", at.now)
    if receipt.done:
        due_at = _next_look(receipt, at.now) if last else lab.ended_at + _A_DAY
        move(deps, lab, OVER, lambda stored: replace(stored, due_at=due_at), at.now, "")
        if due_at is None and deps.limits.retention_days:
            deps.store.expire(lab.id, lab.ended_at + timedelta(days=deps.limits.retention_days))
        return StepResult(Result.DONE, what_is_left(receipt))
    why = why_not_done(receipt)
    if POLL_POLICIES["look"].is_out(at.attempt):
        move(deps, lab, OVER, lambda stored: _blocked(stored, at, why), at.now, why)
        return StepResult(Result.STUCK, why)
    return again("look", why)


def remove_leftovers(deps: Deps, at: StepInput) -> StepResult:
    """Delete what came back, under the same rule as ever."""
    outcome = sweep(deps, at.lab, STRAGGLERS, at.now)
    return again("look", f"{len(outcome.deleted)} deleted, {len(outcome.remaining) + len(outcome.blocked)} left.")


def _next_look(receipt: Receipt, now: datetime) -> datetime | None:
    """Daily while something costs of which nobody has said whose it is: an answer, or its end, is waited for."""
    return now + _A_DAY if any(is_billable(line) for line in receipt.left) else None


def _blocked(stored: Lab, at: StepInput, why: str) -> Lab:
    before = f" It could not be made: {stored.reason}" if stored.phase is Phase.FAILED else ""
    return replace(stored.moved_to(Phase.BLOCKED, at.now, why + before, Responsible.OURS), due_at=None)
