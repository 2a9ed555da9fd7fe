"""Decides which notices a watched cluster needs now: the reminders of each deadline, and all else worth a mail.

Called by `watch_support` once a run for every cluster, with all its notices so far; the rows it returns are written before
anything is sent. The same decision twice is the same ids. A run that never took place heals itself: see `reminders.latest_due`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.message import Severity
from chalicelib.domain.core.recipients import distinct, recipient_of
from chalicelib.domain.notices.notice import Audience, Notice, NoticeKind, NoticeState
from chalicelib.domain.notices.reminders import (
    LAST_RUNGS,
    REMINDER_DAYS,
    due_at,
    latest_due,
    reminders_for,
    severity_of,
)
from chalicelib.domain.notices.status_changes import (
    date_known,
    dates_moved,
    lease_first,
    no_date,
    nodes_behind,
    solved,
    unreadable,
    upgraded_by_aws,
)
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind
from chalicelib.domain.support.watched import Watched


@dataclass(frozen=True)
class NoticeRules:
    """How an installation tells people. `reminder_days`: days before; `administrators`: told last, and where nobody answers."""

    reminder_days: tuple[int, ...] = REMINDER_DAYS
    default_owner: str | None = None
    administrators: str | None = None
    unreadable_after_days: int = 3

    def owner_of(self, watched: Watched) -> str:
        """Who is told first: never nobody."""
        return recipient_of(watched.owner or self.default_owner or self.administrators or Audience.ADMINISTRATORS.value)

    def owners_of(self, watched: Watched) -> tuple[str, ...]:
        """Everyone who hears as an owner, the one who may act first."""
        return distinct((self.owner_of(watched), *watched.other_owners))


def decide_notices(
    watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime
) -> tuple[Notice, ...]:
    """Return the notices that are due at `now` and not in `history`, most urgent first."""
    at, owners = utc(now), rules.owners_of(watched)
    due = [*solved(watched, history, at), *date_known(watched, history, at)]
    due += [notice for owner in owners for notice in upgraded_by_aws(watched, history, owner, at)]
    if watched.gone_at is None:
        due += dates_moved(watched, history, at)
        if watched.support.lease_first:
            due += [notice for owner in owners for notice in lease_first(watched, owner, rules.reminder_days, at)]
        else:
            due += _reminders(watched, [*history, *due], rules, at)
        due += [notice for owner in owners for notice in nodes_behind(watched, history, owner, at)]
        due += [
            notice
            for recipient, audience in recipients(watched, rules)
            if audience is not Audience.TEAM
            for notice in no_date(watched, history, recipient, audience, at)
        ]
        due += unreadable(watched, recipient_of(rules.administrators or owners[0]), rules.unreadable_after_days, at)
    known = {notice.id for notice in history}
    fresh = {notice.id: notice for notice in due if notice.id not in known}
    return tuple(sorted(fresh.values(), key=lambda n: (-list(Severity).index(n.severity), n.id)))


def recipients(watched: Watched, rules: NoticeRules) -> tuple[tuple[str, Audience], ...]:
    """Everyone a deadline may concern, and as whom; one who is several of them is told as the first."""
    everyone = [
        *((owner, Audience.OWNER) for owner in rules.owners_of(watched)),
        (watched.team, Audience.TEAM),
        (rules.administrators, Audience.ADMINISTRATORS),
    ]
    first: dict[str, tuple[str, Audience]] = {}
    for name, audience in everyone:
        if name:
            first.setdefault(recipient_of(name).casefold(), (recipient_of(name), audience))
    return tuple(first.values())


def next_audience(watched: Watched, notice: Notice, rules: NoticeRules) -> tuple[Notice, ...]:
    """The same notice for those who come next, where nobody takes messages for its recipient; none after administrators."""
    order = list(Audience)
    later = [
        (name, audience)
        for name, audience in recipients(watched, rules)
        if order.index(audience) > order.index(notice.audience) and name.casefold() != notice.recipient.casefold()
    ]
    nearest = min((order.index(audience) for _, audience in later), default=None)
    return tuple(
        replace(notice, recipient=name, audience=audience, state=NoticeState.PENDING, unheard="")
        for name, audience in later
        if order.index(audience) == nearest
    )


def _reminders(watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime) -> Iterable[Notice]:
    others = rules.owners_of(watched)[1:]
    for deadline in _speaking(watched, rules, now):
        for recipient, audience in recipients(watched, rules):
            reminder = latest_due(deadline, reminders_for(audience, rules.reminder_days), now)
            if reminder is None or (recipient not in others and _held_back(watched, deadline, reminder, audience, now)):
                continue
            if not _covered(history, deadline, reminder, recipient):
                yield Notice(
                    key=watched.cluster.key,
                    kind=NoticeKind.DEADLINE,
                    deadline_id=deadline.id,
                    reminder=reminder,
                    recipient=recipient,
                    audience=audience,
                    severity=severity_of(deadline, reminder),
                    due_at=due_at(deadline, reminder),
                    decided_at=now,
                    late_by_days=_late_by(watched, history, deadline, reminder, audience, now),
                )


def _speaking(watched: Watched, rules: NoticeRules, now: datetime) -> tuple[Deadline, ...]:
    """Billing that has begun is told weekly until the forced upgrade's own escalation begins, which tells it as well."""
    support = watched.support
    begun = support.begun
    if begun is None or any(latest_due(d, rules.reminder_days, now) is not None for d in support.deadlines):
        return support.deadlines
    return (begun, *support.deadlines)


def _held_back(watched: Watched, deadline: Deadline, reminder: int, audience: Audience, now: datetime) -> bool:
    begun = reminder < 0 and deadline.kind is DeadlineKind.EXTENDED_BILLING
    if begun and audience is not Audience.OWNER:
        return True
    can_wait = begun or reminder > LAST_RUNGS[0]
    if _acknowledged(watched, deadline):
        return can_wait or audience is not Audience.OWNER
    return can_wait and watched.snoozed_until is not None and now < watched.snoozed_until


def _acknowledged(watched: Watched, deadline: Deadline) -> bool:
    """Who acknowledged what comes next has heard of the billing that has begun."""
    said, begun, following = watched.acknowledged_deadline, watched.support.begun, watched.support.next
    return said == deadline.id or (deadline == begun and following is not None and said == following.id)


def _covered(history: Iterable[Notice], deadline: Deadline, reminder: int, recipient: str) -> bool:
    """Whether the recipient has been told of this deadline since the reminder came due."""
    return any(
        notice.decided_at >= due_at(deadline, reminder)
        for notice in history
        if notice.deadline_id == deadline.id
        and notice.recipient == recipient
        and notice.kind in (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED)
    )


def _late_by(
    watched: Watched, history: Sequence[Notice], deadline: Deadline, reminder: int, audience: Audience, now: datetime
) -> int:
    """Days since it could have been told: not before the deadline was known or the snooze over, nor again for a new owner."""
    text = [n for n in history if n.deadline_id == deadline.id and n.kind is NoticeKind.DEADLINE]
    if any(n.reminder == reminder and n.audience is audience for n in text) or (watched.armed_at is None and not text):
        return 0
    due = due_at(deadline, reminder)
    since = max(due, watched.armed_at or due, min(watched.snoozed_until or due, now))
    return (now - since).days
