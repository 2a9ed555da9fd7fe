"""How the sweep writes down what became of an entry: the status first, then its lab's history, then the lab.

A run that dies in between is made up for by the next: everything here is told from the status, and may be done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.sentence import Sentence, opening
from chalicelib.domain.curfew.next_event import SOON, missed_curfews, next_look
from chalicelib.domain.curfew.plan import SETTLED, Entry, EntryOutcome, EntryStatus, Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps

KIND = "curfew"


def as_sentence(message: str) -> str:
    """Begun with a capital."""
    return opening(message)


def rules_of(deps: Deps) -> CurfewRules:
    """The rules as they are now."""
    return deps.curfew.store.rules(deps.curfew.usual)


def change_unless_changed(deps: Deps, lab: Lab, change: Callable[[Lab], Lab]) -> Lab:
    """Change the lab as it was when this was decided. Raises Superseded when somebody changed it since."""

    def checked(stored: Lab) -> Lab:
        if stored.version != lab.version:
            raise Superseded(f"{lab.id} was changed by someone else meanwhile.")
        return change(stored)

    return deps.store.change_lab(lab.id, checked, lab)


def look_again(deps: Deps, lab: Lab, at: datetime) -> Lab:
    """Let the sweep look at the lab at `at`."""
    return change_unless_changed(deps, lab, lambda stored: replace(stored, due_at=at))


def put_off(deps: Deps, lab_id: str, why: str, now: datetime) -> None:
    """Move a lab that fails out of this run's way; the next one tries again. A curfew that passes it by so is told."""
    note_missed(deps, deps.store.load_lab(lab_id), Sentence("it could not be looked at: {why}", why=why), now)

    def later(stored: Lab) -> Lab:
        due = stored.phase in RESTING and stored.due_at is not None and stored.due_at <= now
        return replace(stored, due_at=now + SOON) if due else stored

    deps.store.change_lab(lab_id, later)


def note_missed(deps: Deps, lab: Lab, why: str, now: datetime) -> None:
    """Tell the history of a lab that is on no plan which curfews it has lived through since it was due, and why.

    Without a `why`, for it was due and no run looked at it: none ran, or somebody changed it shortly before.
    One that was marked as planned, and whose entry was never published, is on none.
    """
    planned = lab.planned and deps.curfew.store.line(lab.planned.night, lab.planned.entry_id)
    due = not planned and lab.phase is Phase.READY
    for night in missed_curfews(lab, now, deps.curfew.holidays) if due else ():
        message = Sentence(
            "The lab lives through the curfew of {at}: {why}",
            at=format_local(lab.spec.schedule, night.at),
            why=why or _missed(lab),
        )
        deps.store.add_event(lab.id, Event(now, KIND, message, {"night": night.day.isoformat()}))


def settle(
    deps: Deps, entry: Entry, outcome: EntryOutcome, reason: str, now: datetime, saved_usd: float = 0.0
) -> EntryStatus:
    """Settle an entry's status, once for all: what is settled stays so."""

    def settled(status: EntryStatus) -> EntryStatus:
        if status.outcome in SETTLED:
            return status
        return replace(status, outcome=outcome, reason=reason, settled_at=now, saved_usd=round(saved_usd, 4))

    return deps.curfew.store.change_status(entry.night, entry.id, settled)


def conclude(deps: Deps, lab: Lab, entry: Entry, status: EntryStatus, rules: CurfewRules, now: datetime) -> Lab:
    """Tell a settled status in the lab's history, and let the lab face what comes next; return it as it is then."""
    message = (
        Sentence("{what}: {reason}", what=_describe(lab, entry), reason=status.reason)
        if status.outcome is EntryOutcome.SKIPPED
        else as_sentence(status.reason)
    )
    facts = {"outcome": str(status.outcome), "night": entry.night.isoformat(), "entry": entry.id}
    deps.store.add_event(lab.id, Event(status.settled_at or now, KIND, message, facts))

    def freed(stored: Lab) -> Lab:
        if stored.planned is None or stored.planned.entry_id != entry.id:
            return stored
        free = replace(stored, planned=None)
        if stored.phase not in RESTING:
            return free
        return replace(free, due_at=next_look(free, entry, rules, now, deps.curfew.holidays))

    return deps.store.change_lab(lab.id, freed)


def skip_entry(deps: Deps, lab: Lab, entry: Entry, reason: str, rules: CurfewRules, now: datetime) -> Lab:
    """The lab lives, and status and history say why."""
    return conclude(deps, lab, entry, settle(deps, entry, EntryOutcome.SKIPPED, reason, now), rules, now)


def _missed(lab: Lab) -> str:
    if lab.due_at is None:
        return Sentence("no sweep looked at it in time to warn anybody.")
    due = format_local(lab.spec.schedule, lab.due_at)
    return Sentence("it was to be looked at from {at} on, and no sweep came by in time to warn anybody.", at=due)


def _describe(lab: Lab, entry: Entry) -> str:
    at = format_local(lab.spec.schedule, entry.at)
    if entry.trigger is Trigger.IDLE:
        return Sentence("The lab lives through the curfew of {at}", at=at)
    return Sentence("The lab lives through the end that was planned for {at}", at=at)
