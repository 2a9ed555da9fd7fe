"""The daily mail about unproven leftovers that cost money: which, how much, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import paragraph
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.teardown.receipt import ReceiptLine

KIND = "leftovers-unproven"
#: Things that are named one by one; the receipt has all.
_NAMED = 20


def unproven_message(lab: Lab, lines: Sequence[ReceiptLine], recipient: str) -> Message:
    """`lines`: those that cost, or may."""
    named = list(lines[:_NAMED])
    more = f"\n\nand {len(lines) - _NAMED} more: ekslab get receipt {lab.id}" if len(lines) > _NAMED else ""
    looks = "thing looks" if len(lines) == 1 else "things look"
    pieces = [
        paragraph(
            f"{lab.name} ({lab.id}) is over. {len(lines)} {looks} like the lab's, nothing proves it, and so nothing "
            f"deletes it. It costs {_dollars(lines)}."
        ),
        "\n\n".join(_described(line) for line in named) + more,
        paragraph("Is it yours? Delete it with the command. Is it to stay? Then say so, and you are not asked again:"),
        f"  ekslab leftovers {lab.id} --keep {named[0].arn}",
        paragraph("You are asked daily until it is gone or somebody says so."),
    ]
    return Message(
        recipient=recipient,
        subject=f"ekslab: {lab.name} left {len(lines)} unproved, {_dollars(lines)}"[:99],
        body="\n\n".join(pieces) + "\n",
        kind=KIND,
        severity=Severity.WARNING,
        account=lab.account,
        owner=lab.owner,
    )


def _dollars(lines: Sequence[ReceiptLine]) -> str:
    known = [line.usd_month for line in lines if line.usd_month is not None]
    total = f"${sum(known):.2f} a month"
    unknown = len(lines) - len(known)
    if not unknown:
        return total
    what = f"what {unknown} of them {'costs' if unknown == 1 else 'cost'} is not known"
    return f"{total}, and {what}" if known else f"an amount that is not known ({unknown})"


def _described(line: ReceiptLine) -> str:
    cost = f"${line.usd_month:.2f} a month" if line.usd_month is not None else "its cost is not known"
    told = f"{line.kind} {line.arn}\n  {line.reason}; {cost}"
    return f"{told}\n  {line.command}" if line.command else told
