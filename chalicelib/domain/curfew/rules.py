"""The rules of curfew in this installation: the stop switch, the brake, and all periods.

Administrators change them with `PUT /curfew`; every act reads them again, so that a change works at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
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
    """ON warns and acts. DRY_RUN plans and reports, and neither warns nor acts. OFF only reports its mode."""

    ON = "on"
    DRY_RUN = "dry-run"
    OFF = "off"


@dataclass(frozen=True)
class CurfewRules:
    """Hours unless said otherwise. `max_percent` of the labs alive and `max_count` limit the judged ends of a night.

    `lead_hours`: how long before its curfew a lab is planned. `notice_minutes`: how long before the act its warning must be
    delivered. `window_hours`: the time over which signals must agree. `young_hours`: a younger lab is never judged. `late_hours`:
    an act that is overdue by more is dropped. `max_ahead_hours`: a lease never ends later than this from now; `max_total_hours`:
    nor than this from the lab's creation.
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
    """How many labs one night may end. The percentage is rounded up, so that the only lab of a small installation can end."""
    return min(rules.max_count, math.ceil(alive * rules.max_percent / 100))


def rules_with(
    rules: CurfewRules, numbers: Mapping[str, int], mode: Mode | None, by: str, now: datetime
) -> CurfewRules:
    """The rules with some of them changed, not validated yet."""
    changed = CurfewRules(**{name: numbers.get(name, getattr(rules, name)) for name in BOUNDS})
    return replace(changed, mode=mode or rules.mode, changed_at=now, changed_by=by)


def judge_rules(rules: CurfewRules, names: Mapping[str, str]) -> Iterator[Finding]:
    """Findings on the rules. `names`: the field of each rule."""
    for rule, (least, most) in BOUNDS.items():
        if not least <= getattr(rules, rule) <= most:
            yield error(
                names[rule],
                "out-of-bounds",
                Sentence("{name} is {least} to {most}.", name=names[rule], least=least, most=most),
            )
    if rules.notice_minutes > 60 * (rules.lead_hours - 1):
        most = 60 * (rules.lead_hours - 1)
        message = Sentence(
            "With {name} {number} it is at most {most}: warnings go out within an hour of the "
            "plan, and no lab could be warned in time.",
            name=names["lead_hours"],
            number=rules.lead_hours,
            most=most,
        )
        yield error(names["notice_minutes"], "notice-too-long", message)
    if rules.max_total_hours < rules.max_ahead_hours:
        message = Sentence(
            "It is at least {name}, {number}.", name=names["max_ahead_hours"], number=rules.max_ahead_hours
        )
        yield error(names["max_total_hours"], "total-too-short", message)
