"""The table of contents of everything deployed: the routes, one Lambda per workflow step, the schedules.

No decisions here. Importing this file does no I/O and needs no environment variable: `chalice package` imports it. No Lambda
does: each opens its own door in `chalicelib/doors/`, and imports what is behind that one.
"""

from __future__ import annotations

from types import ModuleType

from chalice import Blueprint, Chalice, Rate

from chalicelib.handlers import (
    api,
    hibernate,
    inspect,
    provision,
    sweep_idle,
    teardown,
    tend,
    update,
    wake,
    watch_support,
)
from chalicelib.handlers import schedules as starting
from chalicelib.handlers.factory import handlers_of

app: Chalice = api.app


def _door(module: ModuleType) -> Blueprint:
    """Chalice names a blueprint's handlers by the blueprint's module, and that is where Lambda finds them."""
    return Blueprint(module.__name__)


for steps in (provision, update, hibernate, wake, teardown, inspect, watch_support, sweep_idle):
    door = _door(steps)
    for step in handlers_of(steps):
        door.lambda_function(name=step.__name__)(step)
    app.register_blueprint(door)

tending = _door(tend)
tending.schedule(Rate(5, unit=Rate.MINUTES), name="tend_labs")(tend.tend_labs)
app.register_blueprint(tending)

schedules = _door(starting)
schedules.schedule(Rate(1, unit=Rate.DAYS), name="start_watch_support")(starting.start_watch_support)
schedules.schedule(Rate(1, unit=Rate.HOURS), name="start_sweep_idle")(starting.start_sweep_idle)
schedules.on_cw_event({"source": ["aws.health"], "detail-type": ["AWS Health Event"]}, name="take_health_event")(
    starting.take_health_event
)
app.register_blueprint(schedules)
