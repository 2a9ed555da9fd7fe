"""What Kubernetes made of a living lab's: load balancers, volumes, instances, from when the inventory found them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.proof import Proof
from chalicelib.domain.core.resources import EntryState, LedgerEntry
from chalicelib.domain.costs import HOURS_A_MONTH, Prices
from chalicelib.domain.teardown.unproven import usd_month

#: What the lab asked for itself is in its own price.
_ITS_OWN = frozenset({Proof.ANSWER, Proof.STACK, Proof.AWS})


@dataclass(frozen=True)
class FoundCost:
    """`since`: when the inventory found it; it may be older. USD; None where no price is known."""

    arn: str
    kind: str
    since: datetime
    hour: float | None
    so_far: float | None


def is_found(entry: LedgerEntry) -> bool:
    """Whether something in the cluster made it: it is proved the lab's, and the lab did not ask for it."""
    return entry.state is EntryState.PRESENT and entry.grounds is not None and entry.grounds not in _ITS_OWN


def found_costs(ledger: Iterable[LedgerEntry], prices: Prices, now: datetime) -> Iterator[FoundCost]:
    """What each that costs something costs; what is free is left out."""
    for entry in filter(is_found, ledger):
        month = usd_month(entry.resource, prices)
        if month == 0:
            continue
        hour = None if month is None else month / HOURS_A_MONTH
        hours = (now - entry.recorded_at).total_seconds() / 3600
        so_far = None if hour is None else hour * hours
        yield FoundCost(entry.resource.arn, str(entry.resource.kind), entry.recorded_at, hour, so_far)
