"""Records the results of workflow functions: on the ledger, in the lab's facts, in its phase and history.

Every function here may run twice, and raises `Superseded` instead of changing the phase of a lab that has moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.core.failure import Failure
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.explain import explain_timeout
from chalicelib.domain.errors.tree import ProvisioningFailed, Superseded
from chalicelib.domain.labs.lab import OVER, RESTING, Lab, Phase
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.steps import Event, Result, StepResult, StepStatus
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.metrics import measure_move
from chalicelib.workflows.shared.runner import StepInput

#: How often the scheduled run checks that a lab's workflow is running.
WATCH = timedelta(minutes=5)
#: Phases in which no workflow is running.
_NOBODY_AT_WORK = RESTING | OVER | {Phase.BLOCKED}


def on_ledger(deps: Deps, lab: Lab) -> dict[str, LedgerEntry]:
    """The lab's entries by ARN. Read it before creating a resource, so that an unreadable ledger prevents the creation."""
    return {entry.resource.arn: entry for entry in deps.store.ledger(lab.id)}


def enter(
    deps: Deps,
    lab: Lab,
    resources: Iterable[Resource],
    state: EntryState,
    now: datetime,
    how: str,
    reason: str = "",
    known: Mapping[str, LedgerEntry] | None = None,
) -> None:
    """Write resources on the lab's ledger, or update their entries (`known`: as read before). A guest's entry stays a guest's."""
    known = on_ledger(deps, lab) if known is None else known
    for resource in resources:
        entry = known.get(resource.arn)
        if entry is None:
            fresh = LedgerEntry(resource, state, how, recorded_at=now, changed_at=now, reason=reason)
            deps.store.record(lab.id, fresh)
        elif not entry.guest:
            told = replace(entry, resource=_merged(entry.resource, resource), state=state, reason=reason)
            told = told if told.grounds is not None else replace(told, how=how, proof=None)
            if told != entry:
                deps.store.record(lab.id, replace(told, changed_at=now))


def _merged(old: Resource, new: Resource) -> Resource:
    """The resource with all facts of both."""
    created_at = new.created_at or old.created_at
    attributes = {**old.attributes, **new.attributes}
    return replace(new, tags={**old.tags, **new.tags}, attributes=attributes, created_at=created_at)


def enter_guest(deps: Deps, lab: Lab, resources: Iterable[Resource], now: datetime, how: str, reason: str) -> None:
    """Write resources on the ledger that the lab only uses, or that are somebody else's: the teardown keeps them."""
    for resource in resources:
        deps.store.record(lab.id, LedgerEntry(resource, EntryState.KEPT, how, now, now, reason=reason, guest=True))


def settle(deps: Deps, lab: Lab, kinds: Iterable[Kind], now: datetime, how: str | None = None) -> None:
    """Mark the lab's own entries of these kinds, or those known by `how`, as deleted: they went with another resource."""
    gone = set(kinds)
    for entry in deps.store.ledger(lab.id):
        concerned = entry.resource.kind in gone or entry.how == how
        if concerned and not entry.guest and entry.state is not EntryState.DELETED:
            deps.store.record(lab.id, replace(entry, state=EntryState.DELETED, changed_at=now, reason=""))


def learn(deps: Deps, lab: Lab, **facts: Any) -> Lab:
    """Keep facts (fields of ClusterFacts) on the lab in any phase: the teardown needs them."""
    return deps.store.change_lab(lab.id, lambda stored: replace(stored, facts=replace(stored.facts, **facts)))


def detail_of(deps: Deps, lab: Lab, workflow: str, name: str) -> str:
    """The detail of a step in the lab's present run; empty if it did not run."""
    steps = [
        step for step in deps.store.steps(lab.id) if (step.workflow, step.run, step.name) == (workflow, lab.run, name)
    ]
    return steps[-1].detail if steps else ""


def note_version(deps: Deps, lab_id: str, version: str) -> Lab:
    """Keep the Kubernetes version that EKS returned; a known version saves nothing."""

    def seen(stored: Lab) -> Lab:
        known = version in ("", stored.kubernetes_version)
        return stored if known else replace(stored, facts=replace(stored.facts, version=version))

    return deps.store.change_lab(lab_id, seen)


def close_steps(
    deps: Deps, lab: Lab, now: datetime, why: str, before: int | None = None, but: str | None = None
) -> None:
    """Close steps that no workflow is working on.

    `before`: only steps of earlier runs; `but`: the step of the present run that is running.
    """
    for step in deps.store.steps(lab.id):
        spared = (step.name, step.run) == (but, lab.run)
        if step.status is StepStatus.RUNNING and not spared and (before is None or step.run < before):
            closed = replace(
                step, status=StepStatus.SKIPPED, ended_at=now, detail=Sentence("Given up: {why}.", why=why)
            )
            deps.store.record_step(lab.id, closed)


def facts_of(failure: Failure) -> dict[str, str]:
    """The facts of a failure in the history: its code, who has to act, and AWS's own words."""
    return {"code": failure.code, "responsible": str(failure.responsible), "cause": failure.cause}


def move(
    deps: Deps,
    lab: Lab,
    frm: Iterable[Phase],
    change: Callable[[Lab], Lab],
    now: datetime,
    message: str,
    failure: Failure | None = None,
) -> Lab:
    """Change the lab's phase and write the history, with the failure that caused it.

    Raises Superseded if the lab is in none of the phases `frm`.
    """
    allowed = frozenset(frm)
    was = lab.phase

    def checked(stored: Lab) -> Lab:
        nonlocal was
        was = stored.phase
        if was not in allowed:
            raise Superseded(f"{stored.id} is {was}.")
        return change(stored)

    moved = deps.store.change_lab(lab.id, checked)
    if moved.phase is not was:
        facts = {"phase": str(moved.phase), **(facts_of(failure) if failure else {})}
        deps.store.add_event(lab.id, Event(now, "phase-changed", message, facts))
        if moved.phase in _NOBODY_AT_WORK:
            close_steps(deps, moved, now, Sentence("the workflow ended before this step did"))
        measure_move(deps, was, moved, now)
    return moved


def again(step: str, detail: str) -> StepResult:
    """Look again after the interval of this step's polling policy."""
    return StepResult(Result.AGAIN, detail, look_again_in=POLL_POLICIES[step].interval_seconds)


def again_or_stuck(step: str, attempt: int, detail: str) -> StepResult:
    """Look again, or give up after the step's last attempt."""
    if POLL_POLICIES[step].is_out(attempt):
        return StepResult(
            Result.STUCK,
            Sentence("After {minutes} minutes: {detail}", minutes=POLL_POLICIES[step].minutes, detail=detail),
        )
    return again(step, detail)


def again_or_failed(step: str, at: StepInput, what: str, detail: str) -> StepResult:
    """Look again. Raises ProvisioningFailed after the step's last attempt."""
    if POLL_POLICIES[step].is_out(at.attempt):
        raise ProvisioningFailed(explain_timeout(f"{what} ({detail})", POLL_POLICIES[step].minutes))
    return again(step, detail)
