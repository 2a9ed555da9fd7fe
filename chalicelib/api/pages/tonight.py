"""Tonight's plan as people read it: which labs end or sleep, when, why, and what has become of each."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from chalice import Response

from chalicelib.api.inputs.curfew_params import read_day
from chalicelib.api.pages.visit import Visit
from chalicelib.services.curfew.plans import lines_of


def show_tonight(visit: Visit) -> Response:
    """The plan of the day that it is in the installation's zone, or of the one in the query."""
    zone = visit.deps.curfew.zone
    asked = visit.query.get("night")
    night = read_day(asked) if asked else visit.now.astimezone(ZoneInfo(zone)).date()
    view = lines_of(visit.deps, visit.caller, night)
    return visit.show("tonight.html", view=view, zone=zone)
