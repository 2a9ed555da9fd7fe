"""The table of contents of everything deployed: the routes, one Lambda per workflow step, the schedules.

No decisions here. Importing this file does no I/O and needs no environment variable: `chalice package` imports it. No Lambda
does: each imports only its own module of `chalicelib/handlers/`.
"""

from __future__ import annotations

from types import ModuleType

from chalice import Blueprint, Chalice, Rate

from chalicelib.handlers import (
    api,
    curfew,
    hibernate,
    provision,
    schedules,
    teardown,
    update,
    verify_deletion,
    wake,
    watch_support,
)
from chalicelib.handlers.factory import handlers_of

app: Chalice = api.app


def _blueprint(module: ModuleType) -> Blueprint:
    """Chalice names a blueprint's handlers by the blueprint's module, in which Lambda looks them up."""
    return Blueprint(module.__name__)


for workflow in (provision, update, hibernate, wake, teardown, verify_deletion, watch_support, curfew):
    steps = _blueprint(workflow)
    for step in handlers_of(workflow):
        steps.lambda_function(name=step.__name__)(step)
    app.register_blueprint(steps)

scheduled = _blueprint(schedules)
scheduled.schedule(Rate(5, unit=Rate.MINUTES), name="recover_labs")(schedules.recover_labs)
scheduled.schedule(Rate(1, unit=Rate.DAYS), name="start_watch_support")(schedules.start_watch_support)
scheduled.schedule(Rate(1, unit=Rate.HOURS), name="start_curfew")(schedules.start_curfew)
scheduled.on_cw_event({"source": ["aws.health"], "detail-type": ["AWS Health Event"]}, name="take_health_event")(
    schedules.take_health_event
)
scheduled.lambda_function(name="take_mail_event")(schedules.take_mail_event)
app.register_blueprint(scheduled)
