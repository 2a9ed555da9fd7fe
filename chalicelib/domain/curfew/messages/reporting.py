"""When administrators get a night's report: after the report hour of the next day, once everything on its plan is settled.

What is still open a day later is told as it is then. Nights that nobody reported, for the sweep did not run, are made up for.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.curfew.plan import SETTLED, Plan

#: How many nights back an unsent report is made up for.
BACK = 3


def nights_to_report(now: datetime, zone: str, hour: int) -> tuple[date, ...]:
    """The nights whose report hour has passed in the installation's zone, newest first."""
    local = now.astimezone(ZoneInfo(zone))
    newest = local.date() - timedelta(days=1 if local.hour >= hour else 2)
    return tuple(newest - timedelta(days=back) for back in range(BACK))


def is_settled(plan: Plan) -> bool:
    """Whether nothing more happens on this plan."""
    return all(fate.outcome in SETTLED for _, fate in plan.lines)
