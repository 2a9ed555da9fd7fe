"""The Lambdas of schedules, rules and a topic: they start the daily watch and the hourly curfew run, and take events of AWS Health
and SES."""

from __future__ import annotations

from typing import Any

from chalicelib.handlers.factory import handler
from chalicelib.wiring.deps import get_deps
from chalicelib.workflows import schedules

start_watch_support = handler(
    "start_watch_support", lambda event: schedules.start_watch_support(get_deps(), event.get("time"))
)
start_curfew = handler("start_curfew", lambda event: schedules.start_curfew(get_deps(), event.get("time")))
take_health_event = handler("take_health_event", lambda event: schedules.take_health_event(get_deps(), event))


recover_labs = handler("recover_labs", lambda event: schedules.recover_labs(get_deps(), event.get("time")))


def _take_mail_event(event: dict[str, Any]) -> dict[str, Any]:
    from chalicelib.workflows.mail_events import take_mail_events

    return take_mail_events(get_deps(), event)


take_mail_event = handler("take_mail_event", _take_mail_event)
