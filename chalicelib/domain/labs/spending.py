"""A lab's share of the monthly sums: the expected cost of its lease while it lives, its actual cost and savings once it is over.

The store records on each lab's item its share of the sums, and updates both with every save in one transaction: so
a lab's end frees its money once, and nothing is reserved for a lab that was not stored.
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
    """The labs that a sum or a ceiling covers."""

    LAB = "lab"
    PERSON = "person"
    ROLE = "role"
    TEAM = "team"
    ACCOUNT = "account"
    TAG = "tag"
    INSTALLATION = "installation"


#: A stored sum: its month, scope and holder.
SumOf = tuple[str, Scope, str]


@dataclass(frozen=True)
class MonthCeilings:
    """The ceilings of one month, in millionths of USD; None: no ceiling. `role`: all sessions of a shared role together."""

    person: int | None = None
    role: int | None = None
    installation: int | None = None

    def most(self, scope: Scope) -> int | None:
        """The ceiling of a stored sum."""
        kept = {Scope.PERSON: self.person, Scope.ROLE: self.role, Scope.INSTALLATION: self.installation}
        return kept.get(scope)


@dataclass(frozen=True)
class MonthSum:
    """A month's sum of one person, role, account or tag. `identities`: the identities by which a person owns labs in it."""

    whose: str
    identities: tuple[str, ...]
    amounts: Mapping[str, int]


@dataclass(frozen=True)
class Saved:
    """Savings in millionths of USD: nodes that slept, an early end, extended support that was not reached."""

    slept: int = 0
    ended: int = 0
    extended: int = 0

    @property
    def total(self) -> int:
        """The sum of the three."""
        return self.slept + self.ended + self.extended


def foreseen(lab: Lab) -> int:
    """The lab's cost from its request to the end of its lease, in millionths of USD; 0 without a price."""
    return sum(amounts[COST] for amounts in _by_month(lab, _foreseen(lab), lab.lasts_until).values())


def spent(lab: Lab, now: datetime) -> int:
    """The cost so far."""
    return lab.meter.cost(lab.begins_at, lab.ended_at or now) if lab.meter else 0


def to_lease_end(lab: Lab, now: datetime) -> int:
    """The cost from now until the end of the lease if the lab stays awake; 0 once it is over."""
    whole = _foreseen(lab)
    return 0 if whole is None or lab.phase in OVER else whole.cost(max(now, lab.begins_at), lab.lasts_until)


def saved(lab: Lab, now: datetime) -> Saved:
    """The savings so far. Once the lab is over, an early end is compared with its lease."""
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
    """The lab's amounts by month."""
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
    """The sums that a lab is in, each with its holder (of the installation: ""). A shared role has a sum of its own, since one
    person can assume it under many session names.
    """
    role = shared_role(lab.owner)
    return (
        (Scope.INSTALLATION, ""),
        (Scope.PERSON, lab.counted_as),
        *([(Scope.ROLE, role)] if role else []),
        (Scope.ACCOUNT, lab.account),
        *((Scope.TAG, tag) for tag in lab.cost_tags),
    )
