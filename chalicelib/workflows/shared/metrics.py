"""Metrics of workflows: measured where a lab's phase changes, and where a scheduled run ends."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.metrics import Metric, emit
from chalicelib.ports.deps import Deps

#: The most blocked labs that are counted.
MOST_BLOCKED = 100
_MAKING = (Phase.REQUESTED, Phase.PROVISIONING)


def measure_move(deps: Deps, was: Phase, lab: Lab, now: datetime) -> None:
    """Measure how long a lab took to become ready, and count a blocked lab at once."""
    if was in _MAKING and lab.phase is Phase.READY:
        emit(deps.curfew.installation, {Metric.MINUTES_TO_READY: (now - lab.created_at).total_seconds() / 60})
    if lab.phase is Phase.BLOCKED:
        emit(deps.curfew.installation, {Metric.BLOCKED_LABS: 1})


def measure_labs(deps: Deps) -> None:
    """Measure the number of labs by phase, and their cost an hour. Reads counters, and the blocked labs."""
    stack, running = deps.curfew.installation, deps.curfew.store.running()
    blocked = len(deps.curfew.store.blocked(MOST_BLOCKED))
    emit(stack, {Metric.BLOCKED_LABS: blocked, Metric.HOURLY_USD: running.hourly_usd})
    for phase, labs in running.phases.items():
        emit(stack, {Metric.LABS: labs}, phase=str(phase))


def measure_warnings(deps: Deps, undelivered: int) -> None:
    """Measure the number of owners whom a curfew run could not warn."""
    emit(deps.curfew.installation, {Metric.UNDELIVERED_WARNINGS: undelivered})


def measure_watch(deps: Deps, most: int) -> None:
    """Measure how many notices are still pending after all sending, at most `most`. Reads only pending ones."""
    emit(deps.curfew.installation, {Metric.NOTICES_LATE: len(deps.watch.store.pending_notices(most))})
