"""The message to owner and administrators when a lab's agreed end is put off because its cluster is protected."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.message import Message, Severity, commands, letter_of, message_of, para
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.messages.warning import format_in_zone, lab_named, shortened
from chalicelib.domain.labs.lab import Lab

KIND = "curfew-put-off"


def put_off_message(lab: Lab, at: datetime, shield: str, last: datetime, recipient: str) -> Message:
    """`at`: the agreed end; `last`: the latest time to which it can be put off."""
    schedule = lab.spec.schedule
    ends = Sentence(
        "The lease of the lab {lab} ends on {when}, and the lab was to end with it. {shield} So its end is put off by a day.",
        lab=lab_named(lab.name, lab.id, lab.region),
        when=format_in_zone(schedule, at),
        shield=shield,
    )
    goes_on = Sentence(
        "That goes on day by day until {until}. Then the protection is lifted and the lab ends, after a warning. It costs money "
        "until then.",
        until=format_in_zone(schedule, last),
    )
    letter = letter_of(
        Sentence("ekslab: the end of {name} is put off: its cluster is protected", name=shortened(lab.name, 40)),
        [
            para(ends),
            para(goes_on),
            para(Sentence("If nobody needs it, end it. That lifts the protection at once:")),
            commands(f"ekslab delete cluster {lab.id}"),
        ],
    )
    return message_of(letter, recipient, KIND, Severity.WARNING, lab.account, lab.owner)
