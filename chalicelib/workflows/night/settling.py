"""Records that a warning was sent, or that its mail bounced before the act.

Called by the run that sent it, by the next one if that run died, and by SES's events. Everything here is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.plan import Entry, EntryOutcome, EntryStatus, PlanLine, Unheard
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import KIND
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.shared.mailing import came_back_to
from chalicelib.workflows.shared.outbox import settle_post

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Mail


def is_due(status: EntryStatus) -> bool:
    """Whether the entry stands without a warning."""
    return status.outcome is EntryOutcome.STANDING and status.warned_at is None


def is_open(run: NightRun, line: PlanLine) -> bool:
    """Whether to send a warning now. An earlier run may have died after SES accepted its mail: an accepted mail counts as sent."""
    deps, (entry, status) = run.deps, line
    mail = deps.mail.store.mail(status.mail) if deps.mail is not None and status.mail else None
    if mail is None or entry.id not in {each.entry_id for each in mail.entries}:
        return True
    if mail.is_taken:
        settle_mail(deps, mail)
        run.counts["warned"] += 1
        return False
    if mail.message_id:
        take_back(deps, entry, mail)
        return True
    return mail.sending_until <= deps.clock.now()


def settle_mail(deps: Deps, mail: Mail) -> None:
    """Mark the entries, notices and posts of a mail as sent: SES has accepted it. Safe to repeat."""
    at = mail.accepted_at or mail.begun_at
    for each in mail.entries:
        line = deps.curfew.store.line(each.night, each.entry_id)
        if line is not None and line.status.mail == mail.id:
            troubles = [came_back_to(one.recipient, one.why) for one in line.status.unheard]
            mark_warned(deps, line.entry, mail.recipient, mail.message_id, at, troubles)
    if mail.notices:
        deps.watch.store.mark_sent([(each.key, each.id) for each in mail.notices], mail.message_id, at)
    for post_id in mail.posts:
        settle_post(deps, post_id, at, mail=mail.id)


def take_back(deps: Deps, entry: Entry, mail: Mail) -> bool:
    """Unmark an entry whose mail bounced before the act. Return whether it was marked."""

    def unheard(status: EntryStatus) -> EntryStatus:
        if status.mail != mail.id or status.outcome is not EntryOutcome.STANDING:
            return status
        again = replace(status, warned_at=None, message_id=None, mail="", sending_until=None)
        trouble = came_back_to(mail.recipient, mail.why)
        return replace(again, unheard=(*status.unheard, Unheard(mail.recipient, mail.why)), trouble=trouble)

    before = deps.curfew.store.line(entry.night, entry.id)
    return before is not None and deps.curfew.store.change_status(entry.night, entry.id, unheard) != before.status


def mark_warned(
    deps: Deps, entry: Entry, recipient: str, message_id: str, at: datetime, troubles: Sequence[str]
) -> None:
    """Mark the entry as warned, by the message `message_id` that SES or SNS took at `at`: the notice period begins then.

    `troubles`: why nobody before the recipient could be reached.
    """
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
