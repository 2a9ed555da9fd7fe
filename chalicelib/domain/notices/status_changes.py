"""Notices beside reminders: solved, date moved, upgraded by AWS, nodes behind, unreadable, lease ends first.

Called by `escalation.decide_notices` only. Each function returns all that could be said; the history says who was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.message import Severity
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.notices.history import (
    ended_by_aws,
    last_sent_of_each,
    policy_changed,
    stale,
    subject_of,
    times_sent,
    why_solved,
)
from chalicelib.domain.notices.notice import Audience, Notice, NoticeKind, NoticeState
from chalicelib.domain.notices.reminders import REMINDER_DAYS, WEEK, latest_due, severity_of, weeks_since
from chalicelib.domain.support.deadlines import Deadline, deadlines_of
from chalicelib.domain.support.readiness import behind
from chalicelib.domain.support.watched import Watched


def upgraded_by_aws(watched: Watched, history: Sequence[Notice], owner: str, now: datetime) -> Iterator[Notice]:
    """Once to the owner, and to everyone who had been told that it would happen."""
    if watched.upgraded_by_aws_at is None or watched.gone_at is not None:
        return
    name = f"upgraded#{watched.cluster.version}#{utc(watched.upgraded_by_aws_at):%Y-%m-%d}"
    describe_owners = [n for n in history if n.deadline_id == name and n.audience is Audience.OWNER]
    to = {} if describe_owners else {owner: Audience.OWNER}
    for sending in stale(watched, history):
        if ended_by_aws(watched, sending):
            to.setdefault(sending.recipient, sending.audience)
    for recipient, audience in to.items():
        yield _notice(watched, NoticeKind.UPGRADED_BY_AWS, name, recipient, now, Severity.URGENT, audience)


def solved(watched: Watched, history: Sequence[Notice], now: datetime) -> Iterator[Notice]:
    """Once an end, to everyone who was told of a deadline that no longer concerns the cluster; `note` says why."""
    for sending in stale(watched, history):
        if watched.gone_at is not None or not ended_by_aws(watched, sending):
            yield _notice(
                watched,
                NoticeKind.SOLVED,
                sending.deadline_id,
                sending.recipient,
                now,
                Severity.INFO,
                sending.audience,
                reminder=times_sent(history, NoticeKind.SOLVED, sending),
                note=why_solved(watched, sending),
            )


def dates_moved(watched: Watched, history: Sequence[Notice], now: datetime) -> Iterator[Notice]:
    """Once a move, to everyone who was told the date it had before; `note` is that date."""
    current = {subject_of(d.id): d for d in deadlines_of(watched.support)}
    for sending in last_sent_of_each(history):
        deadline = current.get(subject_of(sending.deadline_id))
        if deadline is None or deadline.id == sending.deadline_id or policy_changed(watched, sending):
            continue
        yield _notice(
            watched,
            NoticeKind.DATE_MOVED,
            deadline.id,
            sending.recipient,
            now,
            _severity_now(deadline, now),
            sending.audience,
            reminder=times_sent(history, NoticeKind.DATE_MOVED, sending),
            note=sending.deadline_id.rpartition("#")[2],
        )


def _severity_now(deadline: Deadline, now: datetime) -> Severity:
    """As loud as a reminder of that date would be now, to everyone alike, and never less than a warning."""
    reminder = latest_due(deadline, REMINDER_DAYS, now)
    loud = Severity.WARNING if reminder is None else severity_of(deadline, reminder)
    return max(loud, Severity.WARNING, key=list(Severity).index)


def lease_first(watched: Watched, owner: str, reminder_days: Iterable[int], now: datetime) -> Iterator[Notice]:
    """One line to the owner once the escalation would begin; the lab's lease ends before the deadline."""
    deadline = watched.support.next
    if deadline is not None and latest_due(deadline, reminder_days, now) is not None:
        yield _notice(watched, NoticeKind.LEASE_FIRST, deadline.id, owner, now, Severity.INFO, Audience.OWNER)


def nodes_behind(watched: Watched, history: Sequence[Notice], owner: str, now: datetime) -> Iterator[Notice]:
    """Weekly to the owner while nodes are not on the control plane's version; louder beyond the skew Kubernetes allows."""
    lagging = behind(watched.cluster.version, watched.cluster.nodes)
    if not lagging:
        return
    name = f"nodes#{watched.cluster.version}"
    began = min((n.due_at for n in history if n.deadline_id == name and n.recipient == owner), default=now)
    weeks = max(weeks_since(_midnight(began), now), 0)
    severity = Severity.WARNING if all(nodes.within for nodes in lagging) else Severity.URGENT
    due = began if weeks == 0 else _midnight(began) + WEEK * weeks
    yield _notice(
        watched, NoticeKind.NODES_BEHIND, name, owner, now, severity, Audience.OWNER, reminder=-7 * weeks, due_at=due
    )


def no_date(
    watched: Watched, history: Sequence[Notice], recipient: str, audience: Audience, now: datetime
) -> Iterator[Notice]:
    """Weekly while no calendar dates the version it runs: AWS may upgrade it at any time, and nobody can say when."""
    if not watched.is_undated:
        return
    name = f"no-date#{watched.cluster.version}"
    began = min((n.due_at for n in history if n.deadline_id == name and n.recipient == recipient), default=now)
    weeks = max(weeks_since(_midnight(began), now), 0)
    due = began if weeks == 0 else _midnight(began) + WEEK * weeks
    yield _notice(
        watched, NoticeKind.NO_DATE, name, recipient, now, Severity.URGENT, audience, reminder=-7 * weeks, due_at=due
    )


def date_known(watched: Watched, history: Sequence[Notice], now: datetime) -> Iterator[Notice]:
    """Once an end, to everyone who was told that no date is known of a version: it has one by now, or is not run any more."""
    last: dict[tuple[str, str], Notice] = {}
    for notice in sorted(history, key=lambda n: n.decided_at):
        if notice.kind is NoticeKind.NO_DATE and notice.state is not NoticeState.UNHEARD:
            last[notice.recipient, notice.deadline_id] = notice
        elif notice.kind is NoticeKind.SOLVED:
            last.pop((notice.recipient, notice.deadline_id), None)
    for told in last.values():
        version = told.deadline_id.partition("#")[2]
        if watched.gone_at is None and watched.is_undated and watched.cluster.version == version:
            continue
        ends = sum(n.kind is NoticeKind.SOLVED and _is_same_subject(n, told) for n in history)
        yield _notice(
            watched,
            NoticeKind.SOLVED,
            told.deadline_id,
            told.recipient,
            now,
            Severity.INFO,
            told.audience,
            reminder=ends,
            note=_why_known(watched, version),
        )


def _is_same_subject(notice: Notice, told: Notice) -> bool:
    return (notice.deadline_id, notice.recipient) == (told.deadline_id, told.recipient)


def _why_known(watched: Watched, version: str) -> str:
    if watched.gone_at is not None:
        return Sentence("The cluster is gone.")
    if watched.cluster.version != version:
        return Sentence("It runs {version} now.", version=watched.cluster.version)
    return Sentence("EKS tells the dates of {version} now.", version=version)


def unreadable(watched: Watched, recipient: str, after_days: int, now: datetime) -> Iterator[Notice]:
    """Weekly once a cluster could not be read for `after_days`."""
    if watched.trouble is None:
        return
    began = utc(watched.trouble.since) + timedelta(days=after_days)
    weeks = weeks_since(began, now)
    if weeks >= 0:
        name = f"trouble#{utc(watched.trouble.since):%Y-%m-%d}"
        yield _notice(
            watched,
            NoticeKind.UNREADABLE,
            name,
            recipient,
            now,
            Severity.WARNING,
            Audience.ADMINISTRATORS,
            reminder=-7 * weeks,
            due_at=began + WEEK * weeks,
        )


def _midnight(instant: datetime) -> datetime:
    return utc(instant).replace(hour=0, minute=0, second=0, microsecond=0)


def _notice(
    watched: Watched,
    kind: NoticeKind,
    deadline_id: str,
    recipient: str,
    now: datetime,
    severity: Severity,
    audience: Audience,
    *,
    reminder: int | None = None,
    due_at: datetime | None = None,
    note: str = "",
) -> Notice:
    return Notice(
        key=watched.cluster.key,
        kind=kind,
        deadline_id=deadline_id,
        reminder=reminder,
        recipient=recipient,
        audience=audience,
        severity=severity,
        due_at=due_at or now,
        decided_at=now,
        late_by_days=(now - due_at).days if due_at else 0,
        note=note,
    )
