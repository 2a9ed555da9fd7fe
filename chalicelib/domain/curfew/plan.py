"""Tonight's plan: the labs that are to end or to hibernate, the reasons, and the outcomes. See ADR 7.

An entry never changes once published, and the plan's hash covers it. Its status (the outcome so far) changes, outside the hash.
A plan's date is the local calendar day, in the lab's own zone, on which the entry is due.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.labs.schedule import AtCurfew


class Trigger(StrEnum):
    """Why a lab is on the plan. GONE: EKS no longer knows its cluster. ADOPTED: a cluster of the service without a record.

    LIMIT: a monthly ceiling is reached whose rule hibernates labs in use (`atLimit`); it never ends them.
    """

    IDLE = "idle"
    LIMIT = "month-limit"
    LEASE = "lease-ends"
    GONE = "cluster-gone"
    ADOPTED = "adopted"


#: Triggers that act at a curfew, and at no other time.
AT_CURFEW = frozenset({Trigger.IDLE, Trigger.LIMIT})


class Basis(StrEnum):
    """AGREED: the owner has known this end since the lease began or was extended.

    JUDGED: the service judged the lab idle, gone or orphaned.
    """

    JUDGED = "judged"
    AGREED = "agreed"


@dataclass(frozen=True)
class Stakes:
    """Numbers of resources deleted with the lab. None: not known."""

    nodes: int | None = None
    pods: int | None = None
    volumes: int | None = None
    balancers: int | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the plan of `night`. `at`: curfew, or the lease's end.

    `hourly_usd`: the lab's cost an hour, `saved_hourly_usd`: the part that the act saves; None if not known.
    `foreseen`: whether an agreed end was known a day before it, or when the lab was asked for. `time_zone`: the lab's.
    """

    night: date
    lab_id: str
    at: datetime
    act: AtCurfew
    trigger: Trigger
    reason: str
    owner: str
    name: str
    region: str
    planned_at: datetime
    stakes: Stakes = Stakes()
    hourly_usd: float | None = None
    saved_hourly_usd: float | None = None
    foreseen: bool = True
    time_zone: str = "UTC"

    @property
    def basis(self) -> Basis:
        """The kind of end, by which the brake counts it."""
        return Basis.AGREED if self.trigger is Trigger.LEASE else Basis.JUDGED

    @property
    def id(self) -> str:
        """Unique within its night: the same lab at the same instant is the same entry."""
        return f"{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}#{self.lab_id}"


class EntryOutcome(StrEnum):
    """STANDING: still to come. ACTING: written before the act, settled after it."""

    STANDING = "standing"
    ACTING = "acting"
    ENDED = "ended"
    HIBERNATED = "hibernated"
    SKIPPED = "skipped"


#: Final outcomes.
SETTLED = frozenset({EntryOutcome.ENDED, EntryOutcome.HIBERNATED, EntryOutcome.SKIPPED})


@dataclass(frozen=True)
class Unheard:
    """The recipient of a warning that bounced before the act, or that SES refused, and the reason."""

    recipient: str
    why: str


@dataclass(frozen=True)
class EntryStatus:
    """The outcome of an entry so far. `warned_at`: when its warning was delivered, with the provider's `message_id`.

    `trouble`: why the warning was not delivered so far. `braked_at`: when the brake first held the entry. `called_off_at`: when a
    run called the act off. `sending_until`: until then only one run may send the warning. `mail`: the
    record of the mail that carries it. `unheard`: warnings that bounced before the act, or that SES refused; the notice period
    counts from a later one.
    """

    night: date
    entry_id: str
    lab_id: str
    outcome: EntryOutcome = EntryOutcome.STANDING
    reason: str = ""
    warned_at: datetime | None = None
    message_id: str | None = None
    recipient: str | None = None
    trouble: str = ""
    braked_at: datetime | None = None
    called_off_at: datetime | None = None
    sending_until: datetime | None = None
    settled_at: datetime | None = None
    saved_usd: float = 0.0
    mail: str = ""
    unheard: tuple[Unheard, ...] = ()
    version: int = 0


class PlanLine(NamedTuple):
    """An entry and its outcome so far."""

    entry: Entry
    status: EntryStatus


@dataclass(frozen=True)
class PlanHeader:
    """`revision` counts publications; `hash` is over all entries. `reported_at`: when the night's report was posted.

    `guarded_at`: when the night was held for unforeseen ends. `released_at`: when the administrator `released_by` released the
    entries with the ids `released` from brake and guard.
    """

    night: date
    revision: int
    hash: str
    published_at: datetime
    entries: int
    reported_at: datetime | None = None
    brake_notified_at: datetime | None = None
    guarded_at: datetime | None = None
    released_at: datetime | None = None
    released_by: str = ""
    released: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A date's plan: entries by time, each with its status."""

    header: PlanHeader
    lines: tuple[PlanLine, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the entries are the published ones."""
        return plan_hash(entry for entry, _ in self.lines) == self.header.hash


@dataclass(frozen=True)
class PlanPage:
    """A part of a plan's lines by time, as one person may see them. `others`: the number of lines that they may not see; None on
    one of several pages.

    `is_whole`: no sign that a line differs from the published one. `after`: the last one's id if there are more.
    """

    header: PlanHeader
    lines: tuple[PlanLine, ...]
    others: int | None = 0
    is_whole: bool = True
    after: str | None = None


def plan_hash(entries: Iterable[Entry]) -> str:
    """SHA-256 over the entries' own hashes, in order of their ids: adding to a plan reads no entry."""
    return hash_of_digests(entry_digest(entry) for entry in sorted(entries, key=lambda entry: entry.id))


def hash_of_digests(digests: Iterable[str]) -> str:
    """A plan's hash from its entries' hashes, which come in order of their ids."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def entry_digest(entry: Entry) -> str:
    """SHA-256 of an entry's canonical JSON, with all of its fields."""
    message = {name: _plain(getattr(entry, name)) for name in Entry.__dataclass_fields__}
    return hashlib.sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    """Equal values have one form: an instant in any zone, and a whole number of dollars."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return float(value)
    if isinstance(value, Stakes):
        return [value.nodes, value.pods, value.volumes, value.balancers]
    return value
