"""The Lambdas that schedules and rules call: they start the day's watch and the hour's sweep, and take AWS Health's word."""

from __future__ import annotations

from chalicelib.handlers.factory import handler
from chalicelib.wiring.deps import get_deps
from chalicelib.workflows import schedules

start_watch_support = handler(
    "start_watch_support", lambda event: schedules.start_watch_support(get_deps(), event.get("time"))
)
start_sweep_idle = handler("start_sweep_idle", lambda event: schedules.start_sweep_idle(get_deps(), event.get("time")))
take_health_event = handler("take_health_event", lambda event: schedules.take_health_event(get_deps(), event))


tend_labs = handler("tend_labs", lambda event: schedules.run(get_deps(), event.get("time")))
