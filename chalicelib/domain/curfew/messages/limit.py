"""The mail to owners of labs when a month's ceiling is reached: nothing new is made, and they are asked to end something."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.wording import counted, paragraph
from chalicelib.domain.costs import usd
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import Scope, to_lease_end

KIND = "month-limit"
#: Millionths of USD: a ceiling with less left is reached, since a control plane alone costs more an hour.
LEAST = MICRO // 10
_SLEEP = (
    "Labs that are in use go to sleep at their next curfew: this installation's administrators chose so. A mail of its own "
    "warns of each, hours before, and has a link that keeps the lab awake. What a lab has on its nodes' own disks is lost "
    "when it sleeps, and nothing else."
)


@dataclass(frozen=True)
class Limit:
    """A month's ceiling that is reached. `whose`: the person's or the team's name; empty for the installation's.

    `sleeps`: labs below it that are in use go to sleep, too.
    """

    month: str
    scope: Scope
    whose: str
    ceiling: int
    used: int
    sleeps: bool = False

    @property
    def name(self) -> str:
        """As what its mails are noted."""
        return f"LIMIT#{self.scope}#{self.whose}"


def is_reached(used: int, ceiling: int | None) -> bool:
    """Whether nothing more fits below a ceiling. Millionths of USD; None: any amount."""
    return ceiling is not None and used > 0 and ceiling - used < LEAST


def describe_limit(limit: Limit) -> str:
    """Why a lab that is in use goes to sleep."""
    slots = {
        "month": limit.month,
        "used": usd(limit.used / MICRO),
        "ceiling": usd(limit.ceiling / MICRO),
        "team": limit.whose,
    }
    match limit.scope:
        case Scope.PERSON:
            return Sentence("Its owner's labs are at the ceiling of {month}: {used} of {ceiling}.", **slots)
        case Scope.TEAM:
            return Sentence("The labs of the team {team} are at the ceiling of {month}: {used} of {ceiling}.", **slots)
        case _:
            return Sentence("All labs together are at the ceiling of {month}: {used} of {ceiling}.", **slots)


def limit_message(limit: Limit, recipient: str, labs: Sequence[Lab], account: str, now: datetime) -> Message:
    """Ask the owner of these labs, which live, to end what they don't need. Nothing of them is ended for want of money."""
    whose = {Scope.PERSON: "Your labs", Scope.TEAM: f"The labs of the team {limit.whose}"}.get(limit.scope, "All labs")
    sums = f"{usd(limit.used / MICRO)} of {usd(limit.ceiling / MICRO)}"
    rows = [
        f"  {usd(to_lease_end(lab, now) / MICRO):>10} to its end  ekslab delete cluster {lab.id}  ({lab.name})"
        for lab in labs
    ]
    pieces = [
        paragraph(
            f"{whose} are at the ceiling of {limit.month}: {sums}, what is reserved to the ends of leases included. Until some of "
            "that is free again, or the month is over, no lab is made and no lease extended. Nothing of yours is ended for that."
        ),
        paragraph(_SLEEP if limit.sleeps else ""),
        paragraph(
            f"You have {counted(len(labs), 'lab')}. What the rest of a lease would have cost is free when a lab ends:"
        ),
        "\n".join(rows),
    ]
    return Message(
        recipient=recipient,
        subject=f"ekslab: the ceiling of {limit.month} is reached ({sums})",
        body="\n\n".join(filter(None, pieces)) + "\n",
        kind=KIND,
        severity=Severity.WARNING,
        account=account,
        owner=recipient,
    )
