"""What an owner is told when their lab should have woken and did not: why, what costs, and what to do."""

from __future__ import annotations

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import paragraph
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import format_local

KIND = "wake-failed"


def wake_failed_message(lab: Lab, recipient: str) -> Message:
    """`lab`: after the wake was given up, with its reason."""
    asleep = lab.phase is Phase.HIBERNATED
    reason = (lab.reason or "no reason was kept").rstrip(". ")
    pieces = [
        paragraph(f"{lab.name} ({lab.id}) should have woken and did not: {reason}."),
        paragraph(_next(lab)),
        f"Wake it now:\n\n  ekslab wake {lab.id}" if asleep else "",
        f"Look at it:\n\n  ekslab describe cluster {lab.id}",
        f"End it:\n\n  ekslab delete cluster {lab.id}",
    ]
    return Message(
        recipient=recipient,
        subject=f"ekslab: {lab.name} could not be woken"[:99],
        body="\n\n".join(piece for piece in pieces if piece) + "\n",
        kind=KIND,
        severity=Severity.WARNING,
        account=lab.account,
        owner=lab.owner,
    )


def _next(lab: Lab) -> str:
    if lab.phase is not Phase.HIBERNATED:
        return "It is no longer asleep: there was no cluster of it to wake. The next sweep looks at it."
    kept = "It sleeps on: its control plane costs, and the sizes of its node groups are kept."
    wakes_at = lab.hibernation.wake_at if lab.hibernation else None
    if wakes_at is None:
        return f"{kept} It has no morning to wake by itself."
    return f"{kept} It is tried again on {format_local(lab.spec.schedule, wakes_at)}."
