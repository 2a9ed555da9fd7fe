"""The five-minute run's part for labs that await approval: mails approvers once, ends requests that expire."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.core.message import Message
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.messages.approval import KIND, approval_message
from chalicelib.domain.curfew.messages.warning import NOBODY
from chalicelib.domain.curfew.signed_links import sign_decision
from chalicelib.domain.identity.callers import plain_name
from chalicelib.domain.labs.approval import Decision, over
from chalicelib.domain.labs.lab import Approval, Lab, Phase
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import COST, Scope
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.mailing import came_back_to, claims, lookup_name, tell
from chalicelib.workflows.shared.records import move

_WAITING = (Phase.AWAITING_APPROVAL,)
#: The first mail that bounces is sent anew within an hour; a later one, or a request that reaches nobody, once a day.
_AN_HOUR, _A_DAY = timedelta(hours=1), timedelta(days=1)


def tend_awaiting(deps: Deps, lab: Lab, approval: Approval, now: datetime) -> str:
    """Mail the approvers, anew if the mail bounced, or end an expired request; return a sentence about it.

    The next run repeats a mail that failed.
    """
    if now >= approval.expires_at:
        reason = Sentence("Nobody approved it within three days. Ask for it again.")
        move(deps, lab, _WAITING, lambda stored: over(stored, reason, now), now, reason)
        return reason
    recipient = deps.watch.administrators or NOBODY
    message = approval_message(
        lab, recipient, _month_of(deps, lab, now), _links(deps, lab, approval), approval.expires_at
    )
    if approval.told_at is None:
        return _ask(deps, lab, approval, message, now)
    why = _bounce_of(deps, approval)
    if why is None:
        return _wait(deps, lab, approval, now + _pause(approval), now)
    anew = replace(approval, told_at=None, mail="", lost=approval.lost + 1)
    return _ask(deps, lab, anew, message, now, came_back_to(recipient, why))


def _ask(deps: Deps, lab: Lab, approval: Approval, message: Message, now: datetime, came_back: str = "") -> str:
    """Mail the approvers, once over concurrent runs, and record it. `came_back`: the bounce of the mail before."""
    if not claims(deps, f"approval#{lab.id}", now):
        return Sentence("Another run asks for its approval.")
    recipient, once = message.recipient, f"{lab.id} {approval.lost}" if approval.lost else lab.id
    mail, asked = _mail_of(deps, message, once), tell(deps, message, once)
    if came_back:
        deps.store.add_event(lab.id, Event(now, KIND, came_back))
    if not asked:
        told = Sentence("Nobody takes messages for {recipient}: ask them.", recipient=recipient)
        deps.store.add_event(lab.id, Event(now, KIND, told))
        _wait(deps, lab, approval, now + _A_DAY, now)
        return told
    told = Sentence("{recipient} was asked to approve it.", recipient=recipient)
    deps.store.add_event(lab.id, Event(now, KIND, told))
    return _wait(deps, lab, replace(approval, told_at=now, mail=mail), now + _pause(approval), now)


def _pause(approval: Approval) -> timedelta:
    """The time to the next look whether the mail bounced: each later one is a day's only mail."""
    return _A_DAY if approval.lost else _AN_HOUR


def _wait(deps: Deps, lab: Lab, approval: Approval, until: datetime, now: datetime) -> str:
    """Store the approval, and when to look at it next."""
    due_at = min(until, approval.expires_at)
    move(deps, lab, _WAITING, lambda stored: replace(stored, approval=approval, due_at=due_at), now, "")
    return Sentence("It waits for an approver.")


def _mail_of(deps: Deps, message: Message, once: str) -> str:
    """The id of the mail by which `tell` asks, at the approver's present address; empty without one."""
    addressee = deps.mail.addressee_of(lookup_name(message.recipient, message)) if deps.mail is not None else None
    if addressee is None:
        return ""
    from chalicelib.domain.notices.mail import mail_id

    return mail_id(addressee.address, f"{message.kind} {once}")


def _bounce_of(deps: Deps, approval: Approval) -> str | None:
    """Why the mail that asked came back; None if it did not, or was published to the topic."""
    mail = deps.mail.store.mail(approval.mail) if deps.mail is not None and approval.mail else None
    if mail is None:
        return None
    from chalicelib.domain.notices.mail import MailState

    return mail.why if mail.state is MailState.BOUNCED else None


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
