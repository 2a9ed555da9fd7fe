"""The mail to approvers about a lab that waits for approval: its price, its owner's month, and two links."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.message import Block, Link, Message, Severity, commands, letter_of, message_of, para
from chalicelib.domain.core.sentence import Sentence, clause
from chalicelib.domain.costs import usd
from chalicelib.domain.curfew.messages.warning import lab_named, shortened
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.spending import foreseen

KIND = "approval-asked"


def approval_message(
    lab: Lab, recipient: str, month_usd: float, links: tuple[str, str] | None, until: datetime
) -> Message:
    """`month_usd`: the owner's month, this lab included. `links`: to approve and to refuse; None if an approver asked."""
    price = _price(lab)
    why = lab.approval.why if lab.approval else ""
    asked = Sentence(
        "{owner} asks for the lab {lab}, and {why}.",
        owner=lab.owner,
        lab=lab_named(lab.name, lab.id, lab.region),
        why=clause(why),
    )
    costs = Sentence(
        "Its lease of {hours} hours costs {price}. With it, its owner's labs cost {month} this month. Nothing is made before "
        "somebody approves it.",
        hours=lab.spec.lease_hours,
        price=price,
        month=usd(month_usd),
    )
    over = Sentence("Without an answer the request is over on {at}.", at=format_local(lab.spec.schedule, until))
    letter = letter_of(
        Sentence("ekslab: {name} waits for your approval ({price})", name=shortened(lab.name, 40), price=price),
        [
            para(asked),
            para(costs),
            *_answers(lab, links),
            para(Sentence("Look at it:")),
            commands(f"ekslab describe cluster {lab.id}"),
            para(over),
        ],
    )
    return message_of(letter, recipient, KIND, Severity.WARNING, lab.account, lab.owner)


def _price(lab: Lab) -> str:
    amount = usd(foreseen(lab) / MICRO)
    return Sentence("at least {amount}", amount=amount) if lab.meter and lab.meter.unknown else amount


def _answers(lab: Lab, links: tuple[str, str] | None) -> list[Block]:
    if links is None:
        return [
            para(Sentence("Nobody approves their own: another administrator answers with one of these.")),
            commands(f"ekslab approve {lab.id} --why '...'", f"ekslab refuse {lab.id} --why '...'"),
        ]
    approve, refuse = links
    return [
        para(Sentence("To approve it, open this page and press its button:")),
        Link(approve, Sentence("Approve {name}", name=lab.name)),
        para(Sentence("To refuse it:")),
        Link(refuse, Sentence("Refuse {name}", name=lab.name)),
        para(
            Sentence(
                "The pages need no login. Anyone who has a link can give its answer, once, and can do nothing else."
            )
        ),
    ]
