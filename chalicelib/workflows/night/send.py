"""Sends each person the warnings, posts and pending notices of a run, in one mail a person and run.

The last step of the curfew run calls it, and so do the five-minute run and the handler of SES's events. People without a confirmed
address get one message for each part, through the topic. If runs overlap, only one sends. If a run dies, the next run or SES's
events mark the mails that SES accepted.

A call has time for one page of warnings (`page_of`). All warnings to an owner are on one page, and so in one mail. Warnings to
administrators and teams who stand in for an owner come from all pages: the last page sends them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.messages.called_off import KIND as CALLED_OFF
from chalicelib.domain.curfew.plan import EntryStatus
from chalicelib.domain.errors.tree import AwsRefused
from chalicelib.domain.notices.posts import Waiting
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.warn import EntryWarning, administrators, settle_mail, warning_of
from chalicelib.workflows.shared.mailing import claims, lookup_name, route_to, send_mail
from chalicelib.workflows.shared.posts import PostMessage, may_send_post, post_message_of
from chalicelib.workflows.watch.delivery import A_MAIL, waiting_by_reader, waiting_for

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Addressee, Mail
    from chalicelib.domain.notices.notice import Notice
    from chalicelib.domain.notices.posts import Post

Part = EntryWarning | PostMessage
#: The most posts that one five-minute run sends; the next run sends the others.
_AT_ONCE = 200
#: The most posts in one mail: its record is one item of the table (400 KB), and lists them with a page's warnings and some notices.
_POSTS = 200


@dataclass(frozen=True)
class WarningPage:
    """Entries whose warnings one call sends. `after`: the page's last person, where the next page begins; empty on the last."""

    statuses: tuple[EntryStatus, ...] = ()
    after: str = ""


def page_of(run: NightRun, unwarned: Sequence[EntryStatus], after: str, most: int) -> WarningPage:
    """The entries of the people who come after `after`, about `most`; the last page has all entries that are left."""
    if len(unwarned) <= most:
        return WarningPage(tuple(unwarned))
    owners = _owners(run, unwarned)
    ordered = sorted(unwarned, key=lambda status: owners[status.night, status.entry_id])
    here = [each for each in ordered if owners[each.night, each.entry_id] > after]
    if len(here) <= most:
        return WarningPage(tuple(unwarned))
    last = owners[here[most - 1].night, here[most - 1].entry_id]
    return WarningPage(tuple(each for each in here if owners[each.night, each.entry_id] <= last), last)


def _owners(run: NightRun, statuses: Sequence[EntryStatus]) -> Mapping[object, str]:
    """The owner of each entry's lab: the person's id, or the owner's name if the person is unknown."""
    wanted = [(status.night, status.entry_id) for status in statuses]
    names = {(entry.night, entry.id): entry.owner for entry, _ in run.store.lines(wanted)}
    known = run.deps.people.people_of(sorted(set(names.values())))
    people = {name: known[name].id if name in known else name for name in names.values()}
    return {each: people.get(names.get(each, ""), "?") for each in wanted}


def send_posts(deps: Deps, now: datetime) -> list[str]:
    """Send pending posts, except those that the curfew run sends first; return the failures, as text. For the five-minute run."""
    run = NightRun(deps, now)
    send_all(run, WarningPage(), waiting(run, _AT_ONCE, nightly=False), f"five minutes {now.isoformat()}")
    return run.troubles


def waiting(run: NightRun, most: int | None = None, *, nightly: bool = True) -> tuple[Post, ...]:
    """The oldest pending posts; none if the table does not answer. `nightly`: also those that the curfew run sends first."""
    found = Waiting()
    with run.around(Sentence("pending posts")):
        found = run.deps.posts.waiting(most, nightly=nightly)
    for post_id in found.unreadable:
        logger.error("A post can't be read.", extra={"post": post_id})
        if nightly:
            run.troubles.append(Sentence("the post {id}: it can't be read", id=post_id))
    return found.posts


def send_all(run: NightRun, page: WarningPage, posts: Sequence[Post], once: str, by: str = "") -> int:
    """Send a page's warnings and the posts; return how many warnings, or mails with warnings, failed.

    `once`: the name of the run; `by`: its execution. A page before the last sends only posts to people whom it warns.
    """
    warnings, failed = _warnings(run, page)
    if page.after:
        readers = {each.addressee for each in warnings if each.addressee is not None}
        near: list[Post] = []
        with run.around(Sentence("pending posts")):
            near = _posts_to(run.deps, readers, posts)
        messages = [each for each in _post_messages(run, near) if each.addressee in readers]
    else:
        messages = _post_messages(run, posts)
    parts: list[Part] = [*warnings, *messages]
    failed += _by_topic(run, parts) + _by_mail(run, parts, once, by)
    if page.after or not run.passed_on:
        return failed
    refused, run.passed_on = WarningPage(tuple(run.passed_on)), []
    return failed + send_all(run, refused, (), f"{once} again", by)


def _warnings(run: NightRun, page: WarningPage) -> tuple[list[EntryWarning], int]:
    """The warnings of a page, and how many could not be composed."""
    warnings, failed = list[EntryWarning](), 0
    for status in page.statuses:
        with run.around(Sentence("the warning of {lab}", lab=status.lab_id)) as errors:
            warnings += filter(None, [warning_of(run, status)])
        failed += len(errors)
    return (_to_owners(run, warnings) if page.after else warnings), failed


def _to_owners(run: NightRun, warnings: Iterable[EntryWarning]) -> list[EntryWarning]:
    """Drop warnings to administrators, teams, and owners who share an address with one; the last page sends them."""
    deps = run.deps
    names = (administrators(deps), *(team.name for team in deps.curfew.teams))
    in_place = {reader.address for name in names if (reader := route_to(deps, name).addressee) is not None}
    alone = (each for each in warnings if not each.troubles)
    return [each for each in alone if each.addressee is None or each.addressee.address not in in_place]


def _posts_to(deps: Deps, readers: Collection[Addressee], posts: Sequence[Post]) -> list[Post]:
    """The posts with a message to one of these readers; all names are looked up at once."""
    if deps.mail is None or not readers or not posts:
        return []
    names = {post.id: {lookup_name(each.recipient, each) for each in post.messages} for post in posts}
    found = deps.mail.addressees_of(sorted(set().union(*names.values())))
    return [post for post in posts if any(found.get(name) in readers for name in names[post.id])]


def _post_messages(run: NightRun, posts: Iterable[Post]) -> list[PostMessage]:
    """Each pending post's message to its first reachable reader."""
    messages: list[PostMessage] = []
    for post in posts:
        with run.around(Sentence("the post {id}", id=post.id)):
            messages += [post_message_of(run.deps, post)] if may_send_post(run.deps, post) else []
    return messages


def _by_topic(run: NightRun, parts: Iterable[Part]) -> int:
    """Publish the messages to readers without an address; return how many warnings failed."""
    failed = 0
    for part in parts:
        if part.addressee is None:
            with run.around(Sentence("the message to {recipient}", recipient=part.message.recipient)) as errors:
                _count(run, [part] if part.claim("") and part.publish() else [])
                if part.message.kind == CALLED_OFF and isinstance(part, PostMessage) and part.route.why is not None:
                    run.troubles.append(
                        Sentence("{lab}: nobody receives the message that it lives on", lab=part.post.lab_id)
                    )
            failed += len(errors) if isinstance(part, EntryWarning) else 0
    return failed


def _by_mail(run: NightRun, parts: Iterable[Part], once: str, by: str) -> int:
    """Send each reader one mail, or several if there are many posts; return how many readers' warnings failed."""
    letters: dict[Addressee, list[Part]] = {}
    for part in parts:
        if part.addressee is not None:
            letters.setdefault(part.addressee, []).append(part)
    notices: dict[str, list[Notice]] = {}
    with run.around(Sentence("pending notices")):
        notices |= waiting_by_reader(run.deps) if letters else {}
    failed = 0
    for addressee, mine in letters.items():
        with run.around(Sentence("the mail to {recipient}", recipient=mine[0].message.recipient)) as errors:
            for number, some in enumerate(_letters(mine)):
                pending = () if number else notices.get(addressee.address, ())
                _mail(run, addressee, some, pending, f"{once} {number}" if number else once, by)
        failed += len(errors) if any(isinstance(part, EntryWarning) for part in mine) else 0
    return failed


def _mail(
    run: NightRun, addressee: Addressee, parts: Sequence[Part], pending: Sequence[Notice], once: str, by: str
) -> None:
    """Send one mail with all parts and this person's pending notices; if SES refuses it, publish the parts to the topic."""
    from chalicelib.domain.notices.mail import EntryRef, NoticeRef, mail_id

    deps, record = run.deps, mail_id(addressee.address, once)
    if not claims(deps, f"mail#{record}", deps.clock.now(), by):
        return
    mine = [part for part in parts if part.claim(record)]
    if not mine:
        return
    digests = waiting_for(deps, addressee, pending[:A_MAIL], f"warn {once}", run.now)
    entries = [EntryRef(part.entry.night, part.entry.id) for part in mine if isinstance(part, EntryWarning)]
    notices = [NoticeRef(key, notice_id) for message in digests for key, notice_id in message.notice_ids]
    posts = [part.post.id for part in mine if isinstance(part, PostMessage)]
    messages = [*(part.message for part in mine), *digests]
    try:
        mail = send_mail(deps, addressee, messages, once, entries, notices, posts)
    except AwsRefused as refusal:
        _handle_refusal(run, mine, refusal)
        return
    if mail is not None and mail.is_taken:
        settle_mail(deps, mail)
        told = [part for part in mine if _is_in(mail, part)]
        _count(run, told)
        run.counts["mails"] += bool(told)


def _letters(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """The parts of each of a person's mails: usually one; the first holds all warnings and the oldest posts."""
    posts = [part for part in parts if isinstance(part, PostMessage)]
    yield [*(part for part in parts if isinstance(part, EntryWarning)), *posts[:_POSTS]]
    for more in range(_POSTS, len(posts), _POSTS):
        yield list(posts[more : more + _POSTS])


def _handle_refusal(run: NightRun, parts: Iterable[Part], refusal: AwsRefused) -> None:
    """Publish the parts to the topic. Report posts that must wait. Re-raise a refusal by DynamoDB."""
    from chalicelib.domain.notices.mail import is_by_ses

    if not is_by_ses(refusal):
        raise refusal
    asked = [(part, part.refuse(refusal)) for part in parts]
    _count(run, [part for part, told in asked if told])
    if not all(told for part, told in asked if isinstance(part, PostMessage)):
        mail = Sentence("the mail to {recipient}", recipient=asked[0][0].message.recipient)
        run.troubles.append(Sentence("{what}: {reason}", what=mail, reason=str(refusal)))


def _is_in(mail: Mail, part: Part) -> bool:
    """Whether the mail has the part. An earlier try of this step may have sent the mail with fewer; the next run sends the rest."""
    if isinstance(part, PostMessage):
        return part.post.id in mail.posts
    return part.entry.id in {each.entry_id for each in mail.entries}


def _count(run: NightRun, told: Iterable[Part]) -> None:
    for part in told:
        if isinstance(part, EntryWarning):
            part.count()
        else:
            run.counts["told"] += 1
