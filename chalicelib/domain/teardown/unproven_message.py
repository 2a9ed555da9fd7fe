"""The daily mail about unproven leftovers that cost money: names, amounts, and the remedy."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.core.message import Block, Message, Severity, commands, letter_of, message_of, para
from chalicelib.domain.core.resources import kind_said
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.teardown.receipt import ReceiptLine

KIND = "leftovers-unproven"
#: The most resources that are listed; the receipt has all.
_NAMED = 20


def unproven_message(lab: Lab, lines: Sequence[ReceiptLine], recipient: str) -> Message:
    """`lines`: the receipt's lines of resources that cost, or may cost, money."""
    named = list(lines[:_NAMED])
    over = Sentence(
        "{name} ({id}) is over. {n} thing looks like the lab's, nothing proves it, and so nothing deletes it. It costs {price}.",
        "{name} ({id}) is over. {n} things look like the lab's, nothing proves it, and so nothing deletes them. They cost "
        "{price}.",
        name=lab.name,
        id=lab.id,
        n=len(lines),
        price=_dollars(lines),
    )
    more = Sentence("and {number} more: `ekslab get receipt {id}`", number=len(lines) - _NAMED, id=lab.id)
    subject = Sentence(
        "ekslab: {name} left {number} unproved, {price}", name=lab.name[:40], number=len(lines), price=_dollars(lines)
    )
    letter = letter_of(
        subject,
        [
            para(over),
            *(block for line in named for block in _described(line)),
            para(more if len(lines) > _NAMED else ""),
            para(
                Sentence(
                    "Is it yours? Delete it with the command. Is it to stay? Then say so, and you are not asked again:"
                )
            ),
            commands(f"ekslab leftovers {lab.id} --keep {named[0].arn}"),
            para(Sentence("You are asked daily until it is gone or somebody says so.")),
        ],
    )
    return message_of(letter, recipient, KIND, Severity.WARNING, lab.account, lab.owner)


def _dollars(lines: Sequence[ReceiptLine]) -> str:
    known = [line.usd_month for line in lines if line.usd_month is not None]
    total = Sentence("{amount} a month", amount=f"${sum(known):.2f}")
    unknown = len(lines) - len(known)
    if not unknown:
        return total
    if not known:
        return Sentence("an amount that is not known ({number})", number=unknown)
    return Sentence(
        "{total}, and what {n} of them costs is not known",
        "{total}, and what {n} of them cost is not known",
        total=total,
        n=unknown,
    )


def _described(line: ReceiptLine) -> list[Block]:
    cost = (
        Sentence("{amount} a month", amount=f"${line.usd_month:.2f}")
        if line.usd_month is not None
        else Sentence("its price is not known")
    )
    told = para(
        Sentence("{kind} {arn}", kind=kind_said(line.kind), arn=line.arn),
        Sentence("{reason}; {price}", reason=line.reason, price=cost),
    )
    return [told, commands(line.command)] if line.command else [told]
