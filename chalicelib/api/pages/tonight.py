"""Tonight's plan for people: the labs that end or sleep, the times, the reasons, and the outcomes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from chalice import Response

from chalicelib.api.inputs.curfew_params import read_day
from chalicelib.api.inputs.params import refuse
from chalicelib.api.pages.visit import Visit
from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.errors.findings import error
from chalicelib.services.curfew.plans import lines_of

_LIMIT = 100
#: An entry's id (`Entry.id`).
_ENTRY = pattern(r"[0-9TZ:-]{20}#lab-[a-z0-9]{1,20}")


def show_tonight(visit: Visit) -> Response:
    """The plan of today in the installation's zone, or of the query's date."""
    zone = visit.deps.curfew.zone
    asked = visit.query.get("night")
    night = read_day(asked) if asked else visit.now.astimezone(ZoneInfo(zone)).date()
    after = visit.query.get("after") or None
    if after and not _ENTRY.fullmatch(after):
        refuse([error("after", "bad-cursor", "This link is not one that this page gave out.")])
    view = lines_of(visit.deps, visit.caller, night, _LIMIT, after)
    return visit.show("tonight.html", view=view, zone=zone)
