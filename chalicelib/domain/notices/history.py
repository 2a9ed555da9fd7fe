"""What people were told of a cluster's deadlines, read off its notices, and which of it no longer holds.

Called by `status_changes.py`. A telling is a reminder or a moved date; SOLVED and UPGRADED_BY_AWS end it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.notices.notice import Notice, NoticeKind
from chalicelib.domain.support.deadlines import deadlines_of
from chalicelib.domain.support.watched import Watched

_TELLINGS = (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED)


def stale(watched: Watched, history: Sequence[Notice]) -> list[Notice]:
    """The last telling per recipient and deadline that no longer holds. A version the calendar lost is not solved by that."""
    if watched.gone_at is not None:
        return last_sent_of_each(history)
    current = {subject_of(d.id) for d in deadlines_of(watched.support)}
    return [
        sending
        for sending in last_sent_of_each(history)
        if _version(sending) != watched.cluster.version
        or (current and subject_of(sending.deadline_id) not in current)
        or policy_changed(watched, sending)
    ]


def last_sent_of_each(history: Sequence[Notice]) -> list[Notice]:
    """Per recipient, kind and version the date told last, unless its end was told since."""
    last: dict[tuple[str, str], Notice] = {}
    for notice in sorted(history, key=lambda n: n.decided_at):
        if notice.kind in _TELLINGS:
            last[notice.recipient, subject_of(notice.deadline_id)] = notice
        else:
            last = {who: sending for who, sending in last.items() if not _ends(notice, sending)}
    return list(last.values())


def ended_by_aws(watched: Watched, sending: Notice) -> bool:
    """Whether AWS's own upgrade put an end to what was told."""
    at = watched.upgraded_by_aws_at
    return at is not None and sending.decided_at <= at and _version(sending) != watched.cluster.version


def policy_changed(watched: Watched, sending: Notice) -> bool:
    """Another kind of deadline stands at the date that was told: the owner changed the policy, AWS moved nothing."""
    kind, _, day = sending.deadline_id.split("#")
    return any(
        d.kind != kind and d.version == _version(sending) and f"{utc(d.at):%Y-%m-%d}" == day
        for d in deadlines_of(watched.support)
    )


def why_solved(watched: Watched, sending: Notice) -> str:
    """Why a telling no longer holds, as a sentence."""
    if watched.gone_at is not None:
        return Sentence("The cluster is gone.")
    if _version(sending) != watched.cluster.version:
        return Sentence("It runs {version} now.", version=watched.cluster.version)
    return Sentence("Its support policy was changed.")


def times_sent(history: Iterable[Notice], kind: NoticeKind, sending: Notice) -> int:
    """How many notices of this kind the recipient has had of this deadline, on whatever date: its moves, its ends."""
    subject = subject_of(sending.deadline_id)
    return sum(
        n.kind is kind and n.recipient == sending.recipient and subject_of(n.deadline_id) == subject for n in history
    )


def subject_of(deadline_id: str) -> str:
    """A deadline's name without its date."""
    return deadline_id.rpartition("#")[0]


def _ends(notice: Notice, sending: Notice) -> bool:
    if notice.recipient != sending.recipient:
        return False
    if notice.kind is NoticeKind.UPGRADED_BY_AWS:
        return _version(notice) != _version(sending)
    return notice.kind is NoticeKind.SOLVED and notice.deadline_id == sending.deadline_id


def _version(sending: Notice) -> str:
    return sending.deadline_id.split("#")[1]
