"""The message to an owner whose lab should have woken and did not: the reason, the cost, and the remedy."""

from __future__ import annotations

from chalicelib.domain.core.message import Block, Message, Severity, commands, letter_of, message_of, para
from chalicelib.domain.core.sentence import Sentence, clause
from chalicelib.domain.curfew.messages.warning import shortened
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import format_local

KIND = "wake-failed"


def wake_failed_message(lab: Lab, recipient: str) -> Message:
    """`lab`: after the wake ended, with its reason."""
    asleep = lab.phase is Phase.HIBERNATED
    waking: list[Block] = [para(Sentence("Wake it now:")), commands(f"ekslab wake {lab.id}")]
    letter = letter_of(
        Sentence("ekslab: {name} could not be woken", name=shortened(lab.name, 60)),
        [
            para(Sentence("{name} ({id}) should have woken and did not.", name=lab.name, id=lab.id)),
            para(
                Sentence("Why: {reason}.", reason=clause(lab.reason)) if lab.reason else Sentence("Nobody noted why.")
            ),
            para(_next(lab)),
            *(waking if asleep else []),
            para(Sentence("Look at it:")),
            commands(f"ekslab describe cluster {lab.id}"),
            para(Sentence("End it:")),
            commands(f"ekslab delete cluster {lab.id}"),
        ],
    )
    return message_of(letter, recipient, KIND, Severity.WARNING, lab.account, lab.owner)


def _next(lab: Lab) -> Sentence:
    if lab.phase is not Phase.HIBERNATED:
        return Sentence("It is no longer asleep: there was no cluster of it to wake. The next run looks at it.")
    wakes_at = lab.hibernation.wake_at if lab.hibernation else None
    if wakes_at is None:
        return Sentence(
            "It sleeps on: its control plane costs money, and the sizes of its node groups are kept. It does not wake by itself."
        )
    return Sentence(
        "It sleeps on: its control plane costs money, and the sizes of its node groups are kept. We try again on {at}.",
        at=format_local(lab.spec.schedule, wakes_at),
    )
