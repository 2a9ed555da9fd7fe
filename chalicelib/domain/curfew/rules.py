"""How curfew works in this installation: the stop switch, the brake, and the times everything is counted from.

Administrators change it with `PUT /curfew`; it is read again right before every act, so it works at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.findings import Finding, error

#: rule -> least and most, both included.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "max_percent": (1, 100),
    "max_count": (1, 1000),
    "lead_hours": (2, 24),
    "notice_minutes": (15, 1380),
    "window_hours": (1, 24),
    "young_hours": (0, 336),
    "late_hours": (1, 12),
    "max_ahead_hours": (1, 720),
    "max_total_hours": (1, 8760),
}


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


def rules_with(
    rules: CurfewRules, numbers: Mapping[str, int], mode: Mode | None, by: str, now: datetime
) -> CurfewRules:
    """The rules with some of them changed, not yet judged."""
    changed = CurfewRules(**{name: numbers.get(name, getattr(rules, name)) for name in BOUNDS})
    return replace(changed, mode=mode or rules.mode, changed_at=now, changed_by=by)


def judge_rules(rules: CurfewRules, names: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with them. `names`: each rule as its writer knows it."""
    for rule, (least, most) in BOUNDS.items():
        if not least <= getattr(rules, rule) <= most:
            yield error(names[rule], "out-of-bounds", f"{names[rule]} is {least} to {most}.")
    if rules.notice_minutes > 60 * (rules.lead_hours - 1):
        most = 60 * (rules.lead_hours - 1)
        message = (
            f"With {names['lead_hours']} {rules.lead_hours} it is at most {most}: warnings go out within an hour of the plan, "
            "and no lab could be warned in time."
        )
        yield error(names["notice_minutes"], "notice-too-long", message)
    if rules.max_total_hours < rules.max_ahead_hours:
        message = f"It is at least {names['max_ahead_hours']}, {rules.max_ahead_hours}."
        yield error(names["max_total_hours"], "total-too-short", message)
