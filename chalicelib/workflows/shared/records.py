"""How workflow functions write down what they learn: on the ledger, in the lab's facts, in its phase and history.

Everything here may run twice. A change of phase is refused (`Superseded`) when the lab has moved on in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.core.failure import Failure
from chalicelib.domain.core.proof import Proof
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.errors.explain import explain_timeout
from chalicelib.domain.errors.tree import ProvisioningFailed, Superseded
from chalicelib.domain.labs.lab import OVER, RESTING, Lab, Phase
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.steps import Event, Result, StepResult, StepStatus
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.metrics import measure_move
from chalicelib.workflows.shared.runner import StepInput

#: How often the scheduled run makes sure that a lab's workflow is alive.
WATCH = timedelta(minutes=5)
#: No workflow is at a step of a lab that is like this.
_NOBODY_AT_WORK = RESTING | OVER | {Phase.BLOCKED}


def enter(
    deps: Deps,
    lab: Lab,
    resources: Iterable[Resource],
    state: EntryState,
    now: datetime,
    how: str,
    reason: str = "",
    proof: Proof | None = None,
) -> None:
    """Put resources on the lab's ledger, or bring their entries up to date. A guest's entry stays a guest's."""
    known = {entry.resource.arn: entry for entry in deps.store.ledger(lab.id)}
    for resource in resources:
        entry = known.get(resource.arn)
        if entry is None:
            fresh = LedgerEntry(resource, state, how, recorded_at=now, changed_at=now, reason=reason, proof=proof)
            deps.store.record(lab.id, fresh)
        elif not entry.guest:
            told = _proved(
                replace(entry, resource=_merged(entry.resource, resource), state=state, reason=reason), how, proof
            )
            if told != entry:
                deps.store.record(lab.id, replace(told, changed_at=now))


def _proved(entry: LedgerEntry, how: str, proof: Proof | None) -> LedgerEntry:
    """With how we know it to be the lab's, where that was not known before."""
    return entry if entry.grounds is not None else replace(entry, how=how, proof=proof)


def _merged(old: Resource, new: Resource) -> Resource:
    """What is known of a thing now; nothing that was known before is forgotten."""
    created_at = new.created_at or old.created_at
    attributes = {**old.attributes, **new.attributes}
    return replace(new, tags={**old.tags, **new.tags}, attributes=attributes, created_at=created_at)


def enter_guest(deps: Deps, lab: Lab, resources: Iterable[Resource], now: datetime, how: str, reason: str) -> None:
    """Put on the ledger what the lab only uses, or what turned out to be someone else's: it is there to be kept."""
    for resource in resources:
        deps.store.record(lab.id, LedgerEntry(resource, EntryState.KEPT, how, now, now, reason=reason, guest=True))


def settle(deps: Deps, lab: Lab, kinds: Iterable[Kind], now: datetime, how: str | None = None) -> None:
    """Mark the lab's own entries of these kinds, or those that are ours by `how`, as deleted: they went with something."""
    gone = set(kinds)
    for entry in deps.store.ledger(lab.id):
        concerned = entry.resource.kind in gone or entry.how == how
        if concerned and not entry.guest and entry.state is not EntryState.DELETED:
            deps.store.record(lab.id, replace(entry, state=EntryState.DELETED, changed_at=now, reason=""))


def learn(deps: Deps, lab: Lab, **facts: Any) -> Lab:
    """Keep facts (fields of ClusterFacts) on the lab, whatever its phase: teardown needs them most."""
    return deps.store.change_lab(lab.id, lambda stored: replace(stored, facts=replace(stored.facts, **facts)))


def detail_of(deps: Deps, lab: Lab, workflow: str, name: str) -> str:
    """What a step of the lab's present run ended with; empty where it did not run."""
    steps = [
        step for step in deps.store.steps(lab.id) if (step.workflow, step.run, step.name) == (workflow, lab.run, name)
    ]
    return steps[-1].detail if steps else ""


def note_version(deps: Deps, lab_id: str, version: str) -> Lab:
    """Keep which Kubernetes EKS tells that a lab's cluster runs; nothing is saved where that is known."""

    def seen(stored: Lab) -> Lab:
        known = version in ("", stored.kubernetes_version)
        return stored if known else replace(stored, facts=replace(stored.facts, version=version))

    return deps.store.change_lab(lab_id, seen)


def close_steps(
    deps: Deps, lab: Lab, now: datetime, why: str, before: int | None = None, but: str | None = None
) -> None:
    """Say of steps that were left half done that nobody is at them any more.

    `before`: only those of runs before this one; `but`: the step of the lab's present run that somebody is at.
    """
    for step in deps.store.steps(lab.id):
        spared = (step.name, step.run) == (but, lab.run)
        if step.status is StepStatus.RUNNING and not spared and (before is None or step.run < before):
            closed = replace(step, status=StepStatus.SKIPPED, ended_at=now, detail=f"Given up: {why}.")
            deps.store.record_step(lab.id, closed)


def facts_of(failure: Failure) -> dict[str, str]:
    """What a line of history tells of a failure beside its sentence: its code, who has to act, and AWS's own words."""
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
    """Change the lab's phase and tell its history, with the failure that made it so.

    Raises Superseded when the lab is in none of the phases `frm`.
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
            close_steps(deps, moved, now, "the workflow ended before this step did")
        measure_move(deps, was, moved, now)
    return moved


def again(step: str, detail: str) -> StepResult:
    """Look again after as long as this step's polling policy says."""
    return StepResult(Result.AGAIN, detail, look_again_in=POLL_POLICIES[step].interval_seconds)


def again_or_stuck(step: str, attempt: int, detail: str) -> StepResult:
    """Look again, or give up when the step has looked as often as it may."""
    if POLL_POLICIES[step].is_out(attempt):
        return StepResult(Result.STUCK, f"After {POLL_POLICIES[step].minutes} minutes: {detail}")
    return again(step, detail)


def again_or_failed(step: str, at: StepInput, what: str, detail: str) -> StepResult:
    """Look again; raises ProvisioningFailed when the step has looked as often as it may."""
    if POLL_POLICIES[step].is_out(at.attempt):
        raise ProvisioningFailed(explain_timeout(f"{what} ({detail})", POLL_POLICIES[step].minutes))
    return again(step, detail)
