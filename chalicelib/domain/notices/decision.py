"""Decides which notices a watched cluster needs now. Pure: `decide_notices` is read from top to bottom.

The support watch calls it once a run for every cluster, with all notices of the cluster so far, and stores the new ones before
it sends any. Repeating a decision gives the same ids. After a missed run the next one decides the same:
see `reminders.latest_due`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.message import Severity
from chalicelib.domain.core.recipients import distinct, recipient_of
from chalicelib.domain.notices.history import (
    ended_by_aws,
    last_sent_of_each,
    last_undated,
    policy_changed,
    stale,
    subject_of,
    times_sent,
    why_dated,
    why_solved,
)
from chalicelib.domain.notices.notice import Audience, Notice, NoticeKind, NoticeState
from chalicelib.domain.notices.reminders import (
    LAST_RUNGS,
    REMINDER_DAYS,
    WEEK,
    due_at,
    latest_due,
    reminders_for,
    severity_of,
    weeks_since,
)
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind, deadlines_of
from chalicelib.domain.support.readiness import behind
from chalicelib.domain.support.watched import Watched


@dataclass(frozen=True)
class NoticeRules:
    """The settings for notices. `reminder_days`: days before; `administrators`: told last, and for clusters without an owner."""

    reminder_days: tuple[int, ...] = REMINDER_DAYS
    default_owner: str | None = None
    administrators: str | None = None
    unreadable_after_days: int = 3

    def owner_of(self, watched: Watched) -> str:
        """The first recipient: there always is one."""
        return recipient_of(watched.owner or self.default_owner or self.administrators or Audience.ADMINISTRATORS.value)

    def owners_of(self, watched: Watched) -> tuple[str, ...]:
        """Everyone who is told as an owner; the first may act."""
        return distinct((self.owner_of(watched), *watched.other_owners))

    def may_silence(self, recipient: str, watched: Watched) -> bool:
        """Whether this recipient's acknowledgement holds a cluster's mails back: its first owner's and administrators' does.

        Others only get notices: anybody who may tag a cluster can name themself as one of its owners.
        """
        deciding = (self.owner_of(watched), self.administrators or "")
        return recipient.casefold() in {name.casefold() for name in deciding if name}


@dataclass(frozen=True)
class NoticeContext:
    """The facts of one decision: the cluster, the notices so far, the rules, and the time."""

    watched: Watched
    history: tuple[Notice, ...]
    rules: NoticeRules
    now: datetime

    @property
    def owners(self) -> tuple[str, ...]:
        return self.rules.owners_of(self.watched)

    def notice(
        self,
        kind: NoticeKind,
        name: str,
        told: tuple[str, Audience],
        severity: Severity,
        *,
        reminder: int | None = None,
        due_at: datetime | None = None,
        note: str = "",
    ) -> Notice:
        """A notice decided now. `name`: the id of its deadline or event; `told`: the recipient and their audience."""
        due = due_at or self.now
        return Notice(
            key=self.watched.cluster.key,
            kind=kind,
            deadline_id=name,
            reminder=reminder,
            recipient=told[0],
            audience=told[1],
            severity=severity,
            due_at=due,
            decided_at=self.now,
            late_by_days=(self.now - due).days,
            note=note,
        )


def decide_notices(
    watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime
) -> tuple[Notice, ...]:
    """Return the notices that are due at `now` and not in `history`, most urgent first."""
    context = NoticeContext(watched, tuple(history), rules, utc(now))
    due = [*_solved(context), *_dated(context)]
    if watched.gone_at is None:
        due += _upgraded_by_aws(context)
        due += _dates_moved(context)
        due += _lease_first(context) if watched.support.lease_first else _reminders(context, [*history, *due])
        due += _nodes_behind(context)
        due += _no_date(context)
        due += _unreadable(context)
    known = {notice.id for notice in history}
    fresh = {notice.id: notice for notice in due if notice.id not in known}
    return tuple(sorted(fresh.values(), key=lambda n: (-list(Severity).index(n.severity), n.id)))


def recipients(watched: Watched, rules: NoticeRules) -> tuple[tuple[str, Audience], ...]:
    """Everyone whom a deadline concerns, with their audience; a person in several counts in the first."""
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
    """The same notice for the next audience, if no message reaches its recipient; none after administrators."""
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


def _solved(context: NoticeContext) -> Iterator[Notice]:
    """Once per end, to everyone who was told of a deadline that no longer concerns the cluster; `note` says why."""
    watched, history = context.watched, context.history
    for sent in stale(watched, history):
        if watched.gone_at is not None or not ended_by_aws(watched, sent):
            yield context.notice(
                NoticeKind.SOLVED,
                sent.deadline_id,
                (sent.recipient, sent.audience),
                Severity.INFO,
                reminder=times_sent(history, NoticeKind.SOLVED, sent),
                note=why_solved(watched, sent),
            )


def _dated(context: NoticeContext) -> Iterator[Notice]:
    """Once per end, to everyone who was told that a version has no date: it has one now, or is no longer in use."""
    watched, history = context.watched, context.history
    for sent in last_undated(history):
        version = sent.deadline_id.partition("#")[2]
        if watched.gone_at is not None or not watched.is_undated or watched.cluster.version != version:
            ends = [n for n in history if n.kind is NoticeKind.SOLVED and n.deadline_id == sent.deadline_id]
            yield context.notice(
                NoticeKind.SOLVED,
                sent.deadline_id,
                (sent.recipient, sent.audience),
                Severity.INFO,
                reminder=sum(n.recipient == sent.recipient for n in ends),
                note=why_dated(watched, version),
            )


def _upgraded_by_aws(context: NoticeContext) -> Iterator[Notice]:
    """Once to the owners, and to everyone who was told that it would happen."""
    watched, at = context.watched, context.watched.upgraded_by_aws_at
    if at is not None:
        name = f"upgraded#{watched.cluster.version}#{utc(at):%Y-%m-%d}"
        told = any(n.deadline_id == name and n.audience is Audience.OWNER for n in context.history)
        to = {} if told else dict.fromkeys(context.owners, Audience.OWNER)
        for sent in stale(watched, context.history):
            if ended_by_aws(watched, sent):
                to.setdefault(sent.recipient, sent.audience)
        for each in to.items():
            yield context.notice(NoticeKind.UPGRADED_BY_AWS, name, each, Severity.URGENT)


def _dates_moved(context: NoticeContext) -> Iterator[Notice]:
    """Once per move, to everyone who was told the former date; `note` is that date. As urgent as a reminder of the new date."""
    watched, history, levels = context.watched, context.history, list(Severity)
    current = {subject_of(d.id): d for d in deadlines_of(watched.support)}
    for sent in last_sent_of_each(history):
        deadline = current.get(subject_of(sent.deadline_id))
        if deadline is not None and deadline.id != sent.deadline_id and not policy_changed(watched, sent):
            reminder = latest_due(deadline, REMINDER_DAYS, context.now)
            severity = Severity.WARNING if reminder is None else severity_of(deadline, reminder)
            yield context.notice(
                NoticeKind.DATE_MOVED,
                deadline.id,
                (sent.recipient, sent.audience),
                max(severity, Severity.WARNING, key=levels.index),
                reminder=times_sent(history, NoticeKind.DATE_MOVED, sent),
                note=sent.deadline_id.rpartition("#")[2],
            )


def _lease_first(context: NoticeContext) -> Iterator[Notice]:
    """Once to the owners, when reminders would begin: the lab's lease ends before the deadline."""
    deadline = context.watched.support.next
    if deadline is not None and latest_due(deadline, context.rules.reminder_days, context.now) is not None:
        for owner in context.owners:
            yield context.notice(NoticeKind.LEASE_FIRST, deadline.id, (owner, Audience.OWNER), Severity.INFO)


def _reminders(context: NoticeContext, history: Iterable[Notice]) -> Iterator[Notice]:
    """Each deadline's latest reminder, to everyone concerned who has not been told since it came due."""
    watched, rules, now = context.watched, context.rules, context.now
    for deadline in _to_remind_of(context):
        for recipient, audience in recipients(watched, rules):
            reminder = latest_due(deadline, reminders_for(audience, rules.reminder_days), now)
            if reminder is None or _covered(history, deadline, reminder, recipient):
                continue
            if recipient in context.owners[1:] or not _held_back(context, deadline, reminder, audience):
                told, severity = (recipient, audience), severity_of(deadline, reminder)
                due = due_at(deadline, reminder)
                notice = context.notice(NoticeKind.DEADLINE, deadline.id, told, severity, reminder=reminder, due_at=due)
                yield replace(notice, late_by_days=_late_by(context, deadline, reminder, audience))


def _nodes_behind(context: NoticeContext) -> Iterator[Notice]:
    """Weekly to the owners while nodes are not on the control plane's version; more severe beyond Kubernetes's allowed skew."""
    version = context.watched.cluster.version
    if lagging := behind(version, context.watched.cluster.nodes):
        severity = Severity.WARNING if all(nodes.within for nodes in lagging) else Severity.URGENT
        for owner in context.owners:
            yield _weekly(context, NoticeKind.NODES_BEHIND, f"nodes#{version}", (owner, Audience.OWNER), severity)


def _no_date(context: NoticeContext) -> Iterator[Notice]:
    """Weekly while no calendar has a date for the version: AWS may upgrade the cluster at any time."""
    if context.watched.is_undated:
        name = f"no-date#{context.watched.cluster.version}"
        for told in recipients(context.watched, context.rules):
            if told[1] is not Audience.TEAM:
                yield _weekly(context, NoticeKind.NO_DATE, name, told, Severity.URGENT)


def _unreadable(context: NoticeContext) -> Iterator[Notice]:
    """Weekly to administrators, once a cluster could not be read for `unreadable_after_days`."""
    trouble, rules = context.watched.trouble, context.rules
    if trouble is not None:
        began = utc(trouble.since) + timedelta(days=rules.unreadable_after_days)
        weeks = weeks_since(began, context.now)
        if weeks >= 0:
            yield context.notice(
                NoticeKind.UNREADABLE,
                f"trouble#{utc(trouble.since):%Y-%m-%d}",
                (recipient_of(rules.administrators or context.owners[0]), Audience.ADMINISTRATORS),
                Severity.WARNING,
                reminder=-7 * weeks,
                due_at=began + WEEK * weeks,
            )


def _weekly(
    context: NoticeContext, kind: NoticeKind, name: str, told: tuple[str, Audience], severity: Severity
) -> Notice:
    """This week's notice: weeks are counted by days from the recipient's first notice of this name."""
    sent = (n.due_at for n in context.history if n.deadline_id == name and n.recipient == told[0])
    began = min(sent, default=context.now)
    first_day = utc(began).replace(hour=0, minute=0, second=0, microsecond=0)
    weeks = max(weeks_since(first_day, context.now), 0)
    due = began if weeks == 0 else first_day + WEEK * weeks
    return context.notice(kind, name, told, severity, reminder=-7 * weeks, due_at=due)


def _to_remind_of(context: NoticeContext) -> tuple[Deadline, ...]:
    """Begun billing is reported weekly until the reminders of the forced upgrade begin: those mention it as well."""
    support = context.watched.support
    days = context.rules.reminder_days
    if support.begun is None or any(latest_due(d, days, context.now) is not None for d in support.deadlines):
        return support.deadlines
    return (support.begun, *support.deadlines)


def _held_back(context: NoticeContext, deadline: Deadline, reminder: int, audience: Audience) -> bool:
    """Whether an acknowledgement or a snooze holds the reminder back, or only the owner gets it."""
    watched = context.watched
    begun = reminder < 0 and deadline.kind is DeadlineKind.EXTENDED_BILLING
    if begun and audience is not Audience.OWNER:
        return True
    can_wait = begun or reminder > LAST_RUNGS[0]
    if _acknowledged(watched, deadline):
        return can_wait or audience is not Audience.OWNER
    return can_wait and watched.snoozed_until is not None and context.now < watched.snoozed_until


def _acknowledged(watched: Watched, deadline: Deadline) -> bool:
    """Acknowledging the next deadline acknowledges the billing that has begun, too."""
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


def _late_by(context: NoticeContext, deadline: Deadline, reminder: int, audience: Audience) -> int:
    """Days since the reminder could be sent: not before the deadline was known or the snooze over; 0 for a new owner."""
    watched = context.watched
    sent = [n for n in context.history if n.deadline_id == deadline.id and n.kind is NoticeKind.DEADLINE]
    if any(n.reminder == reminder and n.audience is audience for n in sent) or (watched.armed_at is None and not sent):
        return 0
    due = due_at(deadline, reminder)
    since = max(due, watched.armed_at or due, min(watched.snoozed_until or due, context.now))
    return (context.now - since).days
