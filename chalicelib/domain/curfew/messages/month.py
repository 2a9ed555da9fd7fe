"""The mails about a month that is over: to each owner about their labs, and to finance about everyone's.

Amounts are list prices, from the sums that the store keeps. What is said of a lab's use is the last look's own sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import counted, paragraph
from chalicelib.domain.costs import usd
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import COST, ENDED, EXTENDED, LABS, SLEPT

KIND = "month-costs"
#: Labs, or people, that a mail names.
_MOST = 10


@dataclass(frozen=True)
class LabMonth:
    """What a lab cost in a month, in millionths of USD, and what its last look said of its use, if that is still kept."""

    lab: Lab
    cost: int
    verdict: Verdict | None = None

    @property
    def is_unused(self) -> bool:
        """Whether it was idle when it was last looked at."""
        return self.verdict is not None and self.verdict.idle


@dataclass(frozen=True)
class MonthMail:
    """What a mail is about. `labs`: theirs, dearest first. `people`: each one's cost, for finance."""

    month: str
    recipient: str
    amounts: Mapping[str, int]
    labs: tuple[LabMonth, ...]
    people: tuple[tuple[str, int], ...] = ()


def lab_month(lab: Lab, month: str, now: datetime, verdict: Verdict | None = None) -> LabMonth:
    """What of a lab is in a month."""
    until = lab.ended_at or now
    cost = lab.meter.months(lab.begins_at, until).get(month, 0) if lab.meter else 0
    return LabMonth(lab, cost, verdict)


def month_message(mail: MonthMail, account: str) -> Message:
    """The mail; its recipient is a name that subscriptions filter by."""
    cost = usd(mail.amounts.get(COST, 0) / MICRO)
    whose = "all labs" if mail.people else "your labs"
    pieces = [
        paragraph(f"In {mail.month} {whose} cost {cost} at list prices: {counted(mail.amounts.get(LABS, 0), 'lab')}."),
        paragraph(_saved(mail.amounts)),
        *_people(mail.people),
        *_listed("The dearest:", (_dear(each) for each in mail.labs[:_MOST])),
        *_listed("Idle when they were last looked at:", _unused(mail.labs)),
        f"All of it:\n\n  ekslab get costs --month {mail.month}",
    ]
    return Message(
        recipient=mail.recipient,
        subject=f"ekslab: {whose} cost {cost} in {mail.month}",
        body="\n\n".join(pieces) + "\n",
        kind=KIND,
        severity=Severity.INFO,
        account=account,
        owner=mail.recipient,
    )


def _saved(amounts: Mapping[str, int]) -> str:
    parts = (("by labs that slept", SLEPT), ("by leases that ended early", ENDED), ("of extended support", EXTENDED))
    said = [f"{usd(amounts[name] / MICRO)} {how}" for how, name in parts if amounts.get(name)]
    return f"Saved: {', '.join(said)}." if said else "Nothing was saved by sleep or by an early end."


def _people(people: Sequence[tuple[str, int]]) -> Iterator[str]:
    lines = (f"  {usd(cost / MICRO):>10}  {who}" for who, cost in people[:_MOST])
    yield from _listed(f"By person ({len(people)}), the dearest first:", lines)


def _dear(each: LabMonth) -> str:
    return f"  {usd(each.cost / MICRO):>10}  {each.lab.name} ({each.lab.id} in {each.lab.region}), {each.lab.owner}"


def _unused(labs: Iterable[LabMonth]) -> Iterator[str]:
    unused = [(each, each.verdict) for each in labs if each.verdict is not None and each.is_unused and each.cost]
    for each, verdict in unused[:_MOST]:
        looked = f"{verdict.at:%Y-%m-%d %H:%M} UTC: {verdict.sentence}"
        yield f"{_dear(each)}\n{paragraph(looked, indent='              ')}"


def _listed(head: str, lines: Iterable[str]) -> Iterator[str]:
    known = list(lines)
    if known:
        yield "\n".join((head, "", *known))
