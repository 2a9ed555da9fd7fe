"""An evening as `GET` answers with it: in the words of `POST /labs` and `PUT /labs/{id}/evening`, so that it can be sent again."""

from __future__ import annotations

from typing import Any

from chalicelib.api.views.json_format import instant
from chalicelib.domain.labs.schedule import Evening, Night, local_told
from chalicelib.domain.requests.schedule_input import WEEKDAYS


def evening_view(evening: Evening) -> dict[str, Any]:
    """Every field said."""
    return {
        "timeZone": evening.time_zone,
        "curfew": f"{evening.curfew:%H:%M}",
        "weekdays": [WEEKDAYS[number] for number in evening.weekdays],
        "holidays": evening.holidays,
        "quietDates": [day.isoformat() for day in evening.quiet_dates],
        "atCurfew": str(evening.at_curfew),
        "wake": f"{evening.wake:%H:%M}" if evening.wake else None,
    }


def night_view(night: Night | None, evening: Evening) -> dict[str, Any] | None:
    """The next curfew: its local day, the instant, and the instant as its owner's clock shows it."""
    if night is None:
        return None
    return {"date": night.day.isoformat(), "at": instant(night.at), "local": local_told(evening, night.at)}
