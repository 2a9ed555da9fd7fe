"""One cluster's section of a digest: deadline, cost, obstacles, commands and links.

Called by `digest.compose`. What was decided earlier and no longer holds is left out: the cluster is told as it is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.wording import counted, format_day, format_days, paragraph
from chalicelib.domain.notices.notice import Notice, NoticeKind
from chalicelib.domain.notices.reminders import latest_snooze
from chalicelib.domain.notices.wording import began_at, deadline_headline, describe_briefly, describe_support_cost
from chalicelib.domain.support.assessment import days_left, describe_effect
from chalicelib.domain.support.deadlines import Deadline, deadlines_of
from chalicelib.domain.support.readiness import behind, blockers, next_version
from chalicelib.domain.support.upgrade_commands import follow_steps, upgrade_steps
from chalicelib.domain.support.watched import Watched

#: Of insights, node groups and add-ons so many are named; the API names all.
_NAMED = 8


def section(watched: Watched, notices: Sequence[Notice], now: datetime, full: bool) -> str:
    """The whole part of one cluster; not `full`: without commands, which the API shows."""
    kinds = {notice.kind for notice in notices}
    lines = [*_what(watched, notices, now)]
    if deadline_of_notices(watched, notices) is not None:
        lines += _in_the_way(watched, now)
    if kinds & {NoticeKind.NODES_BEHIND, NoticeKind.UPGRADED_BY_AWS, NoticeKind.DEADLINE}:
        lines += _behind(watched)
    if full:
        lines += _commands(watched, notices)
    lines += _links(watched, notices, now)
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
    message = deadline_of_notices(watched, notices)
    for kind in NoticeKind:
        for notice in [n for n in notices if n.kind is kind][:_NAMED]:
            words = notice_sentence(watched, notice, message, now)
            if words:
                yield paragraph(words)
    if message is not None:
        yield from (paragraph(line) for line in (describe_support_cost(watched, now), _source(message)) if line)
    late = max((n.late_by_days for n in notices if n.kind is not NoticeKind.SOLVED), default=0)
    if late:
        yield paragraph(f"This comes {counted(late, 'day')} late: the watch did not run when it was due.")
    if watched.trouble and NoticeKind.UNREADABLE not in {n.kind for n in notices}:
        yield paragraph(
            f"Not readable since {format_day(watched.trouble.since)}: this is as of {format_day(watched.read_at)}."
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
    if watched.lab_id is not None:
        yield from _of_a_lab(watched, notices)
        return
    kinds, steps = {notice.kind for notice in notices}, follow_steps(watched.cluster)
    if NoticeKind.UPGRADED_BY_AWS not in kinds and deadline_of_notices(watched, notices) is not None:
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


def _of_a_lab(watched: Watched, notices: Sequence[Notice]) -> Iterator[str]:
    """Whoever asked for a lab may not upgrade its cluster in EKS: a newer one is asked for."""
    if deadline_of_notices(watched, notices) is not None:
        yield "A lab is not upgraded. When you don't need it any more, or have a newer one:"
        yield f"       ekslab delete cluster {watched.lab_id}"


def _links(watched: Watched, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    message = deadline_of_notices(watched, notices)
    if watched.gone_at is not None or not watched.cluster.version:
        return
    name = path_of(watched.cluster.key).removeprefix("/clusters/")
    yield f"All about it:  ekslab describe cluster {name}"
    if message is not None:
        until = latest_snooze(watched.support.next or message, now)
        yield f"Acknowledge:   ekslab acknowledge {name}"
        yield f"Snooze:        ekslab snooze {name} {utc(until):%Y-%m-%dT%H:%M:%SZ} (at the latest)"


def _source(deadline: Deadline) -> str:
    return f"Date from {deadline.source}, as of {format_day(deadline.as_of)}."


def headline(watched: Watched, notices: Iterable[Notice], now: datetime) -> str:
    """What matters most of these notices, as half a sentence with its days."""
    by_kind = {notice.kind: notice for notice in notices}
    current = deadline_of_notices(watched, by_kind.values())
    if NoticeKind.UPGRADED_BY_AWS in by_kind:
        return _raised(by_kind[NoticeKind.UPGRADED_BY_AWS])
    if NoticeKind.SOLVED in by_kind and NoticeKind.DEADLINE not in by_kind:
        return "solved"
    if NoticeKind.LEASE_FIRST in by_kind:
        return "its lease ends first: nothing to do"
    if current is not None:
        return deadline_headline(watched, current, now)
    if NoticeKind.UNREADABLE in by_kind:
        return "can't be read"
    if NoticeKind.NO_DATE in by_kind:
        return f"no date is known for {watched.cluster.version}"
    return f"nodes are not on {watched.cluster.version}"


def deadline_of_notices(watched: Watched, notices: Iterable[Notice]) -> Deadline | None:
    """The nearest deadline that these notices are about and that still holds."""
    ids = {n.deadline_id for n in notices if n.kind in (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED)}
    coming = [*watched.support.deadlines, *deadlines_of(watched.support)]
    return next((deadline for deadline in coming if deadline.id in ids), None)


def notice_sentence(watched: Watched, notice: Notice, message: Deadline | None, now: datetime) -> str:
    """What a notice says of a cluster; `told` is the deadline its reminders are about. Empty if that no longer holds."""
    match notice.kind:
        case NoticeKind.DEADLINE:
            if message is None or message.id != notice.deadline_id:
                return ""
            return f"{_when(watched, message, now)}: {describe_effect(message, now)}."
        case NoticeKind.DATE_MOVED:
            moved = next((d for d in deadlines_of(watched.support) if d.id == notice.deadline_id), None)
            new = (
                f"it is {format_day(moved.at)} ({format_days(days_left(moved, now))}) now"
                if moved
                else "it has moved on again"
            )
            return f"The date has changed: it was {_date(notice.note)}, {new}. {_effect(moved, now)}".rstrip()
        case NoticeKind.LEASE_FIRST:
            return _lease(watched)
        case NoticeKind.SOLVED:
            return f"Solved: {notice.note} You will hear no more of {_describe_id(notice)}."
        case NoticeKind.NODES_BEHIND:
            return ""
        case NoticeKind.UPGRADED_BY_AWS:
            at = f" (noticed on {_date(notice.deadline_id.rpartition('#')[2])})"
            return (
                f"The {_raised(notice)}{at}, after the date from which AWS does so by itself; EKS does not say who did it. "
                "Nodes and add-ons are yours to upgrade."
            )
        case NoticeKind.UNREADABLE:
            return _unreadable(watched)
        case NoticeKind.NO_DATE:
            return (
                f"{watched.support.reason} Upgrade it before AWS does, or ask AWS when it will."
                if watched.is_undated
                else ""
            )


def _effect(deadline: Deadline | None, now: datetime) -> str:
    return f"Then: {describe_effect(deadline, now)}." if deadline else ""


def _raised(upgraded: Notice) -> str:
    """Told late, it is the version AWS raised it to then, whatever it runs by now."""
    return f"control plane upgraded to {upgraded.deadline_id.split('#')[1]}"


def _lease(watched: Watched) -> str:
    ends = format_day(watched.lease_ends_at) if watched.lease_ends_at else "before that"
    following = watched.support.next
    before = f", before {describe_briefly(following)} on {format_day(following.at)}" if following else ""
    return f"The lab's lease ends on {ends}{before}: nothing to do, and no more mails unless it is prolonged past that."


def _unreadable(watched: Watched) -> str:
    trouble = watched.trouble
    if trouble is None:
        return "It can be read again."
    known = f" What is known of it is as of {format_day(watched.read_at)}." if watched.cluster.version else ""
    return (
        f"It could not be read since {format_day(trouble.since)}: {trouble.operation}: {trouble.code}: "
        f"{trouble.message.rstrip('. ')}. While that lasts its deadlines may be missed: {_remedy(trouble.code)}.{known}"
    )


def _remedy(code: str) -> str:
    """What helps, by AWS's own code; of a code that nobody knows nothing is claimed."""
    if "Throttl" in code or code in ("TooManyRequestsException", "RequestLimitExceeded"):
        return "AWS was asked too much at once, and is asked again tomorrow; if it lasts, ask for a higher API limit"
    if code in ("UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired"):
        return "see that the region is opted in, in that account, or take it off the account's registration"
    if "AccessDenied" in code or "Unauthorized" in code:
        return "see that the watch's role exists in the account and may read EKS"
    if code in ("AwsUnavailable", "ServiceUnavailable", "ServerException", "InternalFailure"):
        return "AWS did not answer, and is asked again tomorrow"
    return "what AWS says is all that is known of it"


def _when(watched: Watched, deadline: Deadline, now: datetime) -> str:
    days = days_left(deadline, now)
    if days < 0:
        return f"Since {format_day(began_at(watched, deadline))}"
    message = format_days(days)
    return f"{message[0].upper()}{message[1:]}, on {format_day(deadline.at)}"


def _date(day: str) -> str:
    return format_day(datetime.fromisoformat(f"{day}T00:00:00+00:00"))


def _describe_id(notice: Notice) -> str:
    """What a notice was about: a deadline with its day, or a version that had none."""
    kind, version, *day = notice.deadline_id.split("#")
    if not day:
        return f"{version}, of which no date was known"
    return f"the deadline you were told of ({kind.replace('-', ' ')} of {version} on {_date(day[0])})"
