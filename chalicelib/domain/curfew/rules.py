"""How curfew works in this installation: the stop switch, the brake, and the times everything is counted from.

Administrators change it with `PUT /curfew`; it is read again right before every act, so it works at once.
"""

from __future__ import annotations

import math
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass


class Mode(StrEnum):
    """DRY_RUN plans and reports, and neither warns nor touches anything. OFF does nothing at all but report that it is off."""

    ON = "on"
    DRY_RUN = "dry-run"
    OFF = "off"


@dataclass(frozen=True)
class CurfewRules:
    """Hours unless said otherwise. `max_percent` of the labs alive and `max_count` bound what one night may take.

    `lead_hours`: how long before curfew the plan is published. `notice_minutes`: how long a delivered warning must be out
    before the lab may be touched. `window_hours`: over which signals must agree. `young_hours`: a lab so young is never
    judged. `late_hours`: after curfew, a lab that could not be acted on is left for the next night.
    `max_ahead_hours`: a lease never ends later than this from now; `max_total_hours`: nor than this from its creation.
    """

    mode: Mode = Mode.ON
    max_percent: int = 25
    max_count: int = 20
    lead_hours: int = 4
    notice_minutes: int = 60
    window_hours: int = 3
    young_hours: int = 24
    late_hours: int = 6
    max_ahead_hours: int = 72
    max_total_hours: int = 336
    changed_at: datetime | None = None
    changed_by: str | None = None


def allowance(rules: CurfewRules, alive: int) -> int:
    """How many labs one night may take. The percentage is rounded up: the only lab of a small service can end."""
    return min(rules.max_count, math.ceil(alive * rules.max_percent / 100))
