"""Composes warnings of planned entries, with signed links that keep the labs; records that they were sent, or bounced.

No lab is touched without a warning. `send.py` sends them: by mail with the person's other messages, or by the topic, one message
an entry. A warning is delivered when SES has accepted the mail, or when SNS has returned an id and a subscription takes the
message. If the owner can't be reached, the owner's teams are warned, then administrators. SES's events (`mail_events.py`) mark and
unmark entries, too: every function that records is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from chalicelib.domain.curfew.messages.warning import NOBODY, KeepOffer, WarnedPerson, recipient_of, warning_message
from chalicelib.domain.curfew.plan import (
    AT_CURFEW,
    SETTLED,
    Entry,
    EntryOutcome,
    EntryStatus,
    PlanLine,
    Trigger,
    Unheard,
)
from chalicelib.domain.curfew.signed_links import sign_link
from chalicelib.domain.errors.tree import AwsRefused, EkslabError, NotKept, OverBudget
from chalicelib.domain.identity.callers import identity_of
from chalicelib.domain.identity.person import identity_key
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import foreseen, spent
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.requests.months import judge_longer, payer_of
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import KIND, skip_entry
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.shared.mailing import CLAIMED_FOR, Route, came_back_to, route_to
from chalicelib.workflows.shared.posts import settle_post

if TYPE_CHECKING:
    from chalicelib.domain.notices.mail import Addressee, Mail


@dataclass(frozen=True)
class EntryWarning:
    """The warning of one entry to its first reachable recipient, by mail to `addressee`, or by the topic if that is None.

    `troubles`: why each earlier recipient could not be reached.
    """

    run: NightRun
    entry: Entry
    message: Message
    addressee: Addressee | None
    troubles: tuple[str, ...]

    def claim(self, mail: str) -> bool:
        """Claim the warning, so that only one of several concurrent runs sends it; return whether this run may.

        `mail`: the record of the mail that carries it; empty for the topic.
        """
        now, won = self.run.deps.clock.now(), False

        def claimed(stored: EntryStatus) -> EntryStatus:
            nonlocal won
            won = is_due(stored) and (stored.sending_until is None or stored.sending_until <= now)
            return replace(stored, sending_until=now + CLAIMED_FOR, mail=mail) if won else stored

        self.run.store.change_status(self.entry.night, self.entry.id, claimed)
        return won

    def refuse(self, refusal: AwsRefused) -> bool:
        """Record SES's refusal, and publish the warning if a subscription takes it; return whether it was sent.

        Else this run warns the next audience, if SES refused this mail or its recipient's address, or if the act is due. A
        refusal of the account is not stored: the next run tries the first audience again.
        """
        from chalicelib.domain.notices.mail import is_about_mail

        recipient, address, why = self.message.recipient, self.addressee, str(refusal)
        status = _note(self.run, self.entry, recipient, Sentence("It could not be sent: {why}", why=why))
        if self.run.deps.curfew.reach.undeliverable_reason(recipient, self.message) is None:
            return self.claim("") and self.publish()
        if address is not None and is_about_mail(refusal, address.address):
            self._try_next_audience(why)
        elif self.entry.at <= self.run.now:
            self.run.refused[recipient.casefold()] = why
            self.run.passed_on.append(status)
        else:
            self.run.counts["unreachable"] += 1
        return False

    def _try_next_audience(self, refusal: str) -> None:
        """Let this run's last page warn the next audience, as if the mail had bounced."""
        deps, entry, recipient = self.run.deps, self.entry, self.message.recipient
        why = Unheard(recipient, Sentence("Amazon SES rejected it: {words}", words=refusal))

        def unheard(status: EntryStatus) -> EntryStatus:
            return replace(status, unheard=(*status.unheard, why)) if is_due(status) else status

        self.run.passed_on.append(self.run.store.change_status(entry.night, entry.id, unheard))
        text = _refusal_text(recipient, refusal)
        deps.store.add_event(entry.lab_id, Event(deps.clock.now(), KIND, text, {"entry": entry.id}))

    def publish(self) -> bool:
        """Publish a claimed warning to the topic, and mark its entry; return whether it was sent."""
        deps, recipient = self.run.deps, self.message.recipient
        try:
            message_id = deps.watch.notifier.send(self.message)
        except EkslabError as error:
            _note(self.run, self.entry, recipient, Sentence("It could not be sent: {why}", why=str(error)))
            raise
        if message_id:
            mark_warned(deps, self.entry, recipient, message_id, max(self.run.now, deps.clock.now()), self.troubles)
        return bool(message_id)

    def count(self) -> None:
        """Count it as sent."""
        self.run.counts["warned"] += 1
        self.run.counts["warned_in_place"] += bool(self.troubles)


def warning_of(run: NightRun, status: EntryStatus) -> EntryWarning | None:
    """The warning of one entry, if it is due and somebody can be reached.

    Skips the entry if it no longer applies. Also None if the act would be too late, or another mail carries the warning.
    """
    line = run.store.line(status.night, status.entry_id)
    if line is None or line.status.outcome in SETTLED:
        return None
    entry, lab = line.entry, run.deps.store.load_lab(status.lab_id)
    if exempt := exemption(lab, entry, run.deps.curfew.holidays):
        skip_entry(run, lab, entry, exempt)
        run.counts["skipped"] += 1
        return None
    if run.now + run.notice > entry.at + timedelta(hours=run.rules.late_hours) or not may_send_warning(run, line):
        return None
    # `may_send_warning` may have recorded a bounced mail: the status then names the unreachable person.
    line = run.store.line(status.night, status.entry_id) if line.status.mail else line
    return _addressed(run, lab, line) if line is not None else None


def administrators(deps: Deps) -> str:
    """The recipient of administrators' mails."""
    return deps.watch.administrators or NOBODY


def listeners(deps: Deps, lab: Lab) -> tuple[str, ...]:
    """The recipients of messages about a lab, in the order in which they are tried: owner, the owner's teams, administrators."""
    teams = (team.name for team in deps.curfew.teams if team.has(identity_of(lab.owner)))
    return distinct((recipient_of(lab, administrators(deps)), *teams, administrators(deps)))


def _addressed(run: NightRun, lab: Lab, line: PlanLine) -> EntryWarning | None:
    """The warning to the first reachable recipient. None if nobody is reachable: the reasons are stored in the entry's status."""
    deps, entry = run.deps, line.entry
    came_back = {each.recipient.casefold(): each.why for each in line.status.unheard}
    everyone, offer = listeners(deps, lab), _offer(run, lab, entry)
    spent_usd = spent(lab, run.now) / MICRO if lab.meter else None
    failed: list[Route] = []
    for recipient in everyone:
        if (why := came_back.get(recipient.casefold())) is not None:
            failed.append(Route(why=came_back_to(recipient, why), came_back=True))
            continue
        if (why := run.refused.get(recipient.casefold())) is not None:
            failed.append(Route(why=_refusal_text(recipient, why)))
            continue
        owner = everyone[0] if failed else ""
        reader = WarnedPerson(recipient, owner, came_back=bool(failed) and failed[0].came_back)
        message = warning_message(entry, lab, offer, reader, spent_usd)
        route = route_to(deps, recipient, message)
        if route.why is None:
            return EntryWarning(run, entry, message, route.addressee, tuple(each.why or "" for each in failed))
        failed.append(route)
    troubles = list(dict.fromkeys(each.why or "" for each in failed))
    _note(run, entry, everyone[0], Listed(troubles, between=" ") if troubles else "")
    run.counts["unreachable"] += 1
    return None


def _refusal_text(recipient: str, why: str) -> str:
    return Sentence("SES refused the mail to {recipient}: {why}", recipient=recipient, why=why)


def _note(run: NightRun, entry: Entry, recipient: str, trouble: str) -> EntryStatus:
    """Record on the entry's status why its warning is not delivered; return the status."""

    def noted(status: EntryStatus) -> EntryStatus:
        if status.warned_at:
            return status
        return replace(status, recipient=recipient, trouble=trouble, sending_until=None, mail="")

    return run.store.change_status(entry.night, entry.id, noted)


def _offer(run: NightRun, lab: Lab, entry: Entry) -> KeepOffer:
    """The link with its cost, and the ceiling that stops a longer lease. Empty if the cluster is gone or the lab can't be kept."""
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
    """Raise OverBudget if a ceiling leaves no room for the longer lease that the link would give.

    Groups of the user pool can't be read here, so the highest ceiling of any group counts; the link's page judges exactly.
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


def is_due(status: EntryStatus) -> bool:
    """Whether the entry is still to come and nobody was warned of it."""
    return status.outcome is EntryOutcome.STANDING and status.warned_at is None


def may_send_warning(run: NightRun, line: PlanLine) -> bool:
    """Whether to send a warning now. If an earlier run died after SES accepted its mail, the warning is marked as sent here."""
    deps, (entry, status) = run.deps, line
    mail = deps.mail.store.mail(status.mail) if deps.mail is not None and status.mail else None
    if mail is None or entry.id not in {each.entry_id for each in mail.entries}:
        return True
    if mail.is_taken:
        settle_mail(deps, mail)
        run.counts["warned"] += 1
        return False
    if mail.message_id:
        take_back(deps, entry, mail)
        return True
    return mail.sending_until <= deps.clock.now()


def settle_mail(deps: Deps, mail: Mail) -> None:
    """Mark the entries, notices and posts of a mail as sent: SES has accepted it. Safe to repeat."""
    at = mail.accepted_at or mail.begun_at
    for each in mail.entries:
        line = deps.curfew.store.line(each.night, each.entry_id)
        if line is not None and line.status.mail == mail.id:
            troubles = [came_back_to(one.recipient, one.why) for one in line.status.unheard]
            mark_warned(deps, line.entry, mail.recipient, mail.message_id, at, troubles)
    if mail.notices:
        deps.watch.store.mark_sent([(each.key, each.id) for each in mail.notices], mail.message_id, at)
    for post_id in mail.posts:
        settle_post(deps, post_id, at, mail=mail.id)


def take_back(deps: Deps, entry: Entry, mail: Mail) -> bool:
    """Unmark an entry whose mail bounced before the act. Return whether it was marked."""

    def unheard(status: EntryStatus) -> EntryStatus:
        if status.mail != mail.id or status.outcome is not EntryOutcome.STANDING:
            return status
        again = replace(status, warned_at=None, message_id=None, mail="", sending_until=None)
        trouble = came_back_to(mail.recipient, mail.why)
        return replace(again, unheard=(*status.unheard, Unheard(mail.recipient, mail.why)), trouble=trouble)

    before = deps.curfew.store.line(entry.night, entry.id)
    return before is not None and deps.curfew.store.change_status(entry.night, entry.id, unheard) != before.status


def mark_warned(
    deps: Deps, entry: Entry, recipient: str, message_id: str, at: datetime, troubles: Sequence[str]
) -> None:
    """Mark the entry as warned, by the message `message_id` that SES or SNS took at `at`: the notice period begins then.

    `troubles`: why each earlier recipient could not be reached.
    """
    news = False

    def marked(status: EntryStatus) -> EntryStatus:
        nonlocal news
        news = is_due(status)
        if not news:
            return status
        told = replace(status, warned_at=at, message_id=message_id, recipient=recipient, trouble="")
        return replace(told, sending_until=None)

    deps.curfew.store.change_status(entry.night, entry.id, marked)
    if news:
        text = Sentence("A warning was sent to {recipient}.", recipient=recipient)
        if troubles:
            text = Sentence("{sent} Its owner can't be reached: {trouble}", sent=text, trouble=troubles[0])
        deps.store.add_event(entry.lab_id, Event(at, KIND, text, {"message": message_id, "entry": entry.id}))
