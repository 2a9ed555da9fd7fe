"""One cluster's part of a digest: what happens and when, what it costs, what is in the way, the commands, and the links.

Called by `digest.compose`. What was decided earlier and no longer holds is left out: the cluster is told as it is now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.wording import counted, day_told, paragraph
from chalicelib.domain.notices.digest_sentences import deadline_told, sentence
from chalicelib.domain.notices.notice import Notice, NoticeKind
from chalicelib.domain.notices.reminders import latest_snooze
from chalicelib.domain.notices.wording import cost_told
from chalicelib.domain.support.deadlines import Deadline
from chalicelib.domain.support.readiness import blockers, next_version
from chalicelib.domain.support.skew import behind
from chalicelib.domain.support.upgrade_commands import follow_steps, upgrade_steps
from chalicelib.domain.support.watched import Watched

#: Of insights, node groups and add-ons so many are named; the API names all.
_NAMED = 8


def section(watched: Watched, notices: Sequence[Notice], now: datetime, api: str, full: bool) -> str:
    """The whole part of one cluster; not `full`: without commands, which the API shows."""
    kinds = {notice.kind for notice in notices}
    lines = [*_what(watched, notices, now)]
    if deadline_told(watched, notices) is not None:
        lines += _in_the_way(watched, now)
    if kinds & {NoticeKind.NODES_BEHIND, NoticeKind.UPGRADED_BY_AWS, NoticeKind.DEADLINE}:
        lines += _behind(watched)
    if full:
        lines += _commands(watched, notices)
    lines += _links(watched, notices, now, api)
    return "\n".join([_where(watched), *lines])


def path_of(key: ClusterKey) -> str:
    """The cluster's path in the API."""
    return f"/clusters/{key.account}/{key.region}/{key.name}"


def _where(watched: Watched) -> str:
    cluster = watched.cluster
    if not cluster.version:
        return f"account {cluster.key.account}, {cluster.key.region}"
    policy = cluster.support_type or "none told, so EXTENDED"
    lab = f", lab {watched.lab_id}" if watched.lab_id else ""
    return f"account {cluster.key.account}, {cluster.key.region}, Kubernetes {cluster.version}, policy {policy}{lab}"


def _what(watched: Watched, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    told = deadline_told(watched, notices)
    for kind in NoticeKind:
        for notice in [n for n in notices if n.kind is kind][:_NAMED]:
            words = sentence(watched, notice, told, now)
            if words:
                yield paragraph(words)
    if told is not None:
        yield from (paragraph(line) for line in (cost_told(watched, now), _source(told)) if line)
    late = max((n.late_by_days for n in notices if n.kind is not NoticeKind.SOLVED), default=0)
    if late:
        yield paragraph(f"This comes {counted(late, 'day')} late: the watch did not run when it was due.")
    if watched.trouble and NoticeKind.UNREADABLE not in {n.kind for n in notices}:
        yield paragraph(
            f"Not readable since {day_told(watched.trouble.since)}: this is as of {day_told(watched.read_at)}."
        )


def _in_the_way(watched: Watched, now: datetime) -> Iterator[str]:
    found = blockers(watched.cluster, now)
    if found:
        yield f"In the way of {next_version(watched.cluster.version)}:"
    for blocker in found[:_NAMED]:
        where = f" ({', '.join(blocker.resources[:3])})" if blocker.resources else ""
        yield paragraph(f"{blocker.level}: {blocker.sentence}{where}", "    ", "  - ")
    if len(found) > _NAMED:
        yield f"  - and {len(found) - _NAMED} more"


def _behind(watched: Watched) -> Iterator[str]:
    lagging = behind(watched.cluster.version, watched.cluster.nodes)
    if lagging:
        yield f"Nodes that are not on {watched.cluster.version}:"
    yield from (paragraph(nodes.sentence, "    ", "  - ") for nodes in lagging[:_NAMED])
    if len(lagging) > _NAMED:
        yield f"  - and {len(lagging) - _NAMED} more"


def _commands(watched: Watched, notices: Sequence[Notice]) -> Iterator[str]:
    kinds, steps = {notice.kind for notice in notices}, follow_steps(watched.cluster)
    if NoticeKind.UPGRADED_BY_AWS not in kinds and deadline_told(watched, notices) is not None:
        steps = upgrade_steps(watched.cluster)
        yield f"To upgrade to {next_version(watched.cluster.version)} (minor versions go one at a time), in this order:"
    elif steps and kinds & {NoticeKind.NODES_BEHIND, NoticeKind.UPGRADED_BY_AWS}:
        yield "To bring the nodes along:"
    else:
        return
    for number, step in enumerate(steps[: 3 * _NAMED], 1):
        yield f"  {number}. {step.title}"
        yield from (f"       {command}" for command in step.aws)
        yield from (f"    or {command}" for command in step.eksctl)


def _links(watched: Watched, notices: Sequence[Notice], now: datetime, api: str) -> Iterator[str]:
    path = f"{api}{path_of(watched.cluster.key)}"
    told = deadline_told(watched, notices)
    if watched.gone_at is not None or not watched.cluster.version:
        return
    yield f"All about it:  GET {path}"
    if told is not None:
        until = latest_snooze(watched.support.next or told, now)
        yield f"Acknowledge:   POST {path}/acknowledge"
        yield f'Snooze:        POST {path}/snooze {{"until": "{utc(until):%Y-%m-%dT%H:%M:%SZ}"}} at the latest'


def _source(deadline: Deadline) -> str:
    return f"Date from {deadline.source}, as of {day_told(deadline.as_of)}."
