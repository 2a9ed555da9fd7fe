"""Checks the account again after a teardown: late deliveries recreate log groups, and some deletions take a while.

One function per Task state of verify_deletion.asl.json; the scheduled run starts it 15 minutes and 24 hours after the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.curfew.messages.warning import NOBODY, recipient_of
from chalicelib.domain.errors.explain import explain_execution
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.steps import STEPS, Result, StepResult
from chalicelib.domain.teardown.causes import why_left
from chalicelib.domain.teardown.deletion_order import STRAGGLERS
from chalicelib.domain.teardown.receipt import ReceiptLine
from chalicelib.domain.teardown.unproven import is_billable
from chalicelib.domain.teardown.unproven_message import unproven_message
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.leftovers import sweep, take_receipt, what_is_left
from chalicelib.workflows.shared.posts import post
from chalicelib.workflows.shared.records import again, close_steps, move
from chalicelib.workflows.shared.runner import StepInput

_A_DAY = timedelta(hours=24)
#: When a look begins, the removal and the look before it have ended, completed or not.
_LOOK = STEPS["verify_deletion"]["look"][0]


def look(deps: Deps, at: StepInput) -> StepResult:
    """Take the receipt of the look that is due. Resources that came back are removed, and looked for a bounded number of times.

    After the last look the lab's records get their expiry date.
    """
    lab = at.lab
    if lab.phase is Phase.BLOCKED or lab.ended_at is None:
        return StepResult(Result.STUCK, Sentence("The lab is blocked; releasing it again tries again."))
    last = at.now >= lab.ended_at + _A_DAY
    close_steps(deps, lab, at.now, Sentence("the account was looked at again"), but=_LOOK)
    receipt = take_receipt(deps, lab, "after 24 hours" if last else "after 15 minutes", at.now)
    if receipt.done:
        lines = [line for line in receipt.left if is_billable(line)] if last else []
        due_at = lab.ended_at + _A_DAY if not last else at.now + _A_DAY if lines else None
        move(deps, lab, OVER, lambda stored: replace(stored, due_at=due_at, unsettled=bool(lines)), at.now, "")
        if due_at is None and deps.limits.retention_days:
            deps.store.expire(lab.id, lab.ended_at + timedelta(days=deps.limits.retention_days))
        _tell(deps, lab, lines)
        return StepResult(Result.DONE, what_is_left(receipt))
    why = joined((why_left(receipt), _why_not_removed(at.event.get("removal"))))
    if POLL_POLICIES["look"].is_out(at.attempt):
        move(deps, lab, OVER, lambda stored: _blocked(stored, at, why), at.now, why)
        return StepResult(Result.STUCK, why)
    return again("look", why)


def remove_leftovers(deps: Deps, at: StepInput) -> StepResult:
    """Delete resources that came back, by the usual ownership rule. The answer's `unread` names kinds that could not be listed."""
    outcome = sweep(deps, at.lab, STRAGGLERS, at.now)
    told = Sentence(
        "{gone} deleted, {left} left.", gone=len(outcome.deleted), left=len(outcome.remaining) + len(outcome.blocked)
    )
    pause = POLL_POLICIES["look"].interval_seconds
    return StepResult(Result.DONE, told, look_again_in=pause, facts={"unread": "; ".join(outcome.unread)})


def _why_not_removed(removal: object) -> str:
    """Why the last removal failed, as a sentence; empty if it succeeded, or if there was none.

    `removal`: the answer of `remove_leftovers`, or the error that Step Functions caught (`Error`, `Cause`); None at first.
    """
    if not isinstance(removal, Mapping):
        return ""
    caught = explain_execution(removal).cause if "Cause" in removal else str(removal["unread"])
    return Sentence("It could not be removed: {reason}", reason=caught) if caught else ""


def _tell(deps: Deps, lab: Lab, lines: list[ReceiptLine]) -> None:
    """Write a post on the billable leftovers to the owner, daily until somebody settles them."""
    if lines:
        message = unproven_message(lab, lines, recipient_of(lab, deps.watch.administrators or NOBODY))
        post(deps, [message], f"{lab.id} {deps.clock.now():%Y-%m-%d}", lab_id=lab.id)


def _blocked(stored: Lab, at: StepInput, why: str) -> Lab:
    failed = stored.phase is Phase.FAILED
    before = Sentence("It could not be made: {reason}", reason=stored.reason or "") if failed else ""
    return replace(stored.moved_to(Phase.BLOCKED, at.now, joined((why, before)), Responsible.OURS), due_at=None)
