"""The five-minute run's part for labs that await approval: mails approvers once, ends requests that expire."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.messages.approval import approval_message
from chalicelib.domain.curfew.messages.warning import NOBODY
from chalicelib.domain.curfew.signed_links import sign_decision
from chalicelib.domain.identity.callers import plain_name
from chalicelib.domain.labs.approval import Decision, over
from chalicelib.domain.labs.lab import Approval, Lab, Phase
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import COST, Scope
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.mailing import claims, tell
from chalicelib.workflows.shared.records import move

_WAITING = (Phase.AWAITING_APPROVAL,)
#: The pause before the next request if no approver could be reached.
_ASKED_AGAIN = timedelta(days=1)


def tend_awaiting(deps: Deps, lab: Lab, approval: Approval, now: datetime) -> str:
    """Mail the approvers, or end an expired request; return a sentence about it. The next run repeats a mail that failed."""
    if now >= approval.expires_at:
        reason = Sentence("Nobody approved it within three days. Ask for it again.")
        move(deps, lab, _WAITING, lambda stored: over(stored, reason, now), now, reason)
        return reason
    if approval.told_at is None:
        if not claims(deps, f"approval#{lab.id}", now):
            return Sentence("Another run asks for its approval.")
        recipient = deps.watch.administrators or NOBODY
        message = approval_message(
            lab, recipient, _month_of(deps, lab, now), _links(deps, lab, approval), approval.expires_at
        )
        asked = tell(deps, message, lab.id)
        told = (
            Sentence("{recipient} was asked to approve it.", recipient=recipient)
            if asked
            else Sentence("Nobody takes messages for {recipient}: ask them.", recipient=recipient)
        )
        deps.store.add_event(lab.id, Event(now, "approval-asked", told))
        if not asked:
            again = min(now + _ASKED_AGAIN, approval.expires_at)
            move(deps, lab, _WAITING, lambda stored: replace(stored, due_at=again), now, "")
            return told

    def waiting(stored: Lab) -> Lab:
        known = stored.approval or approval
        return replace(stored, approval=replace(known, told_at=known.told_at or now), due_at=approval.expires_at)

    move(deps, lab, _WAITING, waiting, now, "")
    return Sentence("It waits for an approver.")


def _month_of(deps: Deps, lab: Lab, now: datetime) -> float:
    month = f"{now.astimezone(ZoneInfo(deps.curfew.zone)):%Y-%m}"
    theirs = (month, Scope.PERSON, lab.counted_as)
    return deps.store.sums_at([theirs])[theirs].get(COST, 0) / MICRO


def _links(deps: Deps, lab: Lab, approval: Approval) -> tuple[str, str] | None:
    """The links that approve and refuse; None if an approver asked, under any identity, or the API's address is unknown."""
    if approval.by_approver or not deps.watch.api_url or _may_be_theirs(deps, lab):
        return None
    key = deps.curfew.signing_key()
    approve, refuse = (sign_decision(lab.id, each, approval.expires_at, key) for each in Decision)
    return f"{deps.watch.api_url}/decide/{approve}", f"{deps.watch.api_url}/decide/{refuse}"


def _may_be_theirs(deps: Deps, lab: Lab) -> bool:
    """Whether the mail may reach the lab's own owner: an approver who asked under an identity that can't approve."""
    reader = deps.watch.administrators or NOBODY
    known = deps.people.people_of((reader, lab.owner))
    one = len(known) == 2 and len({person.id for person in known.values()}) == 1
    return one or plain_name(reader) == plain_name(lab.owner)
