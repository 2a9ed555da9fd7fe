"""What events start: the support watch, once a day, and the taking in of what AWS Health says. No state machines here.

Called by `app.py`'s schedule and rule. A schedule event that comes twice is one run: executions are named by their day.
"""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.ports import Deps


def start_watch_support(deps: Deps, time: str | None = None) -> dict[str, object]:
    """Start the day's run of the support watch at `time` (ISO 8601, the schedule event's; else the clock's now)."""
    now = (datetime.fromisoformat(time) if time else deps.clock.now()).astimezone(UTC)
    name = f"watch-{now:%Y-%m-%d}"
    deps.workflows.start("watch_support", name, {"time": now.isoformat()})
    return {"execution": name, "time": now.isoformat()}
