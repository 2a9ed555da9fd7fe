"""The message to one recipient: one digest of all notices, instead of a mail per cluster.

Called by the delivery with notices and their clusters. Most urgent first; a long digest is split into several
messages, so that each stays readable and within SNS's limit, and no cluster is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import (
    Block,
    Heading,
    Letter,
    Message,
    Rows,
    Severity,
    english_body,
    letter_of,
    para,
    plain_block,
    subject_line,
)
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.sentence import ENGLISH, Sentence
from chalicelib.domain.core.wording import counted, format_day
from chalicelib.domain.notices.digest_text import deadline_of_notices, headline, section
from chalicelib.domain.notices.notice import Audience, Notice
from chalicelib.domain.support.assessment import days_left
from chalicelib.domain.support.deadlines import Deadline
from chalicelib.domain.support.watched import Watched

#: SNS accepts 256 KiB with attributes.
MOST_BYTES = 190_000
#: The most clusters in one message, and the most of them shown with commands; the API shows all.
_CLUSTERS, _WITH_COMMANDS = 60, 10
#: Bytes for a cluster's title and line in the table, generously.
_A_CLUSTER = 400

#: The links for one reader about a cluster and its next deadline.
Buttons = Callable[[Watched, Deadline], tuple[Block, ...]]
_DOCS = "https://docs.aws.amazon.com/eks/latest/userguide"
_SEVERITIES = list(Severity)


@dataclass(frozen=True)
class _Part:
    watched: Watched
    notices: tuple[Notice, ...]
    headline: str
    days: int | None
    buttons: tuple[Block, ...] = ()

    @property
    def severity(self) -> Severity:
        return max((notice.severity for notice in self.notices), key=_SEVERITIES.index)

    @property
    def rank(self) -> tuple[int, int, ClusterKey]:
        return -_SEVERITIES.index(self.severity), 10_000 if self.days is None else self.days, self.watched.cluster.key


def compose(
    recipient: str, text: Sequence[tuple[Notice, Watched]], now: datetime, buttons: Buttons | None = None
) -> tuple[Message, ...]:
    """Messages of all of `text` (at least one) to a recipient, each cluster whole in one of them, most urgent first.

    `buttons`: the links that act on a cluster's deadline for this recipient; without them the mail shows commands.
    """
    volumes = _volumes(_parts(text, now), now)
    parts = [[replace(part, buttons=_buttons(part, buttons)) for part in volume] for volume in volumes]
    return tuple(_message(recipient, part, now, (n, len(volumes))) for n, part in enumerate(parts, 1))


def _buttons(part: _Part, buttons: Buttons | None) -> tuple[Block, ...]:
    """The buttons of a reported deadline that can still be acknowledged."""
    ahead, told = part.watched.support.next, deadline_of_notices(part.watched, part.notices)
    if buttons is None or ahead is None or told is None or part.watched.gone_at is not None:
        return ()
    return buttons(part.watched, ahead)


def _volumes(parts: Sequence[_Part], now: datetime) -> list[list[_Part]]:
    """The clusters of each message: as many as fit into one."""
    volumes: list[list[_Part]] = [[]]
    room = 0
    for part in parts:
        size = _bytes(section(part.watched, part.notices, now, full=True)) + _A_CLUSTER
        if volumes[-1] and (len(volumes[-1]) == _CLUSTERS or size > room):
            volumes.append([])
        room = (room if volumes[-1] else MOST_BYTES) - size
        volumes[-1].append(part)
    return volumes


def _bytes(blocks: Sequence[Block]) -> int:
    return sum(len(plain_block(block, ENGLISH).encode()) + 2 for block in blocks)


def _message(recipient: str, parts: Sequence[_Part], now: datetime, volume: tuple[int, int]) -> Message:
    notices = [notice for part in parts for notice in part.notices]
    accounts = {part.watched.cluster.key.account for part in parts}
    kinds = {notice.kind.value for notice in notices}
    letter = _letter(parts, now, volume)
    return Message(
        recipient=recipient,
        subject=subject_line(letter.subject),
        body=english_body(letter),
        kind=kinds.pop() if len(kinds) == 1 else "digest",
        severity=parts[0].severity,
        account=accounts.pop() if len(accounts) == 1 else "several",
        owner=parts[0].watched.owner or recipient,
        days=min((part.days for part in parts if part.days is not None), default=0),
        notice_ids=tuple((notice.key, notice.id) for notice in notices),
        letter=letter,
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


def _subject(parts: Sequence[_Part], volume: tuple[int, int]) -> str:
    first = parts[0]
    name, (number, of) = _name(first), volume
    what = Sentence("{name} {headline}", name=name, headline=first.headline)
    if len(parts) > 1:
        what = Sentence("{clusters}, first {what}", clusters=counted(len(parts), "cluster"), what=what)
    severity = severity_said(first.severity)
    if of > 1:
        return Sentence("EKS {severity} ({number} of {of}): {what}", severity=severity, number=number, of=of, what=what)
    return Sentence("EKS {severity}: {what}", severity=severity, what=what)


def severity_said(severity: Severity) -> Sentence:
    """The severity in a word."""
    return {
        Severity.INFO: Sentence("info"),
        Severity.WARNING: Sentence("warning"),
        Severity.URGENT: Sentence("urgent"),
        Severity.CRITICAL: Sentence("critical"),
    }[severity]


def _letter(parts: Sequence[_Part], now: datetime, volume: tuple[int, int]) -> Letter:
    blocks: list[Block] = [para(_opening(parts, now, volume))]
    if len(parts) > 1:
        blocks.append(Rows(tuple((severity_said(part.severity), _name(part), part.headline) for part in parts)))
    for number, part in enumerate(parts, 1):
        heading = Sentence("{number}. {name}: {headline}", number=number, name=_name(part), headline=part.headline)
        said = section(part.watched, part.notices, now, full=number <= _WITH_COMMANDS)
        blocks += [Heading(heading), *said, *(part.buttons if number <= _WITH_COMMANDS else ())]
    return letter_of(_subject(parts, volume), [*blocks, _docs()])


def _docs() -> Block:
    return para(
        Sentence("Kubernetes versions on EKS: {url}", url=f"{_DOCS}/kubernetes-versions.html"),
        Sentence("Upgrading a cluster: {url}", url=f"{_DOCS}/update-cluster.html"),
    )


def _opening(parts: Sequence[_Part], now: datetime, volume: tuple[int, int]) -> Sentence:
    audience = min((n.audience for part in parts for n in part.notices), key=list(Audience).index)
    whose = {
        Audience.OWNER: Sentence("You answer for what follows."),
        Audience.TEAM: Sentence("Your team is told as well, since the owner has not acknowledged it yet."),
        Audience.ADMINISTRATORS: Sentence(
            "You are told as an administrator; of a deadline, because nobody has acknowledged it."
        ),
    }[audience]
    number, of = volume
    slots: dict[str, str | int] = {"day": format_day(now), "clusters": counted(len(parts), "cluster"), "whose": whose}
    if of > 1:
        return Sentence(
            "EKS support watch, {day}: news of {clusters}. This is message {number} of {of}; each cluster is in one of them. "
            "{whose} Dates are UTC.",
            **slots,
            number=number,
            of=of,
        )
    return Sentence("EKS support watch, {day}: news of {clusters}. {whose} Dates are UTC.", **slots)


def _name(part: _Part) -> str:
    key = part.watched.cluster.key
    return key.name if part.watched.cluster.version else f"{key.account} {key.region} {key.name}".removesuffix(" *")
