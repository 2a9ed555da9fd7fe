"""An evening as `GET` answers with it: in the words of `POST /labs` and `PUT /labs/{id}/evening`, so that it can be sent again."""

from __future__ import annotations

from typing import Any

from chalicelib.api.views.json_format import instant
from chalicelib.domain.labs.schedule import Night, Schedule, format_local
from chalicelib.domain.requests.schedule_input import WEEKDAYS


def schedule_view(schedule: Schedule) -> dict[str, Any]:
    """Every field said."""
    return {
        "timeZone": schedule.time_zone,
        "curfew": f"{schedule.curfew:%H:%M}",
        "weekdays": [WEEKDAYS[number] for number in schedule.weekdays],
        "holidays": schedule.holidays,
        "quietDates": [day.isoformat() for day in schedule.quiet_dates],
        "atCurfew": str(schedule.at_curfew),
        "wake": f"{schedule.wake:%H:%M}" if schedule.wake else None,
    }


def night_view(night: Night | None, schedule: Schedule) -> dict[str, Any] | None:
    """The next curfew: its local day, the instant, and the instant as its owner's clock shows it."""
    if night is None:
        return None
    return {"date": night.day.isoformat(), "at": instant(night.at), "local": format_local(schedule, night.at)}
