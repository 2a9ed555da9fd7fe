"""Runs one workflow function as one Lambda invocation: load the lab, refuse when superseded, act, record, answer ASL.

Every handler of a step calls `run_step`. A final error (`ProvisioningFailed`, a refusal by AWS) is explained on the lab before
the state machine gets it. After a passing error (throttling, a fault of AWS, a new resource that AWS does not know yet) the step
runs again later. ASL's Retry is for the Lambda itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import Failure
from chalicelib.domain.core.sentence import Sentence, from_kept
from chalicelib.domain.errors.patience import Pause, Waited, pause_for
from chalicelib.domain.errors.tree import AwsRefused, EkslabError, ProvisioningFailed, Superseded, Throttled, Transient
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import ACTS_IN, STEPS, Event, Result, Step, StepResult, StepStatus
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps

#: Fields of a scheduled step's answer that its log line repeats.
_TOLD = ("outcome", "counts", "troubles", "undelivered", "dropped_events")
_STATUS = {
    Result.ASKED: StepStatus.RUNNING,
    Result.AGAIN: StepStatus.RUNNING,
    Result.DONE: StepStatus.DONE,
    Result.SKIPPED: StepStatus.SKIPPED,
    Result.STUCK: StepStatus.FAILED,
}
WatchFunction = Callable[[Deps, Mapping[str, Any], datetime], dict[str, object]]


@dataclass(frozen=True)
class StepInput:
    """The input of a workflow function: the stored lab, the number of earlier attempts, the time, the event, and the pauses
    (`waited`) that do not count as attempts."""

    lab: Lab
    attempt: int
    now: datetime
    event: Mapping[str, object]
    waited: Waited = Waited()


StepFunction = Callable[[Deps, StepInput], StepResult]


def run_step(deps: Deps, function: StepFunction, event: Mapping[str, object]) -> dict[str, object]:
    """Run `function` for the lab in `event["lab_id"]`; return `outcome`, `look_again_in`, `detail` for ASL.

    Raises Superseded when the lab's phase is no longer this workflow's, and the errors of the function.
    """
    workflow, lab_id = function.__module__.rpartition(".")[2], str(event["lab_id"])
    with step_lines(workflow, function.__name__, event, lab_id=lab_id):
        try:
            lab = deps.store.load_lab(lab_id)
        except Throttled as error:
            return _answer(_waited(pause_for(error, workflow, lab_id, Waited()), error))
        with logger.append_context_keys(run=lab.run):
            result = _run(deps, function, lab, workflow, event)
            logger.info("A step was run.", extra={"outcome": str(result.outcome), "reason": result.detail})
    return _answer(result)


def _answer(result: StepResult) -> dict[str, object]:
    own = {"outcome": str(result.outcome), "look_again_in": result.look_again_in, "detail": result.detail}
    return {**own, **result.facts}


def _run(deps: Deps, function: StepFunction, lab: Lab, workflow: str, event: Mapping[str, object]) -> StepResult:
    now = _time_of(deps, event)
    if lab.phase not in ACTS_IN[workflow]:
        raise Superseded(f"{workflow} may not act on {lab.id}: it is {lab.phase}.")
    step: Step | None = None
    try:
        step = _opened(deps, lab, workflow, function.__name__, now)
        given = StepInput(lab, step.attempts if step else 0, now, event, _waited_out(step))
        result = function(deps, given)
        _record(deps, lab, step, result, _time_of(deps, event))
    except (Transient, AwsRefused) as error:
        return _wait_out(deps, lab, workflow, step, error, now)
    except ProvisioningFailed as error:
        _record_failure(deps, lab, step, error, now)
        raise
    return result


def _wait_out(
    deps: Deps, lab: Lab, workflow: str, step: Step | None, error: Transient | AwsRefused, now: datetime
) -> StepResult:
    """Look again later if the error may pass; else record the refusal and raise the error.

    A hidden step counts no seconds: it waits out only throttling, which never fails a lab.
    """
    counted = step is not None or isinstance(error, Throttled)
    before = _waited_out(step)
    pause = pause_for(error, workflow, lab.id, before) if counted else None
    if pause is None:
        if isinstance(error, AwsRefused):
            _record_failure(deps, lab, step, error, now)
        raise error
    if step is not None:
        with suppress(Transient):
            deps.store.record_step(lab.id, replace(step, detail=pause.why, waited=before.and_now(pause).seconds))
    return _waited(pause, error)


def _waited_out(step: Step | None) -> Waited:
    return Waited(step.waited, step.detail) if step else Waited()


def _waited(pause: Pause | None, error: EkslabError) -> StepResult:
    if pause is None:
        raise error
    logger.info("An answer is waited out.", extra={"error": type(error).__name__, "reason": str(error)})
    return StepResult(Result.AGAIN, pause.why, look_again_in=pause.seconds)


def run_watch_step(deps: Deps, function: WatchFunction, event: Mapping[str, Any]) -> dict[str, object]:
    """Run a function of a scheduled workflow at `event["time"]`: it loads no lab and records nothing itself."""
    now = _time_of(deps, event).astimezone(UTC)
    with step_lines(function.__module__.rpartition(".")[2], function.__name__, event):
        answer = function(deps, event, now)
        text: dict[str, Any] = {name: answer[name] for name in _TOLD if name in answer}
        if "troubles" in text:
            text["troubles"] = [str(from_kept(each)) for each in text["troubles"]]
        logger.info("A step was run.", extra=text)
    return answer


def _time_of(deps: Deps, event: Mapping[str, object]) -> datetime:
    """The time that the schedule's event carried here (`time`, ISO 8601), else the clock's."""
    carried = event.get("time")
    return datetime.fromisoformat(carried) if isinstance(carried, str) else deps.clock.now()


def _opened(deps: Deps, lab: Lab, workflow: str, function: str, now: datetime) -> Step | None:
    """The visible step of this function, as recorded in this run or begun now; None if the function has none."""
    named = STEPS[workflow].get(function)
    if named is None:
        return None
    name, title = named
    for step in deps.store.steps(lab.id):
        if (step.workflow, step.run, step.name) == (workflow, lab.run, name):
            return step
    step = Step(workflow, name, title, StepStatus.RUNNING, started_at=now, run=lab.run)
    deps.store.record_step(lab.id, step)
    return step


def _record(deps: Deps, lab: Lab, step: Step | None, result: StepResult, now: datetime) -> None:
    if step is None:
        return
    status = _STATUS[result.outcome]
    ended = None if status is StepStatus.RUNNING else now
    deps.store.record_step(
        lab.id, replace(step, status=status, ended_at=ended, detail=result.detail, attempts=step.attempts + 1, waited=0)
    )
    sent_before = (step.status, step.detail) == (status, result.detail)
    if ended is not None and not sent_before:
        said = Sentence("{what}: {reason}", what=step.title, reason=result.detail or str(status))
        deps.store.add_event(lab.id, Event(now, f"step-{status}", said))


def _record_failure(
    deps: Deps, lab: Lab, step: Step | None, error: ProvisioningFailed | AwsRefused, now: datetime
) -> None:
    from chalicelib.domain.errors.explain import explain

    failure: Failure = error.failure if isinstance(error, ProvisioningFailed) else explain(error.code, error.message)
    sent_before = step is not None and (step.status, step.detail) == (StepStatus.FAILED, failure.reason)
    if step is not None:
        deps.store.record_step(
            lab.id,
            replace(step, status=StepStatus.FAILED, ended_at=now, detail=failure.reason, attempts=step.attempts + 1),
        )
    deps.store.change_lab(
        lab.id,
        lambda stored: (
            stored if stored.reason else replace(stored, reason=failure.reason, responsible=failure.responsible)
        ),
    )
    if not sent_before:
        facts = {"code": failure.code, "responsible": str(failure.responsible), "cause": failure.cause}
        why = failure.reason
        said = Sentence("{what}: {reason}", what=step.title, reason=why) if step is not None else why
        deps.store.add_event(lab.id, Event(now, "step-failed", said, facts))


@contextmanager
def step_lines(workflow: str, step: str, event: Mapping[str, Any], **more: object) -> Iterator[None]:
    """Add the step and the execution to each log line inside, and log a failure of the step."""
    began = (event.get("started_with") or {}).get("request_id") or None
    keys = {"correlation_id": began, "workflow": workflow, "step": step, "execution": event.get("execution"), **more}
    with logger.append_context_keys(**keys):
        try:
            yield
        except Superseded as error:
            logger.info("A step was superseded.", extra={"reason": str(error)})
            raise
        except EkslabError as error:
            logger.warning("A step failed.", extra={"error": type(error).__name__, "reason": str(error)})
            raise
        except Exception as error:
            logger.exception("A step failed unexpectedly.", extra={"error": type(error).__name__})
            raise
