"""One cluster's section of a digest: deadline, cost, obstacles, commands and links.

Called by `digest.compose`. Earlier notices that no longer hold are left out: the section shows the cluster's present state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from chalicelib.domain.core.instants import utc
from chalicelib.domain.core.message import Block, Bullets, Ordered, Paragraphs, commands, para
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.sentence import Sentence, opening
from chalicelib.domain.core.wording import counted, format_day, format_days
from chalicelib.domain.notices.notice import Notice, NoticeKind
from chalicelib.domain.notices.reminders import latest_snooze
from chalicelib.domain.notices.wording import began_at, deadline_headline, describe_briefly, describe_support_cost
from chalicelib.domain.support.assessment import days_left, describe_effect
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind, deadlines_of
from chalicelib.domain.support.readiness import Blocker, BlockerLevel, behind, blockers, next_version
from chalicelib.domain.support.upgrade_commands import follow_steps, upgrade_steps
from chalicelib.domain.support.watched import Watched

#: The most insights, node groups and add-ons that are named; the API names all.
_NAMED = 8


def section(watched: Watched, notices: Sequence[Notice], now: datetime, full: bool) -> tuple[Block, ...]:
    """The whole section of one cluster; not `full`: without commands, which the API shows."""
    kinds = {notice.kind for notice in notices}
    blocks: list[Block] = [Paragraphs((_where(watched), *_what(watched, notices, now)))]
    if deadline_of_notices(watched, notices) is not None:
        blocks += _in_the_way(watched, now)
    if kinds & {NoticeKind.NODES_BEHIND, NoticeKind.UPGRADED_BY_AWS, NoticeKind.DEADLINE}:
        blocks += _behind(watched)
    if full:
        blocks += _commands(watched, notices)
    return (*blocks, *_links(watched, notices, now))


def path_of(key: ClusterKey) -> str:
    """The cluster's path in the API."""
    return f"/clusters/{key.account}/{key.region}/{key.name}"


def _where(watched: Watched) -> str:
    cluster = watched.cluster
    slots = {"account": cluster.key.account, "region": cluster.key.region}
    if not cluster.version:
        return Sentence("account {account}, {region}", **slots)
    slots |= {
        "version": cluster.version,
        "policy": cluster.support_type or Sentence("none told, so EXTENDED"),
    }
    if watched.lab_id:
        return Sentence(
            "account {account}, {region}, Kubernetes {version}, policy {policy}, lab {lab}", **slots, lab=watched.lab_id
        )
    return Sentence("account {account}, {region}, Kubernetes {version}, policy {policy}", **slots)


def _what(watched: Watched, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    message = deadline_of_notices(watched, notices)
    for kind in NoticeKind:
        for notice in [n for n in notices if n.kind is kind][:_NAMED]:
            words = notice_sentence(watched, notice, message, now)
            if words:
                yield words
    if message is not None:
        yield from (line for line in (describe_support_cost(watched, now), _source(message)) if line)
    late = max((n.late_by_days for n in notices if n.kind is not NoticeKind.SOLVED), default=0)
    if late:
        yield Sentence("This comes {days} late: the watch did not run when it was due.", days=counted(late, "day"))
    if watched.trouble and NoticeKind.UNREADABLE not in {n.kind for n in notices}:
        yield Sentence(
            "Not readable since {since}: this is as of {read}.",
            since=format_day(watched.trouble.since),
            read=format_day(watched.read_at),
        )


def _in_the_way(watched: Watched, now: datetime) -> Iterator[Block]:
    found = blockers(watched.cluster, now)
    if found:
        following = next_version(watched.cluster.version) or ""
        texts = tuple(map(_blocker, found[:_NAMED]))
        yield Bullets(Sentence("In the way of {version}", version=following), (*texts, *_more(found)))


def _blocker(blocker: Blocker) -> Sentence:
    level = {
        BlockerLevel.BLOCKS: Sentence("blocks"),
        BlockerLevel.WARNS: Sentence("warns"),
        BlockerLevel.ECHO: Sentence("echo"),
    }[blocker.level]
    if not blocker.resources:
        return Sentence("{level}: {finding}", level=level, finding=blocker.sentence)
    things = ", ".join(blocker.resources[:3])
    return Sentence("{level}: {finding} ({things})", level=level, finding=blocker.sentence, things=things)


def _more(found: Sequence[object]) -> tuple[Sentence, ...]:
    return (Sentence("and {number} more", number=len(found) - _NAMED),) if len(found) > _NAMED else ()


def _behind(watched: Watched) -> Iterator[Block]:
    lagging = behind(watched.cluster.version, watched.cluster.nodes)
    if lagging:
        heading = Sentence("Nodes that are not on {version}", version=watched.cluster.version)
        yield Bullets(heading, (*(nodes.sentence for nodes in lagging[:_NAMED]), *_more(lagging)))


def _commands(watched: Watched, notices: Sequence[Notice]) -> Iterator[Block]:
    if watched.lab_id is not None:
        yield from _of_a_lab(watched, notices)
        return
    kinds, steps = {notice.kind for notice in notices}, follow_steps(watched.cluster)
    if NoticeKind.UPGRADED_BY_AWS not in kinds and deadline_of_notices(watched, notices) is not None:
        steps = upgrade_steps(watched.cluster)
        following = next_version(watched.cluster.version) or ""
        yield para(
            Sentence("To upgrade to {version} (minor versions go one at a time), in this order:", version=following)
        )
    elif steps and kinds & {NoticeKind.NODES_BEHIND, NoticeKind.UPGRADED_BY_AWS}:
        yield para(Sentence("To bring the nodes along:"))
    else:
        return
    yield Ordered(tuple((step.title, step.aws, step.eksctl) for step in steps[: 3 * _NAMED]))


def _of_a_lab(watched: Watched, notices: Sequence[Notice]) -> Iterator[Block]:
    """A lab's owner has no right to upgrade its cluster in EKS; they request a newer lab."""
    if deadline_of_notices(watched, notices) is not None:
        yield para(Sentence("A lab is not upgraded. When you don't need it any more, or have a newer one:"))
        yield commands(f"ekslab delete cluster {watched.lab_id}")


def _links(watched: Watched, notices: Sequence[Notice], now: datetime) -> Iterator[Block]:
    message = deadline_of_notices(watched, notices)
    if watched.gone_at is not None or not watched.cluster.version:
        return
    name = path_of(watched.cluster.key).removeprefix("/clusters/")
    lines = [Sentence("All about it: `ekslab describe cluster {name}`", name=name)]
    if message is not None:
        until = f"{utc(latest_snooze(watched.support.next or message, now)):%Y-%m-%dT%H:%M:%SZ}"
        lines += [
            Sentence("Acknowledge: `ekslab acknowledge {name}`", name=name),
            Sentence("Snooze: `ekslab snooze {name} {until}` (at the latest)", name=name, until=until),
        ]
    yield Paragraphs(tuple(lines))


def _source(deadline: Deadline) -> Sentence:
    return Sentence("Date from {source}, as of {day}.", source=deadline.source, day=format_day(deadline.as_of))


def headline(watched: Watched, notices: Iterable[Notice], now: datetime) -> str:
    """The most urgent of these notices, as half a sentence with its days."""
    by_kind = {notice.kind: notice for notice in notices}
    current = deadline_of_notices(watched, by_kind.values())
    if NoticeKind.UPGRADED_BY_AWS in by_kind:
        return _raised(by_kind[NoticeKind.UPGRADED_BY_AWS])
    if NoticeKind.SOLVED in by_kind and NoticeKind.DEADLINE not in by_kind:
        return Sentence("solved")
    if NoticeKind.LEASE_FIRST in by_kind:
        return Sentence("its lease ends first: nothing to do")
    if current is not None:
        return deadline_headline(watched, current, now)
    if NoticeKind.UNREADABLE in by_kind:
        return Sentence("can't be read")
    if NoticeKind.NO_DATE in by_kind:
        return Sentence("no date is known for {version}", version=watched.cluster.version)
    return Sentence("nodes are not on {version}", version=watched.cluster.version)


def deadline_of_notices(watched: Watched, notices: Iterable[Notice]) -> Deadline | None:
    """The nearest deadline of these notices that still holds."""
    ids = {n.deadline_id for n in notices if n.kind in (NoticeKind.DEADLINE, NoticeKind.DATE_MOVED)}
    coming = [*watched.support.deadlines, *deadlines_of(watched.support)]
    return next((deadline for deadline in coming if deadline.id in ids), None)


def notice_sentence(watched: Watched, notice: Notice, message: Deadline | None, now: datetime) -> str:
    """The sentence of a notice about a cluster; `message` is the deadline of its reminders. Empty if it no longer holds."""
    match notice.kind:
        case NoticeKind.DEADLINE:
            if message is None or message.id != notice.deadline_id:
                return ""
            return Sentence(
                "{when}: {effect}.", when=_when(watched, message, now), effect=describe_effect(message, now)
            )
        case NoticeKind.DATE_MOVED:
            moved = next((d for d in deadlines_of(watched.support) if d.id == notice.deadline_id), None)
            return _moved(notice, moved, now)
        case NoticeKind.LEASE_FIRST:
            return _lease(watched)
        case NoticeKind.SOLVED:
            return Sentence(
                "Solved: {why} You will hear no more of {deadline}.", why=notice.note, deadline=_describe_id(notice)
            )
        case NoticeKind.NODES_BEHIND:
            return ""
        case NoticeKind.UPGRADED_BY_AWS:
            return Sentence(
                "The {raised} (noticed on {day}), after the date from which AWS does so by itself; EKS does not say who did it. "
                "Nodes and add-ons are yours to upgrade.",
                raised=_raised(notice),
                day=_date(notice.deadline_id.rpartition("#")[2]),
            )
        case NoticeKind.UNREADABLE:
            return _unreadable(watched)
        case NoticeKind.NO_DATE:
            return _undated(watched)


def _undated(watched: Watched) -> str:
    if not watched.is_undated:
        return ""
    return Sentence("{reason} Upgrade it before AWS does, or ask AWS when it will.", reason=watched.support.reason)


def _moved(notice: Notice, moved: Deadline | None, now: datetime) -> Sentence:
    before = _date(notice.note)
    if moved is None:
        return Sentence("The date has changed: it was {before}, it has moved on again.", before=before)
    return Sentence(
        "The date has changed: it was {before}, it is {day} ({when}) now. Then: {effect}.",
        before=before,
        day=format_day(moved.at),
        when=format_days(days_left(moved, now)),
        effect=describe_effect(moved, now),
    )


def _raised(upgraded: Notice) -> str:
    """The version to which AWS upgraded it; the cluster may run a later one by now."""
    return Sentence("control plane upgraded to {version}", version=upgraded.deadline_id.split("#")[1])


def _lease(watched: Watched) -> str:
    following = watched.support.next
    if watched.lease_ends_at is None or following is None:
        return Sentence("The lab's lease ends first: nothing to do, and no more mails unless it is extended past that.")
    return Sentence(
        "The lab's lease ends on {ends}, before {what} on {day}: nothing to do, and no more mails unless it is extended past "
        "that.",
        ends=format_day(watched.lease_ends_at),
        what=describe_briefly(following),
        day=format_day(following.at),
    )


def _unreadable(watched: Watched) -> str:
    trouble = watched.trouble
    if trouble is None:
        return Sentence("It can be read again.")
    text = Sentence(
        "It could not be read since {day}: {operation}: {code}: {message}. While that lasts its deadlines may be missed: "
        "{remedy}.",
        day=format_day(trouble.since),
        operation=trouble.operation,
        code=trouble.code,
        message=trouble.message.rstrip(". "),
        remedy=_remedy(trouble.code),
    )
    if not watched.cluster.version:
        return text
    return Sentence("{text} What is known of it is as of {day}.", text=text, day=format_day(watched.read_at))


def _remedy(code: str) -> str:
    """The remedy for AWS's own code; empty for an unknown code."""
    if "Throttl" in code or code in ("TooManyRequestsException", "RequestLimitExceeded"):
        return Sentence(
            "AWS was asked too much at once, and is asked again tomorrow; if it lasts, ask for a higher API limit"
        )
    if code in ("UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired"):
        return Sentence("see that the region is opted in, in that account, or take it off the account's registration")
    if "AccessDenied" in code or "Unauthorized" in code:
        return Sentence("see that the watch's role exists in the account and may read EKS")
    if code in ("AwsUnavailable", "ServiceUnavailable", "ServerException", "InternalFailure"):
        return Sentence("AWS did not answer, and is asked again tomorrow")
    return Sentence("what AWS says is all that is known of it")


def _when(watched: Watched, deadline: Deadline, now: datetime) -> str:
    days = days_left(deadline, now)
    if days < 0:
        return Sentence("Since {day}", day=format_day(began_at(watched, deadline)))
    return Sentence("{days}, on {day}", days=opening(format_days(days)), day=format_day(deadline.at))


def _date(day: str) -> str:
    return format_day(datetime.fromisoformat(f"{day}T00:00:00+00:00"))


def _describe_id(notice: Notice) -> str:
    """The subject of a notice: a deadline with its day, or a version without one."""
    kind, version, *day = notice.deadline_id.split("#")
    if not day:
        return Sentence("{version}, of which no date was known", version=version)
    slots = {"version": version, "day": _date(day[0])}
    if kind == DeadlineKind.EXTENDED_BILLING:
        return Sentence("the deadline you were told of (extended billing of {version} on {day})", **slots)
    return Sentence("the deadline you were told of (forced upgrade of {version} on {day})", **slots)
