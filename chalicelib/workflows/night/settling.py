"""Records that a warning is out, or that its mail came back before the act.

Called by the run that sent it, by the next one if that run died, and by SES's events. All of it may be done twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.plan import Entry, EntryOutcome, EntryStatus, Unheard
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import KIND
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.shared.mailing import came_back_to

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Mail


def is_due(status: EntryStatus) -> bool:
    """Whether somebody is still to be warned of it."""
    return status.outcome is EntryOutcome.STANDING and status.warned_at is None


def is_open(deps: Deps, line: tuple[Entry, EntryStatus], summary: RunSummary) -> bool:
    """Whether a warning is to be sent now: not while SES may have the mail of a run before, nor if it turns out to have it."""
    entry, status = line
    mail = deps.mail.store.mail(status.mail) if deps.mail is not None and status.mail else None
    if mail is None or entry.id not in {each.entry_id for each in mail.entries}:
        return True
    if mail.is_taken:
        settle_mail(deps, mail)
        summary.counts["warned"] += 1
        return False
    if mail.message_id:
        take_back(deps, entry, mail)
        return True
    return mail.sending_until <= deps.clock.now()


def settle_mail(deps: Deps, mail: Mail) -> None:
    """Mark all that a mail tells of as told: SES has taken it. All of it may have been done before."""
    at = mail.accepted_at or mail.begun_at
    for each in mail.entries:
        line = deps.curfew.store.line(each.night, each.entry_id)
        if line is not None and line[1].mail == mail.id:
            mark_warned(
                deps,
                line[0],
                mail.recipient,
                mail.message_id,
                at,
                [came_back_to(one.recipient, one.why) for one in line[1].unheard],
            )
    if mail.notices:
        deps.watch.store.mark_sent([(each.key, each.id) for each in mail.notices], mail.message_id, at)


def take_back(deps: Deps, entry: Entry, mail: Mail) -> bool:
    """The mail came back before the act: nobody is warned of this entry by it. Return whether that is news."""

    def unheard(status: EntryStatus) -> EntryStatus:
        if status.mail != mail.id or status.outcome is not EntryOutcome.STANDING:
            return status
        again = replace(status, warned_at=None, message_id=None, mail="", sending_until=None)
        trouble = came_back_to(mail.recipient, mail.why)
        return replace(again, unheard=(*status.unheard, Unheard(mail.recipient, mail.why)), trouble=trouble)

    before = deps.curfew.store.line(entry.night, entry.id)
    return before is not None and deps.curfew.store.change_status(entry.night, entry.id, unheard) != before[1]


def mark_warned(
    deps: Deps, entry: Entry, recipient: str, message_id: str, at: datetime, troubles: Sequence[str]
) -> None:
    """The notice runs from when the message is out: a run that began long ago must not shorten it."""
    news = False

    def marked(status: EntryStatus) -> EntryStatus:
        nonlocal news
        news = is_due(status)
        if not news:
            return status
        told = replace(status, warned_at=at, message_id=message_id, recipient=recipient, trouble="")
        return replace(told, sending_until=None)

    deps.curfew.store.change_status(entry.night, entry.id, marked)
    if news:
        text = Sentence("A warning was sent to {recipient}.", recipient=recipient)
        if troubles:
            text = Sentence("{sent} Its owner can't be reached: {trouble}", sent=text, trouble=troubles[0])
        deps.store.add_event(entry.lab_id, Event(at, KIND, text, {"message": message_id, "entry": entry.id}))
