"""What owner and administrators are told when a lab's agreed end is put off, since somebody protected its cluster."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import paragraph
from chalicelib.domain.curfew.messages.warning import format_in_zone
from chalicelib.domain.labs.lab import Lab

KIND = "curfew-put-off"


def put_off_message(lab: Lab, at: datetime, shield: str, last: datetime, recipient: str) -> Message:
    """`at`: the end that was agreed; `last`: until when it can be put off."""
    schedule = lab.spec.schedule
    pieces = [
        paragraph(
            f"The lease of the lab {lab.name} ({lab.id} in {lab.region}) ends on {format_in_zone(schedule, at)}, and with it "
            f"the lab was to end. {shield} So its end is put off by a day."
        ),
        paragraph(
            f"That goes on day by day until {format_in_zone(schedule, last)}. Then the protection is lifted and the lab ends, "
            "after a warning. It costs money until then."
        ),
        f"If nobody needs it, end it; that lifts the protection at once:\n\n  ekslab delete cluster {lab.id}",
    ]
    return Message(
        recipient=recipient,
        subject=f"ekslab: the end of {lab.name[:40]} is put off: its cluster is protected"[:99],
        body="\n\n".join(pieces) + "\n",
        kind=KIND,
        severity=Severity.WARNING,
        account=lab.account,
        owner=lab.owner,
    )
