"""The route of the service's own health."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.views.json_format import instant
from chalicelib.domain.core.service_health import EXPECTED, VERSION, Health, Run
from chalicelib.services.health import health_of


def route_health(context: RequestContext) -> None:
    """Register the route."""

    @context.route("GET", "/health", "Health of the service", (200, "`ok` or `degraded`"))
    def get_health() -> Response:
        now = context.deps.clock.now()
        return json_answer(health_view(health_of(context.deps, now), now))


def health_view(health: Health, now: datetime) -> dict[str, Any]:
    """Always 200: read `status` for the health. Ages are whole minutes."""
    return {
        "status": str(health.status),
        "reasons": list(health.reasons),
        "version": VERSION,
        "checkedAt": instant(now),
        "runs": [_run_view(run, now) for run in health.runs],
    }


def _run_view(run: Run, now: datetime) -> dict[str, Any]:
    return {
        "workflow": run.workflow,
        "at": instant(run.at),
        "outcome": run.outcome,
        "ageMinutes": int((now - run.at).total_seconds() // 60),
        "mostMinutes": int(EXPECTED[run.workflow].total_seconds() // 60),
    }
