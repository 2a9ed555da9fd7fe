"""What an owner is told when what a warning announced has not happened: why, and whether it still may."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import paragraph
from chalicelib.domain.curfew.messages.warning import format_in_zone, in_place, sleeps
from chalicelib.domain.curfew.plan import Entry
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import format_local

KIND = "curfew-called-off"


@dataclass(frozen=True)
class Called:
    """Why it has not happened. `until`: until when it still may, None if it does not any more. `released`: by administrators."""

    reason: str
    until: datetime | None = None
    released: bool = False


def called_off_message(
    lab: Lab, entry: Entry, called: Called, now: datetime, recipient: str, in_place_of: str = ""
) -> Message:
    """The one mail that takes back, or puts off, what `entry` announced. `in_place_of`: the owner, if another hears for them."""
    schedule = lab.spec.schedule
    lab_named = f"{'The' if in_place_of else 'Your'} lab {entry.name} ({entry.lab_id} in {entry.region})"
    does, did = ("go to sleep", "sleep") if sleeps(entry) else ("end", "end")
    pieces = [
        in_place(in_place_of),
        paragraph(
            f"{lab_named} was to {does} on {format_in_zone(schedule, entry.at)}. "
            f"That {'has not happened' if now >= entry.at else 'does not happen'}."
        ),
        paragraph(f"Why: {called.reason.rstrip('. ')}."),
        paragraph(_after(lab, called, did)),
        f"Look at it:\n\n  ekslab describe cluster {entry.lab_id}",
    ]
    when = format_local(schedule, entry.at)
    return Message(
        recipient=recipient,
        subject=f"ekslab: {entry.name[:40]} {'did' if now >= entry.at else 'does'} not {did} {when}"[:99],
        body="\n\n".join(piece for piece in pieces if piece) + "\n",
        kind=KIND,
        severity=Severity.INFO,
        account=lab.account,
        owner=lab.owner,
    )


def _after(lab: Lab, called: Called, does: str) -> str:
    if called.until is None:
        return "The warning no longer holds. Before anything else happens to the lab, you are warned anew."
    cause = "if an administrator releases the night" if called.released else "once nothing is in the way"
    return (
        f"It may still {does} without another warning, {cause}, until {format_in_zone(lab.spec.schedule, called.until)}. "
        "After that you are warned anew."
    )
