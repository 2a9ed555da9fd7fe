"""What events start: the support watch, once a day, the sweep, once an hour, and the taking in of what AWS Health says.

Called by `app.py`'s schedules and rule; no state machines here. A schedule event that comes twice is one run: executions are
named by their day, or hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.support.health_events import merged, parse
from chalicelib.ports.deps import Deps


def start_watch_support(deps: Deps, time: str | None = None) -> dict[str, object]:
    """Start the day's run of the support watch at `time` (ISO 8601, the schedule event's; else the clock's now)."""
    now = (datetime.fromisoformat(time) if time else deps.clock.now()).astimezone(UTC)
    name = f"watch-{now:%Y-%m-%d}"
    deps.workflows.start("watch_support", name, {"time": now.isoformat()})
    return {"execution": name, "time": now.isoformat()}


def start_sweep_idle(deps: Deps, time: str | None = None) -> dict[str, object]:
    """Start the hour's sweep at `time` (ISO 8601, the schedule event's; else the clock's now)."""
    now = (datetime.fromisoformat(time) if time else deps.clock.now()).astimezone(UTC)
    name = f"sweep-{now:%Y-%m-%dT%H}"
    deps.workflows.start("sweep_idle", name, {"time": now.isoformat()})
    return {"execution": name, "time": now.isoformat()}


def take_health_event(deps: Deps, event: Mapping[str, Any]) -> dict[str, object]:
    """Note AWS Health's word on the clusters it names; clusters that are not watched are left to later events, which repeat."""
    told = parse(event)
    if told is None:
        return {"taken": False, "reason": "It is not about the life of an EKS version."}
    keys = (*told.pending, *told.resolved)
    known = [key for key in keys if deps.watch.store.watched(key) is not None]
    for key in known:
        deps.watch.store.change_watched(key, lambda kept: None if kept is None else merged(kept, told))
    return {"taken": True, "clusters": len(known), "unknown": len(keys) - len(known)}
