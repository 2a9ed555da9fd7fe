"""Sends warnings of planned entries, with signed links that keep the labs. No lab is touched without a warning.

A person with a confirmed address gets one mail a run, with all warnings and notices for them. Anybody else gets one message an
entry by the topic. A warning is delivered when SES has taken the mail, or when a subscription takes the message and SNS returned
an id. If the owner can't be reached, the owner's teams are warned, then administrators. Of concurrent runs one sends.
`settling.py` handles mails that come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message
from chalicelib.domain.core.recipients import distinct
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.costs import keeping_cost
from chalicelib.domain.curfew.decision import exemption
from chalicelib.domain.curfew.keep import keep_within_budget
from chalicelib.domain.curfew.keep_link import sign_link
from chalicelib.domain.curfew.messages.warning import (
    NOBODY,
    KeepOffer,
    WarnedLab,
    WarnedPerson,
    recipient_of,
    warning_message,
)
from chalicelib.domain.curfew.plan import AT_CURFEW, SETTLED, Entry, EntryStatus, PlanLine, Trigger
from chalicelib.domain.errors.tree import AwsRefused, EkslabError, NotKept, OverBudget
from chalicelib.domain.identity.callers import identity_of
from chalicelib.domain.identity.person import identity_key
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import foreseen, spent
from chalicelib.domain.requests.months import judge_longer, payer_of
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import skip_entry
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.sending import may_send
from chalicelib.workflows.night.settling import Delivered, is_due, is_open, mark_warned, settle_mail
from chalicelib.workflows.shared.mailing import Route, came_back_to, route_to, send_mail, tell
from chalicelib.workflows.watch.delivery import waiting_by_address, waiting_for

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Addressee
    from chalicelib.domain.notices.notice import Notice


@dataclass(frozen=True)
class _Warning:
    """One entry's message to one person. `troubles`: why nobody before them could be reached."""

    entry: Entry
    message: Message
    troubles: tuple[str, ...]


def warn_all(run: NightRun, statuses: Iterable[EntryStatus], once: str) -> int:
    """Warn of every entry, those of one person in one mail; return how many failed. `once` names the run: one mail each."""
    letters: dict[Addressee, list[_Warning]] = {}
    failed = 0
    for status in statuses:
        with run.around(f"the warning of {status.lab_id}") as errors:
            addressee, warning = _warn(run, status)
            if addressee is not None and warning is not None:
                letters.setdefault(addressee, []).append(warning)
        failed += len(errors)
    waiting = waiting_by_address(run.deps) if letters else {}
    for addressee, warnings in letters.items():
        with run.around(f"the mail to {warnings[0].message.recipient}") as errors:
            _mail(run, addressee, warnings, waiting.get(addressee.address, ()), once)
        failed += len(errors)
    return failed


def _warn(run: NightRun, status: EntryStatus) -> tuple[Addressee | None, _Warning | None]:
    """Publish the warning of one entry to the topic, or return it with the person who gets it by mail.

    An entry whose lab changed meanwhile is skipped; one whose time has passed, and one that another mail warns of, is left.
    """
    line = run.store.line(status.night, status.entry_id)
    if line is None or line.status.outcome in SETTLED:
        return None, None
    entry, lab = line.entry, run.deps.store.load_lab(status.lab_id)
    if exempt := exemption(lab, entry, run.deps.curfew.holidays):
        skip_entry(run, lab, entry, exempt)
        run.counts["skipped"] += 1
        return None, None
    if run.now + run.notice > entry.at + timedelta(hours=run.rules.late_hours) or not is_open(run, line):
        return None, None
    # `is_open` may have taken a mail back: the status then says whom no mail reaches.
    line = run.store.line(status.night, status.entry_id) if line.status.mail else line
    return _send(run, lab, line) if line is not None else (None, None)


def administrators(deps: Deps) -> str:
    """The recipient of administrators' mails."""
    return deps.watch.administrators or NOBODY


def listeners(deps: Deps, lab: Lab) -> tuple[str, ...]:
    """The recipients of messages about a lab, in the order in which they are tried: owner, the owner's teams, administrators."""
    teams = (team.name for team in deps.curfew.teams if team.has(identity_of(lab.owner)))
    return distinct((recipient_of(lab, administrators(deps)), *teams, administrators(deps)))


def tell_first(deps: Deps, recipients: Iterable[str], compose: Callable[[str], Message], once: str) -> tuple[str, str]:
    """Send a message to the first recipient who can be reached; return the recipient and the message's id, else two empty texts."""
    for recipient in recipients:
        message = compose(recipient)
        if route_to(deps, recipient, message).why is None and (message_id := tell(deps, message, once)):
            return recipient, message_id
    return "", ""


def _send(run: NightRun, lab: Lab, line: PlanLine) -> tuple[Addressee | None, _Warning | None]:
    """Choose the first recipient who can be reached: by mail (returned), else by the topic (published)."""
    deps, entry = run.deps, line.entry
    came_back = {each.recipient.casefold(): each.why for each in line.status.unheard}
    everyone = listeners(deps, lab)
    failed: list[Route] = []
    for recipient in everyone:
        if (why := came_back.get(recipient.casefold())) is not None:
            failed.append(Route(why=came_back_to(recipient, why), came_back=True))
            continue
        owner = everyone[0] if failed else ""
        reader = WarnedPerson(recipient, owner, came_back=bool(failed) and failed[0].came_back)
        message = _message(run, lab, entry, reader)
        route = route_to(deps, recipient, message)
        warning = _Warning(entry, message, tuple(each.why or "" for each in failed))
        if route.addressee is not None:
            return route.addressee, warning
        if route.why is None:
            _publish(run, warning)
            return None, None
        failed.append(route)
    troubles = list(dict.fromkeys(each.why or "" for each in failed))
    _note(run, entry, everyone[0], Listed(troubles, between=" ") if troubles else "")
    run.counts["unreachable"] += 1
    return None, None


def _publish(run: NightRun, warning: _Warning) -> None:
    """Publish one warning to the topic, and mark its entry."""
    deps, entry, recipient = run.deps, warning.entry, warning.message.recipient
    if not may_send(deps, entry, is_due):
        return
    try:
        message_id = deps.watch.notifier.send(warning.message)
    except EkslabError as error:
        _note(run, entry, recipient, Sentence("It could not be sent: {why}", why=str(error)))
        raise
    if message_id:
        mark_warned(deps, entry, Delivered(recipient, message_id, max(run.now, deps.clock.now())), warning.troubles)
        run.counts["warned"] += 1
        run.counts["warned_in_place"] += bool(warning.troubles)


def _mail(
    run: NightRun, addressee: Addressee, warnings: Sequence[_Warning], waiting: Sequence[Notice], once: str
) -> None:
    """Send one mail of all entries and of the notices that wait for this person; if SES refuses it, use the topic."""
    from chalicelib.domain.notices.mail import EntryRef, NoticeRef, mail_id

    deps, record = run.deps, mail_id(addressee.address, once)
    mine = [warning for warning in warnings if may_send(deps, warning.entry, is_due, record)]
    if not mine:
        return
    digests = waiting_for(deps, addressee, waiting, f"warn {once}", run.now)
    messages = [*(warning.message for warning in mine), *digests]
    entries = [EntryRef(warning.entry.night, warning.entry.id) for warning in mine]
    notices = [NoticeRef(key, notice_id) for message in digests for key, notice_id in message.notice_ids]
    try:
        mail = send_mail(deps, addressee, messages, once, entries, notices)
    except AwsRefused as refusal:
        for warning in mine:
            _by_topic(run, warning, Sentence("It could not be sent: {why}", why=str(refusal)))
        return
    if mail is not None and mail.is_taken:
        settle_mail(deps, mail)
        # A mail that an earlier try of this run sent has that try's entries. The next run warns of the others.
        told = {each.entry_id for each in mail.entries}
        mine = [warning for warning in mine if warning.entry.id in told]
        run.counts["warned"] += len(mine)
        run.counts["warned_in_place"] += sum(bool(warning.troubles) for warning in mine)
        run.counts["mails"] += bool(mine)


def _by_topic(run: NightRun, warning: _Warning, trouble: str) -> None:
    """Note that SES refused the mail, and publish the warning if a subscription takes it."""
    recipient = warning.message.recipient
    _note(run, warning.entry, recipient, trouble)
    if run.deps.curfew.reach.undeliverable_reason(recipient, warning.message) is None:
        _publish(run, warning)
    else:
        run.counts["unreachable"] += 1


def _note(run: NightRun, entry: Entry, recipient: str, trouble: str) -> None:
    """Record on the entry's status why its warning is not delivered."""

    def noted(status: EntryStatus) -> EntryStatus:
        if status.warned_at:
            return status
        return replace(status, recipient=recipient, trouble=trouble, sending_until=None, mail="")

    run.store.change_status(entry.night, entry.id, noted)


def _message(run: NightRun, lab: Lab, entry: Entry, reader: WarnedPerson) -> Message:
    spent_usd = spent(lab, run.now) / MICRO if lab.meter else None
    facts = WarnedLab(lab.spec.schedule, lab.spec.volumes, lab.account, spent_usd)
    return warning_message(entry, facts, _offer(run, lab, entry), reader)


def _offer(run: NightRun, lab: Lab, entry: Entry) -> KeepOffer:
    """The link with its cost; empty if there is nothing to keep, or no more of it; and the ceiling that stops a longer lease.

    `no_room` is the ceiling's sentence; it is empty where the lab is to sleep for a ceiling anyway.
    """
    if entry.trigger is Trigger.GONE:
        return KeepOffer()
    stopped: list[str] = [""] if entry.trigger is Trigger.LIMIT else []

    def judge(longer: Lab) -> None:
        try:
            _judge_longer(run.deps, lab, longer)
        except OverBudget as over:
            stopped.append(over.args[0])
            raise

    try:
        until = keep_within_budget(lab, entry, run.rules, run.deps.curfew.holidays, run.now, judge).until
    except NotKept:
        until = None
    no_room = stopped[-1] if stopped else None
    if until is None:
        return KeepOffer(no_room=no_room)
    url = _link(run, entry) if run.deps.watch.api_url else None
    return KeepOffer(url, until, keeping_cost(entry.hourly_usd, entry.at, until), no_room)


def _judge_longer(deps: Deps, lab: Lab, longer: Lab) -> None:
    """Raise OverBudget if a ceiling leaves no room for the longer lease that its link would give.

    Groups of the user pool can't be asked here: of their people the highest ceilings count, and the button judges truly.
    """
    if foreseen(longer) > foreseen(lab):
        payer = payer_of(lab, deps.people.person_by_key(identity_key(lab.owner)), deps.curfew.teams, asked=False)
        judge_longer(longer, lab, deps.store.offers(), payer, deps.store)


def _link(run: NightRun, entry: Entry) -> str:
    """The keep-link. It expires an hour after the last run that may act on the entry."""
    possible_at = entry.at if entry.trigger in AT_CURFEW else max(entry.at, run.now + run.notice)
    expires_at = possible_at + timedelta(hours=run.rules.late_hours + 1)
    token = sign_link(entry.lab_id, entry.night, entry.id, expires_at, run.deps.curfew.signing_key())
    return f"{run.deps.watch.api_url}/keep/{token}"
