"""Sends a warning for each planned entry, with a signed link that keeps the lab. Without a warning nothing is touched.

Delivered means that a subscription takes messages for the recipient and that the provider gave a message id. Where nobody listens
under the owner's name their teams are warned in their place, then administrators: it counts as delivered then. Of runs at the
same time one sends; if it dies between the mail and its mark, a later one sends it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.message import Message
from chalicelib.domain.core.recipients import distinct
from chalicelib.domain.costs import keeping_cost
from chalicelib.domain.curfew.decision import exemption
from chalicelib.domain.curfew.keep import keep
from chalicelib.domain.curfew.keep_link import sign_link
from chalicelib.domain.curfew.messages.warning import NOBODY, recipient_of, warning_message
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import EkslabError, NotKept
from chalicelib.domain.identity.callers import identity_of
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import spent
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import KIND, skip_entry
from chalicelib.workflows.night.sending import may_send
from chalicelib.workflows.night.summary import RunSummary


def warn_of(deps: Deps, status: EntryStatus, rules: CurfewRules, now: datetime, summary: RunSummary) -> None:
    """Warn of one entry, unless it is settled by what has become of its lab."""
    line = deps.curfew.store.line(status.night, status.entry_id)
    if line is None or line[1].outcome in SETTLED:
        return
    entry, lab = line[0], deps.store.load_lab(status.lab_id)
    if exempt := exemption(lab, entry, deps.curfew.holidays):
        skip_entry(deps, lab, entry, exempt, rules, now)
        summary.counts["skipped"] += 1
    elif now + _notice(rules) <= entry.at + timedelta(hours=rules.late_hours):
        _send(deps, lab, entry, rules, now, summary)


def administrators(deps: Deps) -> str:
    """To whom administrators' mails go."""
    return deps.watch.administrators or NOBODY


def listeners(deps: Deps, lab: Lab) -> tuple[str, ...]:
    """Who is to hear of a lab, the first who can be reached: its owner, their teams by name, administrators."""
    teams = (team.name for team in deps.curfew.teams if team.has(identity_of(lab.owner)))
    return distinct((recipient_of(lab, administrators(deps)), *teams, administrators(deps)))


def tell_first(deps: Deps, recipients: Iterable[str], compose: Callable[[str], Message]) -> tuple[str, str]:
    """Send it to the first for whom a subscription takes messages; to whom, and the message's id. Both empty where nobody is."""
    for recipient in recipients:
        message = compose(recipient)
        if deps.curfew.reach.undeliverable_reason(recipient, message) is None:
            return recipient, deps.watch.notifier.send(message) or ""
    return "", ""


def _send(deps: Deps, lab: Lab, entry: Entry, rules: CurfewRules, now: datetime, summary: RunSummary) -> None:
    if not may_send(deps, entry, lambda status: status.outcome is EntryOutcome.STANDING and status.warned_at is None):
        return
    owner, *others = listeners(deps, lab)
    troubles: list[str] = []
    recipient = owner
    try:
        for recipient in (owner, *others):
            message = _message(deps, lab, entry, rules, recipient, now, owner if troubles else "")
            trouble = deps.curfew.reach.undeliverable_reason(recipient, message)
            if trouble is None:
                message_id = deps.watch.notifier.send(message)
                _sent(deps, entry, recipient, message_id, troubles, now, summary)
                return
            troubles.append(trouble)
    except EkslabError as error:
        _note(deps, entry, recipient, f"It could not be sent: {error}")
        raise
    _note(deps, entry, owner, " ".join(dict.fromkeys(troubles)))
    summary.counts["unreachable"] += 1


def _sent(
    deps: Deps,
    entry: Entry,
    recipient: str,
    message_id: str | None,
    troubles: Sequence[str],
    now: datetime,
    summary: RunSummary,
) -> None:
    if not message_id:
        return
    _delivered(deps, entry, recipient, message_id, now)
    instead = f" Its owner can't be reached: {troubles[0]}" if troubles else ""
    text = f"A warning was sent to {recipient}.{instead}"
    deps.store.add_event(entry.lab_id, Event(now, KIND, text, {"message": message_id, "entry": entry.id}))
    summary.counts["warned"] += 1
    summary.counts["warned_in_place"] += bool(troubles)


def _delivered(deps: Deps, entry: Entry, recipient: str, message_id: str, now: datetime) -> None:
    """The notice runs from when the mail is out: a run that began long ago must not shorten it."""
    at = max(now, deps.clock.now())

    def marked(status: EntryStatus) -> EntryStatus:
        if status.outcome is not EntryOutcome.STANDING or status.warned_at is not None:
            return status
        told = replace(status, warned_at=at, message_id=message_id, recipient=recipient, trouble="")
        return replace(told, sending_until=None)

    deps.curfew.store.change_status(entry.night, entry.id, marked)


def _note(deps: Deps, entry: Entry, recipient: str, trouble: str) -> None:
    def noted(status: EntryStatus) -> EntryStatus:
        if status.warned_at:
            return status
        return replace(status, recipient=recipient, trouble=trouble, sending_until=None)

    deps.curfew.store.change_status(entry.night, entry.id, noted)


def _message(
    deps: Deps, lab: Lab, entry: Entry, rules: CurfewRules, recipient: str, now: datetime, in_place_of: str
) -> Message:
    until = _kept_until(deps, lab, entry, rules, now)
    return warning_message(
        entry,
        lab.spec.schedule,
        _link(deps, entry, rules, now) if until and deps.watch.api_url else None,
        until,
        recipient,
        keeping_cost(entry.hourly_usd, entry.at, until) if until else None,
        volumes=lab.spec.volumes,
        account=lab.account,
        in_place_of=in_place_of,
        spent_usd=spent(lab, now) / MICRO if lab.meter else None,
    )


def _kept_until(deps: Deps, lab: Lab, entry: Entry, rules: CurfewRules, now: datetime) -> datetime | None:
    """How long the link would keep the lab; None where there is nothing to keep, or no more of it."""
    if entry.trigger is Trigger.GONE:
        return None
    try:
        return keep(lab, entry, rules, deps.curfew.holidays, now).until
    except NotKept:
        return None


def _link(deps: Deps, entry: Entry, rules: CurfewRules, now: datetime) -> str:
    """Good for as long as the entry may still be acted on, by a run that takes its time included."""
    key = deps.curfew.signing_key()
    possible_at = entry.at if entry.trigger is Trigger.IDLE else max(entry.at, now + _notice(rules))
    expires_at = possible_at + timedelta(hours=rules.late_hours + 1)
    return f"{deps.watch.api_url}/keep/{sign_link(entry.lab_id, entry.night, entry.id, expires_at, key)}"


def _notice(rules: CurfewRules) -> timedelta:
    return timedelta(minutes=rules.notice_minutes)
