"""Judges the service's own health: scheduled runs must have ended lately, and AWS services it needs must answer.

Called by `GET /health`. The limits are those of the alarms of the same names (docs/how-to/runbook.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instants import format_instant
from chalicelib.domain.core.sentence import Sentence

#: The version of the service and of the command line, as in CHANGELOG.md.
VERSION = "0.2.0"
#: Scheduled workflows, and the longest time since their last run.
EXPECTED = {
    "recover_labs": timedelta(minutes=30),
    "curfew": timedelta(hours=3),
    "watch_support": timedelta(hours=26),
}
WHOLE = "done"


@dataclass(frozen=True)
class Run:
    """The last completed run. `at`: its schedule's time. `outcome`: `done`, or `stuck` if part of it was lost."""

    workflow: str
    at: datetime
    outcome: str


class HealthStatus(StrEnum):
    """`degraded`: an operator has to act; `reasons` say why."""

    OK = "ok"
    DEGRADED = "degraded"


@dataclass(frozen=True)
class Health:
    """The whole answer. `runs`: the expected ones that have run."""

    status: HealthStatus
    reasons: tuple[str, ...]
    runs: tuple[Run, ...]


def judge_health(runs: Iterable[Run] | None, troubles: Sequence[str], now: datetime) -> Health:
    """`runs`: the last of each, None if unreadable; `troubles`: a sentence for each source that did not answer."""
    if runs is None:
        return Health(HealthStatus.DEGRADED, tuple(troubles), ())
    last = {run.workflow: run for run in runs if run.workflow in EXPECTED}
    reasons = [*troubles, *(why for workflow in EXPECTED if (why := _why(workflow, last.get(workflow), now)))]
    status = HealthStatus.DEGRADED if reasons else HealthStatus.OK
    return Health(status, tuple(reasons), tuple(last[workflow] for workflow in EXPECTED if workflow in last))


def _why(workflow: str, run: Run | None, now: datetime) -> str:
    """Why this run makes the service degraded; empty if it does not."""
    if run is None:
        return Sentence("{workflow} has not come to an end of a run yet.", workflow=workflow)
    if now - run.at > EXPECTED[workflow]:
        return Sentence(
            "{workflow} ran last at {at}; it should have since.", workflow=workflow, at=format_instant(run.at)
        )
    if run.outcome != WHOLE:
        said = Sentence("The last run of {workflow}, at {at}, was not whole: {outcome}.")
        return said.with_slots(workflow=workflow, at=format_instant(run.at), outcome=run.outcome)
    return ""
