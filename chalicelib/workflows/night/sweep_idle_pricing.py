"""What a lab costs an hour is kept on it, so that the sum over all labs is known without looking at them.

A lab is due when it has become ready, falls asleep or is changed: the sweep that looks at it next is the first to know its price.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.costs import hourly_cost
from chalicelib.domain.labs.lab import RESTING, Lab
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.region import Region

#: USD. Less is rounding.
_LEAST = 0.0001


def note_price(deps: Deps, region: Region, lab: Lab, now: datetime) -> None:
    """Keep what the lab costs as it is now, if that is not what is kept. Called last: it makes a new version of the lab."""
    usd = hourly_cost(lab, deps.curfew.prices(region.place.region), region.is_billed_extended(lab, now)).total
    if abs(usd - (lab.hourly_usd or 0.0)) < _LEAST:
        return
    deps.store.change_lab(
        lab.id, lambda stored: replace(stored, hourly_usd=round(usd, 6)) if stored.phase in RESTING else stored
    )
