"""What curfew's rules may be set to: bounds of each, and what two of them say together. Used by `PUT /curfew`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.curfew.rules import CurfewRules, Mode
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
