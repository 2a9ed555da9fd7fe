"""The mail to owners of labs when a monthly ceiling is reached: no new lab is created, and they are asked to end some."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, Rows, Severity, letter_of, message_of, para
from chalicelib.domain.core.sentence import Sentence, joined, month_of
from chalicelib.domain.core.wording import counted
from chalicelib.domain.costs import usd
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import Scope, sums_of, to_lease_end

KIND = "month-limit"
#: Millionths of USD: a ceiling with less left is reached, since a control plane alone costs more an hour.
LEAST = MICRO // 10
_RESERVED = Sentence("This includes the cost reserved up to the end of each lease.")
_SLEEP = Sentence(
    "Labs that are in use go to sleep at their next curfew: this installation's administrators chose so. A mail of its own "
    "warns of each, hours before, and has a link that keeps the lab awake. What a lab has on its nodes' own disks is lost "
    "when it sleeps, and nothing else."
)


@dataclass(frozen=True)
class Limit:
    """A monthly ceiling that is reached. `whose`: the person's, the role's or the team's name; empty for the installation's.

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
        """The name under which its mails are noted."""
        return f"LIMIT#{self.scope}#{self.whose}"

    def covers(self, lab: Lab) -> bool:
        """Whether a lab of a person at this ceiling counts toward it: a role's is about its own sessions alone."""
        return self.scope is not Scope.ROLE or (Scope.ROLE, self.whose) in sums_of(lab)


def is_reached(used: int, ceiling: int | None) -> bool:
    """Whether a ceiling has no room left. Millionths of USD; None: no ceiling."""
    return ceiling is not None and used > 0 and ceiling - used < LEAST


def describe_limit(limit: Limit) -> str:
    """Why a lab in use goes to sleep."""
    slots = _slots(limit)
    match limit.scope:
        case Scope.PERSON:
            return Sentence("Its owner's labs are at the ceiling of {month}: {used} of {ceiling}.", **slots)
        case Scope.ROLE:
            return Sentence("The labs of its owner's role are at the ceiling of {month}: {used} of {ceiling}.", **slots)
        case Scope.TEAM:
            return Sentence("The labs of the team {team} are at the ceiling of {month}: {used} of {ceiling}.", **slots)
        case _:
            return Sentence("All labs together are at the ceiling of {month}: {used} of {ceiling}.", **slots)


def _slots(limit: Limit) -> dict[str, str]:
    used, ceiling = usd(limit.used / MICRO), usd(limit.ceiling / MICRO)
    return {"month": month_of(limit.month), "used": used, "ceiling": ceiling, "team": limit.whose}


def limit_message(limit: Limit, recipient: str, labs: Sequence[Lab], account: str, now: datetime) -> Message:
    """Ask the owner of these running labs to end those that are not needed. No lab is ended for lack of money."""
    sums = Sentence("{used} of {ceiling}", used=usd(limit.used / MICRO), ceiling=usd(limit.ceiling / MICRO))
    meanwhile = Sentence(
        "Until some of that is free again, or the month is over, no lab is made and no lease extended. Nothing of yours is "
        "ended for that."
    )
    yours = Sentence(
        "You have {labs}. What the rest of a lease would have cost is free when a lab ends:",
        labs=counted(len(labs), "lab"),
    )
    letter = letter_of(
        Sentence("ekslab: the ceiling of {month} is reached ({sums})", month=month_of(limit.month), sums=sums),
        [
            para(joined((_reached(limit), _RESERVED, meanwhile))),
            para(_SLEEP if limit.sleeps else ""),
            para(yours),
            Rows(tuple(_row(lab, now) for lab in labs)),
        ],
    )
    return message_of(letter, recipient, KIND, Severity.WARNING, account, labs[0].owner)


def _reached(limit: Limit) -> str:
    """To the owner: which ceiling is reached."""
    slots = _slots(limit)
    match limit.scope:
        case Scope.PERSON:
            return Sentence("Your labs are at the ceiling of {month}: {used} of {ceiling}.", **slots)
        case Scope.ROLE:
            return Sentence(
                "The labs of all sessions of your role are at the ceiling of {month}: {used} of {ceiling}.", **slots
            )
        case _:
            return describe_limit(limit)


def _row(lab: Lab, now: datetime) -> tuple[str, ...]:
    amount = usd(to_lease_end(lab, now) / MICRO)
    return Sentence("{amount} to its end", amount=amount), f"ekslab delete cluster {lab.id}", f"({lab.name})"
