"""Records the outcome of a plan entry: its status first, then the lab's history, then the lab.

If a run dies in between, the next one reads the status and repeats the rest: every write here is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.sentence import Sentence, opening
from chalicelib.domain.curfew.next_event import SOON, missed_curfews, next_look
from chalicelib.domain.curfew.plan import AT_CURFEW, SETTLED, Entry, EntryOutcome, EntryStatus, PlanLine
from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.steps import Event
from chalicelib.workflows.night.run import NightRun

KIND = "curfew"


def change_unless_changed(run: NightRun, lab: Lab, change: Callable[[Lab], Lab]) -> Lab:
    """Change the lab if its version is still the one of the decision. Raises Superseded if somebody changed it since."""

    def checked(stored: Lab) -> Lab:
        if stored.version != lab.version:
            raise Superseded(f"{lab.id} was changed by someone else meanwhile.")
        return change(stored)

    return run.deps.store.change_lab(lab.id, checked, lab)


def leave_to_next_run(run: NightRun, lab_id: str, why: str) -> None:
    """Let the next run retry a failing lab. Record in the history if a curfew passed meanwhile."""
    lab = run.deps.store.load_lab(lab_id)
    note_missed(run, lab, Sentence("it could not be looked at: {why}", why=why))

    def later(stored: Lab) -> Lab:
        due = stored.phase in RESTING and stored.due_at is not None and stored.due_at <= run.now
        return replace(stored, due_at=run.now + SOON) if due else stored

    run.deps.store.change_lab(lab_id, later)


def note_missed(run: NightRun, lab: Lab, why: str) -> None:
    """Record in the history each curfew that passed since the lab was due, while the lab was on no plan; `why`: the reason.

    Empty `why`: no run looked at the lab in time. A lab whose entry was never published was on no plan.
    """
    if lab.phase is not Phase.READY or line_of(run, lab) is not None:
        return
    for night in missed_curfews(lab, run.now, run.deps.curfew.holidays):
        message = Sentence(
            "The lab lives through the curfew of {at}: {why}",
            at=format_local(lab.spec.schedule, night.at),
            why=why or _missed(lab),
        )
        run.deps.store.add_event(lab.id, Event(run.now, KIND, message, {"night": night.day.isoformat()}))


def line_of(run: NightRun, lab: Lab) -> PlanLine | None:
    """The lab's line of a plan; None if it is on none, or its entry was never published."""
    return run.store.line(lab.planned.night, lab.planned.entry_id) if lab.planned else None


def settle(
    run: NightRun,
    entry: Entry,
    outcome: EntryOutcome,
    reason: str,
    saved_usd: float = 0.0,
    called_off_at: datetime | None = None,
) -> EntryStatus:
    """Settle an entry's status and return it; a settled status never changes."""

    def settled(status: EntryStatus) -> EntryStatus:
        if status.outcome in SETTLED:
            return status
        done = replace(status, outcome=outcome, reason=reason, settled_at=run.now, saved_usd=round(saved_usd, 4))
        return replace(done, called_off_at=status.called_off_at or called_off_at)

    return run.store.change_status(entry.night, entry.id, settled)


def take_off_plan(run: NightRun, lab: Lab, line: PlanLine) -> Lab:
    """Record a settled status in the lab's history, take the lab off the plan, and set its next look; return the lab."""
    entry, status = line
    message = (
        Sentence("{what}: {reason}", what=_describe(lab, entry), reason=status.reason)
        if status.outcome is EntryOutcome.SKIPPED
        else opening(status.reason)
    )
    facts = {"outcome": str(status.outcome), "night": entry.night.isoformat(), "entry": entry.id}
    run.deps.store.add_event(lab.id, Event(status.settled_at or run.now, KIND, message, facts))

    def freed(stored: Lab) -> Lab:
        if stored.planned is None or stored.planned.entry_id != entry.id:
            return stored
        free = replace(stored, planned=None)
        if stored.phase not in RESTING:
            return free
        return replace(free, due_at=next_look(free, entry, run.rules, run.now, run.deps.curfew.holidays))

    return run.deps.store.change_lab(lab.id, freed)


def skip_entry(run: NightRun, lab: Lab, entry: Entry, reason: str) -> Lab:
    """Skip an entry: settle its status with the reason, and take the lab off the plan; return the lab."""
    return take_off_plan(run, lab, PlanLine(entry, settle(run, entry, EntryOutcome.SKIPPED, reason)))


def _missed(lab: Lab) -> str:
    if lab.due_at is None:
        return Sentence("no run looked at it in time to warn anybody.")
    due = format_local(lab.spec.schedule, lab.due_at)
    return Sentence("it was due from {at} on, and no run looked at it in time to warn anybody.", at=due)


def _describe(lab: Lab, entry: Entry) -> str:
    at = format_local(lab.spec.schedule, entry.at)
    if entry.trigger in AT_CURFEW:
        return Sentence("The lab lives through the curfew of {at}", at=at)
    return Sentence("The lab lives through the end that was planned for {at}", at=at)
