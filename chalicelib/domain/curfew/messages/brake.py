"""What administrators are told at once, and once a night: that the brake holds, or that a plan is not what was published."""

from __future__ import annotations

from datetime import date

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import counted, paragraph
from chalicelib.domain.curfew.brake import BrakeDecision
from chalicelib.domain.curfew.messages.report import format_date
from chalicelib.domain.curfew.plan import Plan, PlanHeader
from chalicelib.domain.curfew.rules import CurfewRules, allowance

KIND = "curfew-brake"
_HELD_TILL_LATE = (
    "Owners whose warning arrived are told now that their labs did not end. What you don't release within {hours} of a lab's "
    "time lives on, and its owner is warned anew before another night."
)


def brake_message(header: PlanHeader, planned: int, alive: int, rules: CurfewRules, recipient: str) -> Message:
    """`planned`: idle labs that the night has taken or would take, of `alive`."""
    night, allowed = header.night, allowance(rules, alive)
    pieces = [
        paragraph(
            f"The plan of {format_date(night)} would take {counted(planned, 'idle lab')} of {alive} alive. A night takes "
            f"{allowed} idle labs at most: {rules.max_percent} % of the labs alive, and never more than {rules.max_count}. "
            "So it takes none of them. Labs whose lease is over end all the same."
        ),
        paragraph(_HELD_TILL_LATE.format(hours=counted(rules.late_hours, "hour"))),
        f"Look at the plan:\n\n  ekslab get plan {night}",
        _release(header),
        f"Or raise the brake for this night and all after it:\n\n  ekslab curfew {_raised(planned, alive, rules)}",
        "If it is wrong, stop everything:\n\n  ekslab curfew off",
    ]
    subject = f"ekslab: the brake holds, {format_date(night)}: {planned} planned, {allowed} allowed"
    return _message(subject, pieces, recipient)


def guard_message(plan: Plan, braking: BrakeDecision, alive: int, recipient: str) -> Message:
    """Many agreed ends are earlier than anybody knew a day before. `braking`: as decided once the night is held."""
    night = plan.header.night
    until = f" or until {braking.free_at:%Y-%m-%d %H:%M} UTC" if braking.free_at else ""
    pieces = [
        paragraph(
            f"{counted(braking.unforeseen, 'lease')} on the plan of {format_date(night)}, of {counted(alive, 'lab')} alive, "
            f"end earlier than was known a day before. Nobody can make a lease shorter, so data may be damaged. The whole "
            f"night is held until you release it{until}; then agreed ends happen."
        ),
        f"Look at the plan:\n\n  ekslab get plan {night}",
        _release(plan.header),
        "If it is wrong, stop everything:\n\n  ekslab curfew off",
    ]
    subject = f"ekslab: the night of {format_date(night)} is held: {braking.unforeseen} leases end too early"
    return _message(subject, pieces, recipient)


def broken_plan_message(night: date, published_hash: str, found_hash: str, recipient: str) -> Message:
    """The stored entries do not have the hash that was published: nothing on that plan is done."""
    pieces = [
        paragraph(
            f"The entries of the plan of {format_date(night)} are not those that were published: the published hash "
            f"is {published_hash}, the entries have {found_hash}."
        ),
        paragraph(
            "Nothing on it is done. Somebody or something has written to the table by another way; look who did."
        ),
        f"The plan as it is stored: ekslab get plan {night}",
    ]
    return _message(f"ekslab: the plan of {format_date(night)} was changed, nothing is done", pieces, recipient)


def _release(header: PlanHeader) -> str:
    return (
        paragraph("If it is right, release this plan as it is, for this night alone; the next hourly run goes on:")
        + f"\n\n  ekslab release {header.night} {header.hash}"
    )


def _raised(planned: int, alive: int, rules: CurfewRules) -> str:
    """The smallest change of the rules that lets the plan through."""
    changes = []
    if planned > rules.max_count:
        changes.append(f"--set maxCount={planned}")
    percent = next((percent for percent in range(rules.max_percent, 101) if -(-alive * percent // 100) >= planned), 100)
    if percent > rules.max_percent:
        changes.append(f"--set maxPercent={percent}")
    return " ".join(changes)


def _message(subject: str, pieces: list[str], recipient: str) -> Message:
    return Message(recipient, subject, "\n\n".join(pieces) + "\n", KIND, Severity.CRITICAL, "", "", 0, ())
