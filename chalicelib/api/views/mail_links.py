"""The subject of a mail's button as JSON, and the page made from it. Read without a login: it holds no name."""

from __future__ import annotations

from typing import Any

from chalicelib.api.views.json_format import instant
from chalicelib.api.views.keep_page import button, inline, page, paragraph_of, small
from chalicelib.domain.core.sentence import Moment, Sentence, Style, Words
from chalicelib.domain.core.wording import format_day
from chalicelib.domain.curfew.mail_link import MailAction
from chalicelib.domain.notices.wording import describe_briefly
from chalicelib.services.support.mail_links import MailLinkView


def mail_link_view(view: MailLinkView) -> dict[str, Any]:
    """`done`: it was done already."""
    return {
        "action": str(view.action),
        "name": view.name,
        "deadline": instant(view.deadline.at),
        "until": instant(view.until) if view.until else None,
        "done": view.done,
    }


def mail_link_page(view: MailLinkView, words: Words) -> str:
    """The button with its effect, or the confirmation that it was pressed."""
    what = paragraph_of(_deadline(view), words, _effect(view))
    if view.done:
        return page(inline(_done(view), words), f"{what}\n{small(Sentence('You can close this page.'), words)}", words)
    if view.action is MailAction.ACKNOWLEDGE:
        title, pressed = Sentence("Acknowledge the deadline of {name}?", name=view.name), Sentence("Acknowledge")
    else:
        title, pressed = Sentence("Snooze the deadline of {name}?", name=view.name), Sentence("Snooze")
    unchanged = small(Sentence("Opening this page has changed nothing."), words)
    return page(inline(title, words), "\n".join([what, button(pressed, words), unchanged]), words)


def _deadline(view: MailLinkView) -> Sentence:
    what, day = describe_briefly(view.deadline), format_day(view.deadline.at)
    return Sentence("**{name}**: {what} on {day}.", name=view.name, what=what, day=day)


def _effect(view: MailLinkView) -> Sentence:
    if view.until is None:
        return Sentence("Its mails stop until the last week before it.")
    return Sentence("Its mails stop until {until}.", until=Moment(view.until, "UTC", Style.MINUTE))


def _done(view: MailLinkView) -> Sentence:
    if view.action is MailAction.ACKNOWLEDGE:
        return Sentence("The deadline of {name} is acknowledged", name=view.name)
    return Sentence("The deadline of {name} is snoozed", name=view.name)
