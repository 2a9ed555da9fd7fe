"""Reads a cluster's notices: which reported deadlines no longer hold.

`decision.py` calls it. A reminder or a moved date reports a deadline; SOLVED and UPGRADED_BY_AWS end it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.notices.notice import Notice, NoticeKind, NoticeState
from chalicelib.domain.support.deadlines import deadlines_of
from chalicelib.domain.support.watched import Watched

_TELLINGS = (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED)


def stale(watched: Watched, history: Sequence[Notice]) -> list[Notice]:
    """Per recipient and deadline the last notice that no longer holds. A version that the calendar dropped does not end it."""
    if watched.gone_at is not None:
        return last_sent_of_each(history)
    current = {subject_of(d.id) for d in deadlines_of(watched.support)}
    return [
        sent
        for sent in last_sent_of_each(history)
        if _version(sent) != watched.cluster.version
        or (current and subject_of(sent.deadline_id) not in current)
        or policy_changed(watched, sent)
    ]


def last_sent_of_each(history: Sequence[Notice]) -> list[Notice]:
    """Per recipient, kind and version the last notice of a date, unless its end was reported since."""
    last: dict[tuple[str, str], Notice] = {}
    for notice in sorted(history, key=lambda n: n.decided_at):
        if notice.kind in _TELLINGS:
            last[notice.recipient, subject_of(notice.deadline_id)] = notice
        else:
            last = {who: sent for who, sent in last.items() if not _ends(notice, sent)}
    return list(last.values())


def last_undated(history: Sequence[Notice]) -> list[Notice]:
    """Per recipient and version the last notice that no date is known, unless its end was reported since."""
    last: dict[tuple[str, str], Notice] = {}
    for notice in sorted(history, key=lambda n: n.decided_at):
        if notice.kind is NoticeKind.NO_DATE and notice.state is not NoticeState.UNHEARD:
            last[notice.recipient, notice.deadline_id] = notice
        elif notice.kind is NoticeKind.SOLVED:
            last.pop((notice.recipient, notice.deadline_id), None)
    return list(last.values())


def ended_by_aws(watched: Watched, sent: Notice) -> bool:
    """Whether AWS's own upgrade ended the reported deadline."""
    at = watched.upgraded_by_aws_at
    return at is not None and sent.decided_at <= at and _version(sent) != watched.cluster.version


def policy_changed(watched: Watched, sent: Notice) -> bool:
    """Whether another kind of deadline is on the reported date: the owner changed the policy, AWS moved nothing."""
    kind, _, day = sent.deadline_id.split("#")
    return any(
        d.kind != kind and d.version == _version(sent) and f"{utc(d.at):%Y-%m-%d}" == day
        for d in deadlines_of(watched.support)
    )


def why_solved(watched: Watched, sent: Notice) -> str:
    """Why a notice no longer holds, as a sentence."""
    return _why_over(watched, _version(sent)) or Sentence("Its support policy was changed.")


def why_dated(watched: Watched, version: str) -> str:
    """Why a version is no longer without a date, as a sentence."""
    return _why_over(watched, version) or Sentence("EKS tells the dates of {version} now.", version=version)


def _why_over(watched: Watched, version: str) -> str:
    if watched.gone_at is not None:
        return Sentence("The cluster is gone.")
    if watched.cluster.version != version:
        return Sentence("It runs {version} now.", version=watched.cluster.version)
    return ""


def times_sent(history: Iterable[Notice], kind: NoticeKind, sent: Notice) -> int:
    """The number of notices of this kind that the recipient got of this deadline, also for its earlier dates."""
    subject = subject_of(sent.deadline_id)
    return sum(
        n.kind is kind and n.recipient == sent.recipient and subject_of(n.deadline_id) == subject for n in history
    )


def subject_of(deadline_id: str) -> str:
    """A deadline's name without its date."""
    return deadline_id.rpartition("#")[0]


def _ends(notice: Notice, sent: Notice) -> bool:
    if notice.recipient != sent.recipient:
        return False
    if notice.kind is NoticeKind.UPGRADED_BY_AWS:
        return _version(notice) != _version(sent)
    return notice.kind is NoticeKind.SOLVED and notice.deadline_id == sent.deadline_id


def _version(sent: Notice) -> str:
    return sent.deadline_id.split("#")[1]
