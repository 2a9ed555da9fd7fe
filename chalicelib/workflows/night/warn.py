"""Sends warnings of planned entries, with signed links that keep the labs. Without a warning nothing is touched.

A person with a confirmed address gets one mail a run, of all that is to be said to them; anybody else one message for each entry,
by the topic. Delivered means that SES has taken the mail, or that a subscription takes the message and SNS gave an id. Where
nobody hears under the owner's name their teams are warned in their place, then administrators: it counts as delivered then.
Of runs at the same time one sends. `settling.py` has what follows when a mail comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message
from chalicelib.domain.core.recipients import distinct
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.costs import keeping_cost
from chalicelib.domain.curfew.decision import exemption
from chalicelib.domain.curfew.keep import keep_within_budget
from chalicelib.domain.curfew.keep_link import sign_link
from chalicelib.domain.curfew.messages.warning import NOBODY, recipient_of, warning_message
from chalicelib.domain.curfew.plan import AT_CURFEW, SETTLED, Entry, EntryStatus, Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import AwsRefused, EkslabError, NotKept, OverBudget
from chalicelib.domain.identity.callers import identity_of
from chalicelib.domain.identity.person import identity_key
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import foreseen, spent
from chalicelib.domain.requests.months import judge_longer, payer_of
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import skip_entry
from chalicelib.workflows.night.sending import may_send
from chalicelib.workflows.night.settling import is_due, is_open, mark_warned, settle_mail
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.shared.mailing import Route, came_back_to, route_to, send_mail, tell
from chalicelib.workflows.watch.delivery import waiting_by_address, waiting_for

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Addressee
    from chalicelib.domain.notices.notice import Notice


@dataclass(frozen=True)
class _Warning:
    """One entry, told to one person by mail."""

    lab: Lab
    entry: Entry
    message: Message
    troubles: tuple[str, ...]


def warn_all(
    deps: Deps, statuses: Iterable[EntryStatus], rules: CurfewRules, once: str, now: datetime, summary: RunSummary
) -> int:
    """Warn of every entry, those of one person in one mail; return how many failed. `once` names the run: one mail each."""
    letters: dict[Addressee, list[_Warning]] = {}
    failed = 0
    for status in statuses:
        with summary.around(f"the warning of {status.lab_id}") as errors:
            addressee, warning = warn_of(deps, status, rules, now, summary)
            if addressee is not None and warning is not None:
                letters.setdefault(addressee, []).append(warning)
        failed += len(errors)
    waiting = waiting_by_address(deps) if letters else {}
    for addressee, warnings in letters.items():
        with summary.around(f"the mail to {warnings[0].message.recipient}") as errors:
            _mail(deps, addressee, (warnings, waiting.get(addressee.address, ())), once, now, summary)
        failed += len(errors)
    return failed


def warn_of(
    deps: Deps, status: EntryStatus, rules: CurfewRules, now: datetime, summary: RunSummary
) -> tuple[Addressee | None, _Warning | None]:
    """Warn of one entry by the topic, unless it is settled by what has become of its lab; or say who is to have it by mail."""
    line = deps.curfew.store.line(status.night, status.entry_id)
    if line is None or line[1].outcome in SETTLED:
        return None, None
    entry, lab = line[0], deps.store.load_lab(status.lab_id)
    if exempt := exemption(lab, entry, deps.curfew.holidays):
        skip_entry(deps, lab, entry, exempt, rules, now)
        summary.counts["skipped"] += 1
    elif now + _notice(rules) <= entry.at + timedelta(hours=rules.late_hours) and is_open(deps, line, summary):
        unheard = deps.curfew.store.line(status.night, status.entry_id) if line[1].mail else line
        return _send(deps, lab, unheard or line, rules, now, summary)
    return None, None


def administrators(deps: Deps) -> str:
    """To whom administrators' mails go."""
    return deps.watch.administrators or NOBODY


def listeners(deps: Deps, lab: Lab) -> tuple[str, ...]:
    """Who is to hear of a lab, the first who can be reached: its owner, their teams by name, administrators."""
    teams = (team.name for team in deps.curfew.teams if team.has(identity_of(lab.owner)))
    return distinct((recipient_of(lab, administrators(deps)), *teams, administrators(deps)))


def tell_first(deps: Deps, recipients: Iterable[str], compose: Callable[[str], Message], once: str) -> tuple[str, str]:
    """Send it to the first who can be reached; to whom, and the message's id. Both empty where nobody is."""
    for recipient in recipients:
        message = compose(recipient)
        if route_to(deps, recipient, message).why is None and (message_id := tell(deps, message, once)):
            return recipient, message_id
    return "", ""


def _send(
    deps: Deps, lab: Lab, line: tuple[Entry, EntryStatus], rules: CurfewRules, now: datetime, summary: RunSummary
) -> tuple[Addressee | None, _Warning | None]:
    """By the topic, at once; who hears by mail is left to the caller."""
    entry, status = line
    came_back = {each.recipient.casefold(): each.why for each in status.unheard}
    owner = listeners(deps, lab)[0]
    failed: list[Route] = []
    for recipient in listeners(deps, lab):
        if (why := came_back.get(recipient.casefold())) is not None:
            failed.append(Route(why=came_back_to(recipient, why), came_back=True))
            continue
        message = _message(deps, lab, entry, rules, recipient, now, (owner, failed))
        route = route_to(deps, recipient, message)
        warning = _Warning(lab, entry, message, tuple(each.why or "" for each in failed))
        if route.addressee is not None:
            return route.addressee, warning
        if route.why is None:
            _publish(deps, warning, now, summary)
            return None, None
        failed.append(route)
    troubles = list(dict.fromkeys(each.why or "" for each in failed))
    _note(deps, entry, owner, Listed(troubles, between=" ") if troubles else "")
    summary.counts["unreachable"] += 1
    return None, None


def _publish(deps: Deps, warning: _Warning, now: datetime, summary: RunSummary) -> None:
    """To the topic, one entry."""
    entry, recipient = warning.entry, warning.message.recipient
    if not may_send(deps, entry, is_due):
        return
    try:
        message_id = deps.watch.notifier.send(warning.message)
    except EkslabError as error:
        _note(deps, entry, recipient, Sentence("It could not be sent: {why}", why=str(error)))
        raise
    if message_id:
        mark_warned(deps, entry, recipient, message_id, max(now, deps.clock.now()), warning.troubles)
        summary.counts["warned"] += 1
        summary.counts["warned_in_place"] += bool(warning.troubles)


def _mail(
    deps: Deps,
    addressee: Addressee,
    said: tuple[Sequence[_Warning], Sequence[Notice]],
    once: str,
    now: datetime,
    summary: RunSummary,
) -> None:
    """One mail of all entries and of the notices that wait for this person; SES's refusals go to the topic."""
    from chalicelib.domain.notices.mail import EntryRef, NoticeRef, mail_id

    record = mail_id(addressee.address, once)
    mine = [warning for warning in said[0] if may_send(deps, warning.entry, is_due, record)]
    if not mine:
        return
    waiting = waiting_for(deps, addressee, said[1], f"warn {once}", now)
    messages = [*(warning.message for warning in mine), *waiting]
    entries = [EntryRef(warning.entry.night, warning.entry.id) for warning in mine]
    notices = [NoticeRef(key, notice_id) for message in waiting for key, notice_id in message.notice_ids]
    try:
        mail = send_mail(deps, addressee, messages, once, entries, notices)
    except AwsRefused as refusal:
        for warning in mine:
            _by_topic(deps, warning, Sentence("It could not be sent: {why}", why=str(refusal)), now, summary)
        return
    if mail is not None and mail.is_taken:
        settle_mail(deps, mail)
        # A mail of this run that is out already tells of the entries of then; of these the next run tells.
        told = {each.entry_id for each in mail.entries}
        mine = [warning for warning in mine if warning.entry.id in told]
        summary.counts["warned"] += len(mine)
        summary.counts["warned_in_place"] += sum(bool(warning.troubles) for warning in mine)
        summary.counts["mails"] += bool(mine)


def _by_topic(deps: Deps, warning: _Warning, trouble: str, now: datetime, summary: RunSummary) -> None:
    _note(deps, warning.entry, warning.message.recipient, trouble)
    recipient = warning.message.recipient
    if deps.curfew.reach.undeliverable_reason(recipient, warning.message) is None:
        _publish(deps, warning, now, summary)
    else:
        summary.counts["unreachable"] += 1


def _note(deps: Deps, entry: Entry, recipient: str, trouble: str) -> None:
    def noted(status: EntryStatus) -> EntryStatus:
        if status.warned_at:
            return status
        return replace(status, recipient=recipient, trouble=trouble, sending_until=None, mail="")

    deps.curfew.store.change_status(entry.night, entry.id, noted)


def _message(
    deps: Deps,
    lab: Lab,
    entry: Entry,
    rules: CurfewRules,
    recipient: str,
    now: datetime,
    instead: tuple[str, Sequence[Route]],
) -> Message:
    """`instead`: the owner, and how nobody before this recipient could be reached."""
    until, no_room = _keeping(deps, lab, entry, rules, now)
    owner, failed = instead
    return warning_message(
        entry,
        lab.spec.schedule,
        _link(deps, entry, rules, now) if until and deps.watch.api_url else None,
        until,
        recipient,
        keeping_cost(entry.hourly_usd, entry.at, until) if until else None,
        volumes=lab.spec.volumes,
        account=lab.account,
        in_place_of=owner if failed else "",
        came_back=bool(failed) and failed[0].came_back,
        spent_usd=spent(lab, now) / MICRO if lab.meter else None,
        no_room=no_room,
    )


def _keeping(
    deps: Deps, lab: Lab, entry: Entry, rules: CurfewRules, now: datetime
) -> tuple[datetime | None, str | None]:
    """How long the link would keep the lab, None where there is nothing to keep, or no more of it; and what stops a longer lease.

    That is the sentence of the ceiling that leaves no room, empty where the lab is to sleep for a ceiling anyway.
    """
    if entry.trigger is Trigger.GONE:
        return None, None
    stopped: list[str] = [""] if entry.trigger is Trigger.LIMIT else []

    def judge(longer: Lab) -> None:
        try:
            _judge_longer(deps, lab, longer)
        except OverBudget as over:
            stopped.append(over.args[0])
            raise

    try:
        until = keep_within_budget(lab, entry, rules, deps.curfew.holidays, now, judge).until
    except NotKept:
        until = None
    return until, stopped[-1] if stopped else None


def _judge_longer(deps: Deps, lab: Lab, longer: Lab) -> None:
    """Raise OverBudget if a ceiling leaves no room for the longer lease that its link would give."""
    if foreseen(longer) > foreseen(lab):
        payer = payer_of(lab, deps.people.person_by_key(identity_key(lab.owner)), deps.curfew.teams)
        judge_longer(longer, lab, deps.store.offers(), payer, deps.store)


def _link(deps: Deps, entry: Entry, rules: CurfewRules, now: datetime) -> str:
    """Good for as long as the entry may still be acted on, by a run that takes its time included."""
    key = deps.curfew.signing_key()
    possible_at = entry.at if entry.trigger in AT_CURFEW else max(entry.at, now + _notice(rules))
    expires_at = possible_at + timedelta(hours=rules.late_hours + 1)
    return f"{deps.watch.api_url}/keep/{sign_link(entry.lab_id, entry.night, entry.id, expires_at, key)}"


def _notice(rules: CurfewRules) -> timedelta:
    return timedelta(minutes=rules.notice_minutes)
