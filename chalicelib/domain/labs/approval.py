"""A lab that needs an approver: stored with its price reserved and nothing created; approved, refused, or expired in three days."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import WrongPhase
from chalicelib.domain.labs.lab import Approval, Lab, Phase, phase_said

#: How long a lab waits for an answer.
ANSWER_WITHIN = timedelta(days=3)


class Decision(StrEnum):
    """An approver's answer."""

    APPROVE = "approve"
    REFUSE = "refuse"


def awaiting(lab: Lab, why: str, by_approver: bool, now: datetime) -> Lab:
    """The lab as requested, waiting; due at once, so that approvers are mailed. Raises Superseded for a stored one."""
    return lab.waiting(Approval(why, now + ANSWER_WITHIN, by_approver), now)


def decided(lab: Lab, decision: Decision, by: str, words: str, now: datetime) -> Lab:
    """The lab after an answer; repeating the answer changes nothing. Its lease begins now. Raises WrongPhase."""
    approval = lab.approval
    if approval is None or (lab.phase is not Phase.AWAITING_APPROVAL and decision is not _answer(lab)):
        raise WrongPhase(
            lab.id, lab.phase, "There is nothing to decide any more: the lab is {phase}.", phase=phase_said(lab.phase)
        )
    if lab.phase is not Phase.AWAITING_APPROVAL:
        return lab
    if now >= approval.expires_at:
        raise WrongPhase(lab.id, lab.phase, "Nobody answered in time: the request is over. Ask for the lab again.")
    answered = replace(lab, approval=replace(approval, decided_at=now, decided_by=by, words=words))
    if decision is Decision.REFUSE:
        return over(answered, Sentence("Refused by {by}: {words}", by=by, words=words), now)
    waited = now - lab.created_at
    ends_by = lab.ends_by + waited if lab.ends_by else None
    began = replace(answered, ends_by=ends_by).leased_until(lab.lease_ends_at + waited, now)
    return began.moved_to(Phase.REQUESTED, now)


def over(lab: Lab, reason: str, now: datetime) -> Lab:
    """The lab that is not created: refused, withdrawn, or not answered."""
    return replace(lab.moved_to(Phase.REFUSED, now, reason, Responsible.YOURS), due_at=None)


def _answer(lab: Lab) -> Decision | None:
    if lab.approval is None or lab.approval.decided_at is None:
        return None
    return Decision.REFUSE if lab.phase is Phase.REFUSED else Decision.APPROVE
