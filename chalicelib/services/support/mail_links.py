"""The buttons of mails about deadlines, without a login: showing changes nothing, pressing one again is the same.

The link proves the person, while that person still answers for the cluster and its deadline is still ahead.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.mail_link import MailAction, MailLink, hashed, read_mail_link
from chalicelib.domain.errors.tree import LinkInvalid
from chalicelib.domain.notices.decision import recipients
from chalicelib.domain.notices.reminders import latest_snooze
from chalicelib.domain.support.deadlines import Deadline
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.deps import Deps
from chalicelib.services.support.commands import deadline_ahead


@dataclass(frozen=True)
class MailLinkView:
    """`name`: of the cluster. `deadline`: the subject. `until`: of a snooze. `done`: done already."""

    action: MailAction
    name: str
    deadline: Deadline
    until: datetime | None
    done: bool


def look_at_mail_link(deps: Deps, action: str, token: str, now: datetime) -> MailLinkView:
    """The effect of the button. Raises LinkInvalid, LinkExpired, LinkBusy, NothingAhead."""
    link = _read(deps, action, token, now)
    watched = deps.watch.store.watched(link.key)
    return _view(deps, link, _checked(deps, link, watched), now)


def act_on_mail_link(deps: Deps, action: str, token: str, now: datetime) -> MailLinkView:
    """Carry it out. Raises LinkInvalid, LinkExpired, LinkBusy, NothingAhead, StaleLab."""
    link = _read(deps, action, token, now)
    saved = deps.watch.store.change_watched(link.key, lambda kept: _changed(deps, link, kept, now))
    return _view(deps, link, _checked(deps, link, saved), now)


def _read(deps: Deps, action: str, token: str, now: datetime) -> MailLink:
    link = read_mail_link(action, token, deps.curfew.known_keys(), now)
    deps.curfew.link_uses.spend(token, now)
    return link


def _checked(deps: Deps, link: MailLink, watched: Watched | None) -> Watched:
    """Raise LinkInvalid if it is no longer watched, somebody else answers for it, or another deadline is the next."""
    if watched is None or _who(deps, link, watched) is None:
        raise LinkInvalid
    if hashed(deadline_ahead(watched).id) != link.deadline:
        raise LinkInvalid
    return watched


def _who(deps: Deps, link: MailLink, watched: Watched) -> str | None:
    rules = deps.watch.rules
    names = [name for name, _ in recipients(watched, rules) if rules.may_silence(name, watched)]
    return next((name for name in names if hashed(name) == link.who), None)


def _changed(deps: Deps, link: MailLink, kept: Watched | None, now: datetime) -> Watched:
    watched = _checked(deps, link, kept)
    match link.action:
        case MailAction.ACKNOWLEDGE:
            if watched.acknowledged_deadline == deadline_ahead(watched).id:
                return watched
            by = Sentence("{who}, with the link in a mail", who=_who(deps, link, watched) or "")
            return replace(watched, acknowledged_by=by, acknowledged_deadline=deadline_ahead(watched).id)
        case MailAction.SNOOZE:
            return replace(watched, snoozed_until=_snoozed_until(deps, watched, now))
        case _:
            assert_never(link.action)


def _view(deps: Deps, link: MailLink, watched: Watched, now: datetime) -> MailLinkView:
    ahead, until = deadline_ahead(watched), None
    if link.action is MailAction.SNOOZE:
        until = _snoozed_until(deps, watched, now)
        done = watched.snoozed_until is not None and watched.snoozed_until >= until
    else:
        done = watched.acknowledged_deadline == ahead.id
    return MailLinkView(link.action, watched.cluster.key.name, ahead, until, done)


def _snoozed_until(deps: Deps, watched: Watched, now: datetime) -> datetime:
    return latest_snooze(deadline_ahead(watched), now, deps.watch.reminder_days)
