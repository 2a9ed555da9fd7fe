"""Handles SES's mail events: finds each event's mail by its tag, and updates the warnings and notices that the mail carried.

Events come at least once, in any order, and also about forgotten mails. A mail that SES accepted marks its warnings and notices
as sent, even if the run that sent it died. A mail that bounces before the act makes its warnings undelivered: the next
audience is warned at once, and the notice period starts again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.labs.steps import Event
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import KIND
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.send import WarningPage, send_all
from chalicelib.workflows.night.warn import is_due, settle_mail, take_back
from chalicelib.workflows.shared.mailing import came_back_to
from chalicelib.workflows.shared.posts import take_posts_back
from chalicelib.workflows.watch.delivery import pass_on, tell_others

if TYPE_CHECKING:
    from chalicelib.domain.curfew.plan import EntryStatus
    from chalicelib.domain.notices.mail import Mail, MailEvent


def take_mail_events(deps: Deps, event: Mapping[str, Any]) -> dict[str, Any]:
    """Handle all records of one SNS call. Raises errors that may pass, so that Lambda repeats the call."""
    taken = 0
    for one in deps.mail.events_in(event) if deps.mail is not None else ():
        if one is None:
            logger.warning(
                "An event of a mail was passed over.", extra={"reason": "It is not one of this installation's."}
            )
        else:
            taken += take_mail_event(deps, one, deps.clock.now())
    return {"taken": taken}


def take_mail_event(deps: Deps, event: MailEvent, now: datetime) -> bool:
    """Handle one event; return whether its mail is known."""
    from chalicelib.domain.notices.mail import MailEventKind, MailState, after, is_about

    if deps.mail is None:
        return False
    store = deps.mail.store
    mail = store.change_mail(event.mail_id, lambda stored: after(stored, event))
    extra = {"mail": event.mail_id, "kind": str(event.kind)}
    if mail is None:
        logger.warning("An event is about a mail that is not known.", extra=extra)
        return False
    logger.info("An event of a mail was taken.", extra=extra | {"state": str(mail.state), "reason": mail.why})
    if mail.is_taken:
        settle_mail(deps, mail)
    if is_about(event, mail):
        arrived = mail.state is MailState.DELIVERED and event.kind is MailEventKind.DELIVERED
        if arrived and store.bounced_address(mail.address) is not None:
            store.forgive_address(mail.address, event.at)
        if event.kind is MailEventKind.REFUSED:
            store.note_bounced_address(mail.address, mail.why, event.at)
    if mail.state is MailState.BOUNCED:
        _tell_next(deps, mail, now)
    return True


def _tell_next(deps: Deps, mail: Mail, now: datetime) -> None:
    """Tell the next audience of a bounced mail's contents. The next run repeats failures, and the log has them."""
    run = NightRun(deps, now)
    statuses = [status for each in mail.entries if (status := _unheard(deps, mail, each.night, each.entry_id, now))]
    fresh = pass_on(deps, mail)
    posts = take_posts_back(deps, mail, now)
    send_all(run, WarningPage(tuple(statuses) if run.rules.mode is Mode.ON else ()), posts, f"instead of {mail.id}")
    tell_others(deps, mail, fresh, now)
    facts = {"mail": mail.id, "reason": mail.why, "counts": dict(run.counts), "troubles": run.troubles}
    logger.info("A mail came back.", extra=facts)


def _unheard(deps: Deps, mail: Mail, night: Any, entry_id: str, now: datetime) -> EntryStatus | None:
    """The entry's status if somebody else must be warned of it now."""
    line = deps.curfew.store.line(night, entry_id)
    if line is None:
        return None
    if take_back(deps, line.entry, mail):
        text = joined((came_back_to(mail.recipient, mail.why), Sentence("The notice counts from the next warning.")))
        deps.store.add_event(line.entry.lab_id, Event(now, KIND, text, {"message": mail.message_id, "entry": entry_id}))
    again = deps.curfew.store.line(night, entry_id)
    if again is None or not is_due(again.status):
        return None
    return again.status if mail.recipient in {each.recipient for each in again.status.unheard} else None
