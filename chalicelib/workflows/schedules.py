"""Handlers of schedules and events: the daily watch, the hourly curfew run, and AWS Health events.

`app.py`'s schedules and rule call these functions; no state machine does. A schedule event that comes twice starts one run:
executions are named by their day or hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.errors.tree import EkslabError, Superseded
from chalicelib.domain.labs.hibernation import awakened, sleeps_not
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.labs.recovery import WORKFLOW_OF, RecoveryAction, RecoveryDecision, decide_tending
from chalicelib.domain.labs.steps import Event, Execution, execution_name
from chalicelib.domain.support.health_events import merged, parse
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.workflows.collection import collect_proofs
from chalicelib.workflows.costs.approval import tend_awaiting
from chalicelib.workflows.costs.limit import ask_at_limits
from chalicelib.workflows.costs.month import tell_month
from chalicelib.workflows.invitations import send_invitations
from chalicelib.workflows.night.send import send_posts
from chalicelib.workflows.shared.records import WATCH, close_steps, move

#: Labs that one run looks at; the next run looks at the others.
_AT_ONCE = 50
_STARTING = frozenset(
    {
        RecoveryAction.START,
        RecoveryAction.RESTART,
        RecoveryAction.ROLL_BACK,
        RecoveryAction.WAKE,
        RecoveryAction.RELEASE,
    }
)
#: The interval of the daily looks at unsettled leftovers.
_A_DAY = timedelta(days=1)
_SILENT = frozenset({RecoveryAction.WAIT, RecoveryAction.REST})


def start_watch_support(deps: Deps, time: str | None = None) -> dict[str, object]:
    """Start the day's run of the support watch at `time` (ISO 8601, the schedule event's; else the clock's now)."""
    now = (datetime.fromisoformat(time) if time else deps.clock.now()).astimezone(UTC)
    name = f"watch-{now:%Y-%m-%d}"
    deps.workflows.start("watch_support", name, {"time": now.isoformat()})
    return {"execution": name, "time": now.isoformat()}


def start_curfew(deps: Deps, time: str | None = None) -> dict[str, object]:
    """Start the hourly curfew run at `time` (ISO 8601, the schedule event's; else the clock's now)."""
    now = (datetime.fromisoformat(time) if time else deps.clock.now()).astimezone(UTC)
    name = f"curfew-{now:%Y-%m-%dT%H}"
    deps.workflows.start("curfew", name, {"time": now.isoformat()})
    return {"execution": name, "time": now.isoformat()}


def take_health_event(deps: Deps, event: Mapping[str, Any]) -> dict[str, object]:
    """Record AWS Health's events for the watched clusters they name; events repeat until they end, so others are ignored."""
    message = parse(event)
    if message is None:
        return {"taken": False, "reason": "It is not about the life of an EKS version."}
    keys = (*message.pending, *message.resolved)
    known = [key for key in keys if deps.watch.store.watched(key) is not None]
    for key in known:
        deps.watch.store.change_watched(key, lambda kept: None if kept is None else merged(kept, message))
    return {"taken": True, "clusters": len(known), "unknown": len(keys) - len(known)}


def recover_labs(deps: Deps, time: str | None = None) -> dict[str, Any]:
    """Do the work that is due at `time` (ISO 8601, the schedule event's; else the clock's now); return each lab, act and reason."""
    now = datetime.fromisoformat(time).astimezone(UTC) if time else deps.clock.now()
    done: list[dict[str, str]] = []
    failed: list[dict[str, str]] = []
    due = deps.store.labs_due(now, _AT_ONCE)
    with _part("blocked labs", failed):
        due += _blocked_long_enough(deps, now)
    for lab_id in due:
        try:
            decision = _tend(deps, lab_id, now)
            done.append({"lab_id": lab_id, "act": str(decision.action), "reason": decision.reason})
        except EkslabError as error:
            failed.append(_failure(lab_id, error, str(error)))
            message = {"lab_id": lab_id, "error": type(error).__name__, "reason": str(error)}
            logger.warning("A lab could not be tended.", extra=message)
            _put_off(deps, lab_id, now, failed)
    with _part("labs whose proofs are collected", failed):
        failed += collect_proofs(deps, now)
    _write_to_people(deps, now, failed)
    deps.store.note_run(Run("recover_labs", now, "stuck" if failed else "done"))
    return {"now": now.isoformat(), "done": done, "failed": failed}


def _write_to_people(deps: Deps, now: datetime, failed: list[dict[str, str]]) -> None:
    with _part("invitations", failed):
        failed += send_invitations(deps, now)
    with _part("a month's costs", failed):
        tell_month(deps, now)
    with _part("ceilings of a month", failed):
        ask_at_limits(deps, now)
    failed += [{"lab_id": "", "error": "Untold", "message": trouble} for trouble in send_posts(deps, now)]


@contextmanager
def _part(what: str, failed: list[dict[str, str]]) -> Iterator[None]:
    """A part of the run. If it fails, that is a line in `failed`, and the rest of the run goes on."""
    try:
        yield
    except EkslabError as error:
        failed.append(_failure("", error, f"{what}: {error}"))
        logger.warning("A part of the run was lost.", extra={"part": what, "reason": str(error)})


def _blocked_long_enough(deps: Deps, now: datetime) -> tuple[str, ...]:
    """The labs whose teardown is due for another try, longest blocked first."""
    blocked = deps.curfew.store.blocked(_AT_ONCE)
    actions = ((lab.id, decide_tending(lab, Execution.ABSENT, now).action) for lab in blocked)
    return tuple(lab_id for lab_id, action in actions if action is RecoveryAction.RELEASE)


def _tend(deps: Deps, lab_id: str, now: datetime) -> RecoveryDecision:
    """Decide from the stored lab, not from the index, which may lag; act only if the lab did not change meanwhile."""
    lab = deps.store.load_lab(lab_id)
    if lab.phase is not Phase.BLOCKED and (lab.due_at is None or lab.due_at > now):
        return RecoveryDecision(RecoveryAction.WAIT, Sentence("It is not due any more."))
    if lab.phase is Phase.AWAITING_APPROVAL and lab.approval is not None:
        return RecoveryDecision(RecoveryAction.WAIT, tend_awaiting(deps, lab, lab.approval, now))

    def changed_since(stored: Lab) -> Lab:
        if stored.version != lab.version:
            raise Superseded(f"{lab.id} was changed by someone else meanwhile.")
        return _changed(stored, decision, now)

    workflow = WORKFLOW_OF.get(lab.phase)
    name = execution_name(lab, workflow) if workflow else ""
    execution = deps.workflows.execution(workflow, name) if workflow else Execution.ABSENT
    decision = decide_tending(lab, execution, now)
    changed = move(deps, lab, (lab.phase,), changed_since, now, decision.reason)
    if decision.action not in _SILENT:
        message = {"lab_id": lab.id, "act": str(decision.action), "reason": decision.reason}
        logger.info("A lab was tended.", extra=message)
    if decision.action not in _SILENT and changed.phase is lab.phase:
        facts = {"act": str(decision.action)}
        deps.store.add_event(lab.id, Event(now, "tended", decision.reason, facts))
    if decision.action is RecoveryAction.RESTART:
        close_steps(deps, changed, now, Sentence("the workflow ended before this step did"), before=changed.run)
    if decision.action in _STARTING:
        workflow = WORKFLOW_OF[changed.phase]
        payload = {"lab_id": lab.id, "time": now.isoformat()}
        deps.workflows.start(workflow, execution_name(changed, workflow), payload)
    return decision


def _changed(stored: Lab, decision: RecoveryDecision, now: datetime) -> Lab:
    """The lab after the act. The next run checks each workflow that was started; a new run has a new name."""
    watched = replace(stored, due_at=now + (_A_DAY if stored.unsettled and stored.phase in OVER else WATCH))
    anew = replace(watched, run=stored.run + 1)
    why = decision.reason
    reason, responsible = stored.reason or why, stored.responsible or Responsible.OURS
    acts: Mapping[RecoveryAction, Callable[[], Lab]] = {
        RecoveryAction.WAIT: lambda: watched,
        RecoveryAction.REST: lambda: replace(stored, due_at=now),
        RecoveryAction.START: lambda: watched,
        RecoveryAction.RESTART: lambda: anew,
        RecoveryAction.ROLL_BACK: lambda: anew.moved_to(Phase.ROLLING_BACK, now, reason, responsible),
        RecoveryAction.GIVE_UP_CHANGE: lambda: replace(
            stored.moved_to(Phase.READY, now, why, Responsible.OURS), change=None, due_at=now
        ),
        RecoveryAction.WAKE: lambda: replace(awakened(watched, now), reason=reason, responsible=responsible),
        RecoveryAction.GIVE_UP_WAKING: lambda: replace(
            stored.moved_to(Phase.READY if sleeps_not(stored) else Phase.HIBERNATED, now, reason, responsible),
            hibernation=None if sleeps_not(stored) else stored.hibernation,
            due_at=now,
        ),
        RecoveryAction.BLOCK: lambda: replace(stored.moved_to(Phase.BLOCKED, now, why, Responsible.OURS), due_at=None),
        RecoveryAction.RELEASE: lambda: anew.moved_to(Phase.RELEASING, now),
        RecoveryAction.FORGET: lambda: replace(stored, due_at=None),
    }
    return acts[decision.action]()


def _put_off(deps: Deps, lab_id: str, now: datetime, failed: list[dict[str, str]]) -> None:
    """Move a failing lab to the end of the queue, so that it does not block the others."""
    try:
        deps.store.change_lab(lab_id, lambda stored: replace(stored, due_at=now + WATCH) if stored.due_at else stored)
    except EkslabError as error:
        failed.append(_failure(lab_id, error, f"Not even put off: {error}"))


def _failure(lab_id: str, error: EkslabError, message: str) -> dict[str, str]:
    return {"lab_id": lab_id, "error": type(error).__name__, "message": message}
