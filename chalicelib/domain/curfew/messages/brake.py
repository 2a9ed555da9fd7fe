"""What administrators are told at once, and once a night: that the brake holds, or that a plan is not what was published."""

from __future__ import annotations

from datetime import date

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import counted, paragraph
from chalicelib.domain.curfew.messages.report import format_date
from chalicelib.domain.curfew.rules import CurfewRules, allowance

KIND = "curfew-brake"


def brake_message(
    night: date, planned: int, alive: int, rules: CurfewRules, recipient: str, *, api: str = ""
) -> Message:
    """`planned`: labs that the night has taken or would take, of `alive`. `api`: what the API's paths begin with."""
    allowed = allowance(rules, alive)
    pieces = [
        paragraph(
            f"The plan of {format_date(night)} would take {counted(planned, 'lab')} of {alive}. A night takes {allowed} at "
            f"most: {rules.max_percent} % of the labs alive, and never more than {rules.max_count}. So it goes no further."
        ),
        paragraph("Owners were warned as usual, as far as they could be reached. Their labs live until you decide."),
        f"Look at the plan:\n\n  ekslab plan {night}\n  GET {api}/plan/{night}",
        "If it is right, raise the brake; the next hourly run goes on:\n\n"
        f"  PUT {api}/curfew {_raised(planned, alive, rules)}",
        f'If it is wrong, stop everything:\n\n  ekslab curfew off\n  PUT {api}/curfew {{"mode": "off"}}',
    ]
    subject = f"ekslab: the brake holds, {format_date(night)}: {planned} planned, {allowed} allowed"
    return _message(subject, pieces, recipient)


def broken_plan_message(night: date, published_hash: str, found_hash: str, recipient: str, *, api: str = "") -> Message:
    """The stored entries do not have the hash that was published: nothing on that plan is done."""
    pieces = [
        paragraph(
            f"The entries of the plan of {format_date(night)} are not those that were published: the published hash "
            f"is {published_hash}, the entries have {found_hash}."
        ),
        paragraph(
            "Nothing on it is done. Somebody or something has written to the table by another way; look who did."
        ),
        f"The plan as it is stored: GET {api}/plan/{night}",
    ]
    return _message(f"ekslab: the plan of {format_date(night)} was changed, nothing is done", pieces, recipient)


def _raised(planned: int, alive: int, rules: CurfewRules) -> str:
    """The smallest change of the rules that lets the plan through."""
    changes = []
    if planned > rules.max_count:
        changes.append(f'"maxCount": {planned}')
    percent = next((percent for percent in range(rules.max_percent, 101) if -(-alive * percent // 100) >= planned), 100)
    if percent > rules.max_percent:
        changes.append(f'"maxPercent": {percent}')
    return f"{{{', '.join(changes)}}}"


def _message(subject: str, pieces: list[str], recipient: str) -> Message:
    return Message(recipient, subject, "\n\n".join(pieces) + "\n", KIND, Severity.CRITICAL, "", "", 0, ())
