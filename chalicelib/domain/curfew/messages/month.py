"""The mails about a past month: to each owner about their labs, and to finance about everyone's.

Amounts are list prices, from the sums that the store keeps. The sentence about a lab's use is its last verdict's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import (
    Block,
    Bullets,
    Message,
    Rows,
    Severity,
    commands,
    letter_of,
    message_of,
    para,
)
from chalicelib.domain.core.sentence import Listed, Moment, Sentence, Style, month_of
from chalicelib.domain.core.wording import counted
from chalicelib.domain.costs import usd
from chalicelib.domain.curfew.messages.warning import lab_named
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import COST, ENDED, EXTENDED, LABS, SLEPT

KIND = "month-costs"
#: The most labs, or people, that a mail names.
_MOST = 10


@dataclass(frozen=True)
class LabMonth:
    """A lab's cost in a month, in millionths of USD, and its last verdict, if that is still kept."""

    lab: Lab
    cost: int
    verdict: Verdict | None = None


@dataclass(frozen=True)
class MonthMail:
    """The facts of a mail. `labs`: theirs, dearest first. `people`: each one's cost, for finance. `owner`: by identity."""

    month: str
    recipient: str
    amounts: Mapping[str, int]
    labs: tuple[LabMonth, ...]
    people: tuple[tuple[str, int], ...] = ()
    owner: str = ""


def lab_month(lab: Lab, month: str, now: datetime, verdict: Verdict | None = None) -> LabMonth:
    """A lab's share of a month."""
    until = lab.ended_at or now
    cost = lab.meter.months(lab.begins_at, until).get(month, 0) if lab.meter else 0
    return LabMonth(lab, cost, verdict)


def month_message(mail: MonthMail, account: str) -> Message:
    """The mail; its recipient is a name that subscriptions filter by."""
    slots = {"month": month_of(mail.month), "cost": usd(mail.amounts.get(COST, 0) / MICRO)}
    labs = counted(mail.amounts.get(LABS, 0), "lab")
    if mail.people:
        subject = Sentence("ekslab: all labs cost {cost} in {month}", **slots)
        cost = Sentence("In {month} all labs cost {cost} at list prices: {labs}.", **slots, labs=labs)
    else:
        subject = Sentence("ekslab: your labs cost {cost} in {month}", **slots)
        cost = Sentence("In {month} your labs cost {cost} at list prices: {labs}.", **slots, labs=labs)
    blocks: list[Block] = [
        para(cost),
        para(_saved(mail.amounts)),
        *_people(mail.people),
        *_listed(Sentence("The dearest:"), [_dear(each) for each in mail.labs[:_MOST]]),
        *_unused(mail.labs),
        para(Sentence("All of it:")),
        commands(f"ekslab get costs --month {mail.month}"),
    ]
    letter = letter_of(subject, blocks)
    return message_of(letter, mail.recipient, KIND, Severity.INFO, account, mail.owner or mail.recipient)


def _saved(amounts: Mapping[str, int]) -> Sentence:
    said = [
        how
        for name, how in (
            (SLEPT, Sentence("{amount} by labs that slept", amount=_amount(amounts, SLEPT))),
            (ENDED, Sentence("{amount} by leases that ended early", amount=_amount(amounts, ENDED))),
            (EXTENDED, Sentence("{amount} of extended support", amount=_amount(amounts, EXTENDED))),
        )
        if amounts.get(name)
    ]
    if not said:
        return Sentence("Nothing was saved by sleep or by an early end.")
    return Sentence("Saved: {amounts}.", amounts=Listed(said, between=", "))


def _amount(amounts: Mapping[str, int], name: str) -> str:
    return usd(amounts.get(name, 0) / MICRO)


def _people(people: Sequence[tuple[str, int]]) -> tuple[Block, ...]:
    head = Sentence("By person ({number}), the dearest first:", number=len(people))
    return _listed(head, [(usd(cost / MICRO), who) for who, cost in people[:_MOST]])


def _dear(each: LabMonth) -> tuple[str, ...]:
    return usd(each.cost / MICRO), lab_named(each.lab.name, each.lab.id, each.lab.region), each.lab.owner


def _unused(labs: Iterable[LabMonth]) -> tuple[Block, ...]:
    unused = [(each, each.verdict) for each in labs if each.verdict is not None and each.verdict.idle and each.cost]
    found = [
        Sentence(
            "{lab}, {cost}. {at}: {seen}",
            lab=lab_named(each.lab.name, each.lab.id, each.lab.region),
            cost=usd(each.cost / MICRO),
            at=Moment(verdict.at, "UTC", Style.MINUTE),
            seen=verdict.sentence,
        )
        for each, verdict in unused[:_MOST]
    ]
    return (Bullets(Sentence("Idle when they were last looked at"), tuple(found)),) if found else ()


def _listed(head: Sentence, rows: Sequence[tuple[str, ...]]) -> tuple[Block, ...]:
    return (para(head), Rows(tuple(rows))) if rows else ()
