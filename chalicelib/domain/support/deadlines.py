"""The deadlines of a cluster by version, calendar and policy: effect, time and cost.

Pure. Dates come from the calendar, never from counting months. Instants are aware UTC, 00:00Z of AWS's date.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass

#: USD. Extended support adds 0.50 to 0.10 an hour; a month is 730 hours, as AWS bills it.
EXTENDED_PER_HOUR = 0.50
EXTENDED_PER_MONTH = 365


class SupportPhase(StrEnum):
    """The support phase of a version."""

    STANDARD = "standard"
    EXTENDED = "extended"
    PAST_END = "past-the-end"
    UNKNOWN = "unknown-version"


class DeadlineKind(StrEnum):
    """The effect of a deadline."""

    EXTENDED_BILLING = "extended-billing"
    FORCED_UPGRADE = "forced-upgrade"


@dataclass(frozen=True)
class Deadline:
    """One coming event. `target`: the version AWS upgrades to, None for billing. `source` and `as_of` of the date."""

    kind: DeadlineKind
    version: str
    at: datetime
    source: str
    as_of: datetime
    target: str | None = None

    @property
    def id(self) -> str:
        """The name of this deadline; a moved date is another deadline."""
        return f"{self.kind}#{self.version}#{self.at:%Y-%m-%d}"


@dataclass(frozen=True)
class Support:
    """A cluster's support. `deadlines`: the coming ones and an overdue forced upgrade, nearest first.

    `billed_extended`: it pays $0.60 an hour now, and `begun` is the billing deadline that has passed.
    `lease_first`: a lab whose lease ends before its next deadline.
    """

    phase: SupportPhase
    deadlines: tuple[Deadline, ...]
    billed_extended: bool
    lease_first: bool = False
    reason: str = ""
    begun: Deadline | None = None

    @property
    def next(self) -> Deadline | None:
        """The nearest deadline."""
        return self.deadlines[0] if self.deadlines else None


def deadlines_of(support: Support) -> tuple[Deadline, ...]:
    """Every current deadline: the billing that has begun, and the coming ones."""
    return (support.begun, *support.deadlines) if support.begun else support.deadlines
