"""What a lab adds to the months' sums: while it lives, what its lease will cost; once it is over, what it has cost and saved.

The store keeps on each lab's item what of it is in the sums and brings both in line with every save, in one transaction: so
what a lab frees by its end is freed once, and nothing is reserved for a lab that was not stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.identity.callers import shared_role
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.labs.meter import Meter

#: The names of a month's amounts: labs, and millionths of USD: cost, and saved by sleep, by an early end, of extended support.
LABS, COST, SLEPT, ENDED, EXTENDED = "labs", "micro_usd", "slept", "ended", "extended"


class Scope(StrEnum):
    """Whose labs a sum or a ceiling is about."""

    LAB = "lab"
    PERSON = "person"
    ROLE = "role"
    TEAM = "team"
    ACCOUNT = "account"
    TAG = "tag"
    INSTALLATION = "installation"


#: A sum that the store keeps: of which month, and whose.
SumOf = tuple[str, Scope, str]


@dataclass(frozen=True)
class MonthCeilings:
    """What labs may cost in one month, in millionths of USD; None: any amount. `role`: all sessions of a shared role together."""

    person: int | None = None
    role: int | None = None
    installation: int | None = None

    def most(self, scope: Scope) -> int | None:
        """The ceiling of a sum that the store keeps."""
        kept = {Scope.PERSON: self.person, Scope.ROLE: self.role, Scope.INSTALLATION: self.installation}
        return kept.get(scope)


@dataclass(frozen=True)
class MonthSum:
    """A month's sum and whose it is. `identities`: as whom a person owns labs in it, by which teams know them."""

    whose: str
    identities: tuple[str, ...]
    amounts: Mapping[str, int]


@dataclass(frozen=True)
class Saved:
    """Millionths of USD that were not spent: nodes that slept, a lease that was not used up, extended support not reached."""

    slept: int = 0
    ended: int = 0
    extended: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.slept + self.ended + self.extended


def foreseen(lab: Lab) -> int:
    """What the lab costs from its request to its lease's end, in millionths of USD; 0 for one that was never priced."""
    return sum(amounts[COST] for amounts in _by_month(lab, _foreseen(lab), lab.lasts_until).values())


def spent(lab: Lab, now: datetime) -> int:
    """What it has cost so far."""
    return lab.meter.cost(lab.begins_at, lab.ended_at or now) if lab.meter else 0


def to_lease_end(lab: Lab, now: datetime) -> int:
    """What it will cost from now on until its lease ends, if it stays awake; 0 once it is over."""
    whole = _foreseen(lab)
    return 0 if whole is None or lab.phase in OVER else whole.cost(max(now, lab.begins_at), lab.lasts_until)


def saved(lab: Lab, now: datetime) -> Saved:
    """What it has saved so far; by its end, once it is over, against the lease that it had."""
    if lab.meter is None:
        return Saved()
    slept = lab.meter.slept(lab.begins_at, lab.ended_at or now)
    if lab.phase not in OVER or lab.ended_at is None:
        return Saved(slept)
    rest = lab.meter.with_span(lab.ended_at, lab.meter.awake(lab.node_counts))
    unused = rest.cost(lab.ended_at, lab.lasts_until) if lab.phase is Phase.DELETED else 0
    extended = rest.extended(lab.ended_at, lab.lasts_until) if unused else 0
    return Saved(slept, unused - extended, extended)


def spending(lab: Lab) -> Mapping[str, Mapping[str, int]]:
    """By month, what the lab adds to its sums."""
    if lab.meter is None:
        return {}
    if lab.phase not in OVER or lab.ended_at is None:
        return _by_month(lab, _foreseen(lab), lab.lasts_until)
    found = {month: Counter(amounts) for month, amounts in _by_month(lab, lab.meter, lab.ended_at).items()}
    amounts, last = saved(lab, lab.ended_at), max(found, default="")
    if last:
        found[last].update({SLEPT: amounts.slept, ENDED: amounts.ended, EXTENDED: amounts.extended})
    return {month: {name: amount for name, amount in each.items() if amount} for month, each in found.items()}


def _by_month(lab: Lab, meter: Meter | None, until: datetime) -> Mapping[str, Mapping[str, int]]:
    if meter is None:
        return {}
    last = max(until, meter.spans[-1].since) if meter.spans else until
    return {month: {LABS: 1, COST: cost} for month, cost in meter.months(lab.begins_at, last).items()}


def _foreseen(lab: Lab) -> Meter | None:
    return lab.meter.foreseen(lab.begins_at, lab.meter.awake(lab.node_counts)) if lab.meter else None


def sums_of(lab: Lab) -> tuple[tuple[Scope, str], ...]:
    """The sums that a lab is in, each with whose it is (the installation's: ""). A shared role has one of its own, since whoever
    may assume it can be as many persons as they like.
    """
    role = shared_role(lab.owner)
    return (
        (Scope.INSTALLATION, ""),
        (Scope.PERSON, lab.counted_as),
        *([(Scope.ROLE, role)] if role else []),
        (Scope.ACCOUNT, lab.account),
        *((Scope.TAG, tag) for tag in lab.cost_tags),
    )
