"""A person's change of a lab: stored with a new run, recorded in its history, its workflow started.

The order is always: judge, store, start. A start that fails after the store loses nothing: the scheduled run finds the lab
by its `due_at` and starts it, under the same execution name, so never twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, warning
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.spending import MonthCeilings
from chalicelib.domain.labs.steps import Event, execution_name
from chalicelib.ports.deps import Deps

#: When the scheduled run checks that a stored lab was also started.
START_CHECK = timedelta(seconds=60)
_WORKFLOWS = {
    Phase.REQUESTED: "provision",
    Phase.UPDATING: "update",
    Phase.HIBERNATING: "hibernate",
    Phase.WAKING: "wake",
    Phase.RELEASING: "teardown",
}


@dataclass(frozen=True)
class Accepted:
    """The present lab, and warnings for the caller."""

    lab: Lab
    findings: tuple[Finding, ...] = ()


def with_new_run(lab: Lab, phase: Phase, now: datetime) -> Lab:
    """The lab in another phase, with a new run, checked by the scheduled run."""
    return replace(lab.moved_to(phase, now), run=lab.run + 1, due_at=now + START_CHECK)


@dataclass(frozen=True)
class Transition:
    """A person's change of a lab: the function, the line in its history, warnings, and the months' ceilings."""

    change: Callable[[Lab], Lab]
    message: str
    findings: tuple[Finding, ...] = ()
    ceilings: MonthCeilings | None = None


def apply_transition(deps: Deps, caller: Caller, lab: Lab, asked: Transition, now: datetime) -> Accepted:
    """Save the change, record it if it began a run, and start the workflow. Raises the errors of `change`, and OverBudget."""
    stored = deps.store.change_lab(lab.id, asked.change, ceilings=asked.ceilings)
    if stored.run != lab.run:
        facts = {"phase": str(stored.phase), "by": caller.arn}
        deps.store.add_event(lab.id, Event(now, "phase-changed", asked.message, facts))
    return Accepted(stored, (*asked.findings, *start_workflow(deps, stored)))


def start_workflow(deps: Deps, lab: Lab) -> tuple[Finding, ...]:
    """Start the workflow of the lab's phase; a failed start is a warning, because the scheduled run repeats it."""
    workflow = _WORKFLOWS.get(lab.phase)
    if workflow is None:
        return ()
    try:
        deps.workflows.start(workflow, execution_name(lab, workflow), {"lab_id": lab.id})
    except EkslabError:
        message = Sentence(
            "It is stored, but its start was not confirmed; a scheduled run makes up for that within minutes."
        )
        return (warning("", "start-delayed", message),)
    return ()
