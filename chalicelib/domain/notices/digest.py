"""The message to one recipient: one digest of everything there is to say, instead of a mail per cluster.

Called by the delivery with notices and their clusters. Most urgent first; a long digest shortens its last clusters, and says so,
so that it stays readable and within what SNS takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.wording import counted, format_day, paragraph
from chalicelib.domain.notices.digest_text import deadline_of_notices, headline, section
from chalicelib.domain.notices.notice import Audience, Notice
from chalicelib.domain.support.assessment import days_left
from chalicelib.domain.support.watched import Watched

#: SNS takes 256 KiB with attributes; SNS's subjects have 100 ASCII characters.
MOST_BYTES, MOST_SUBJECT = 200_000, 100
#: Clusters told with their commands; further ones are told without, and only then as one line each.
_WITH_COMMANDS, _WITH_SECTION = 10, 60

_DOCS = (
    "Kubernetes versions on EKS: https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
    "Upgrading a cluster:        https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html",
)
_SEVERITIES = list(Severity)


@dataclass(frozen=True)
class _Part:
    watched: Watched
    notices: tuple[Notice, ...]
    headline: str
    days: int | None

    @property
    def severity(self) -> Severity:
        return max((notice.severity for notice in self.notices), key=_SEVERITIES.index)

    @property
    def rank(self) -> tuple[int, int, ClusterKey]:
        return -_SEVERITIES.index(self.severity), 10_000 if self.days is None else self.days, self.watched.cluster.key


def compose(recipient: str, text: Sequence[tuple[Notice, Watched]], now: datetime, api: str = "") -> Message:
    """One message of all of `told` (at least one) to a recipient. `api`: what the API's paths begin with, if known."""
    parts = _parts(text, now)
    first = parts[0]
    accounts = {part.watched.cluster.key.account for part in parts}
    kinds = {notice.kind.value for notice, _ in text}
    return Message(
        recipient=recipient,
        subject=_subject(parts),
        body=_body(parts, now, api),
        kind=kinds.pop() if len(kinds) == 1 else "digest",
        severity=first.severity,
        account=accounts.pop() if len(accounts) == 1 else "several",
        owner=first.watched.owner or recipient,
        days=min((part.days for part in parts if part.days is not None), default=0),
        notice_ids=tuple((notice.key, notice.id) for notice, _ in text),
    )


def _parts(text: Sequence[tuple[Notice, Watched]], now: datetime) -> list[_Part]:
    by_key: dict[ClusterKey, list[tuple[Notice, Watched]]] = {}
    for notice, watched in text:
        by_key.setdefault(notice.key, []).append((notice, watched))
    parts = []
    for pairs in by_key.values():
        watched, notices = pairs[-1][1], tuple(notice for notice, _ in pairs)
        deadline = deadline_of_notices(watched, notices)
        days = days_left(deadline, now) if deadline else None
        parts.append(_Part(watched, notices, headline(watched, notices, now), days))
    return sorted(parts, key=lambda part: part.rank)


def _subject(parts: Sequence[_Part]) -> str:
    first = parts[0]
    what = f"{_name(first)} {first.headline}"
    if len(parts) > 1:
        what = f"{counted(len(parts), 'cluster')}, first {what}"
    plain = re.sub(r"[^ -~]", "?", f"EKS {first.severity}: {what}")
    return plain if len(plain) <= MOST_SUBJECT else f"{plain[: MOST_SUBJECT - 3]}..."


def _body(parts: Sequence[_Part], now: datetime, api: str) -> str:
    pieces = [_opening(parts, now)]
    if len(parts) > 1:
        pieces.append(_table(parts))
    closing = "\n".join(_DOCS)
    room = MOST_BYTES - sum(len(piece.encode()) for piece in (*pieces, closing)) - 1_000
    for number, part in enumerate(parts[:_WITH_SECTION], 1):
        whole = (
            f"{_title(number, part)}\n{section(part.watched, part.notices, now, api, full=number <= _WITH_COMMANDS)}"
        )
        room -= len(whole.encode()) + 2
        if room < 0:
            pieces.append(_rest(len(parts) - number + 1, api))
            return "\n\n".join([*pieces, closing]) + "\n"
        pieces.append(whole)
    if len(parts) > _WITH_SECTION:
        pieces.append(_rest(len(parts) - _WITH_SECTION, api))
    return "\n\n".join([*pieces, closing]) + "\n"


def _opening(parts: Sequence[_Part], now: datetime) -> str:
    audience = min((n.audience for part in parts for n in part.notices), key=list(Audience).index)
    whose = {
        Audience.OWNER: "You answer for what follows.",
        Audience.TEAM: "Your team is told as well, since the owner has not acknowledged it yet.",
        Audience.ADMINISTRATORS: "You are told as an administrator; of a deadline, because nobody has acknowledged it.",
    }[audience]
    return paragraph(
        f"EKS support watch, {format_day(now)}: news of {counted(len(parts), 'cluster')}. {whose} Dates are UTC."
    )


def _table(parts: Sequence[_Part]) -> str:
    shown = parts[:500]
    width = min(max(len(_name(part)) for part in shown), 40)
    lines = [f"  {part.severity:<8}  {_name(part):<{width}}  {part.headline}" for part in shown]
    if len(parts) > len(shown):
        lines.append(f"  and {len(parts) - len(shown)} more")
    return "\n".join(lines)


def _title(number: int, part: _Part) -> str:
    title = f"{number}. {_name(part)}: {part.headline}"
    return f"{title}\n{'-' * min(len(title), 88)}"


def _rest(more: int, api: str) -> str:
    return f"{counted(more, 'more cluster')} with less urgent news: GET {api}/clusters"


def _name(part: _Part) -> str:
    key = part.watched.cluster.key
    return key.name if part.watched.cluster.version else f"{key.account} {key.region} {key.name}".removesuffix(" *")
