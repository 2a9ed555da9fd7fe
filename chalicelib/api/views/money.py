"""Money for callers: a lab's cost an hour, so far and to come, and its savings. USD; from the lab's own record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.api.views.json_format import to_json
from chalicelib.domain.costs import LeasePrice
from chalicelib.domain.labs.lab import OVER, Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import saved, spent, to_lease_end
from chalicelib.domain.teardown.unproven import FoundCost

Json = dict[str, Any]


def usd_view(lab: Lab, now: datetime, found: Iterable[FoundCost] = ()) -> Json | None:
    """null: never priced. `hour` of a lab that is not created yet: its future cost. `found`: by Kubernetes, in no sum."""
    meter = lab.meter
    if meter is None:
        return None
    kept = saved(lab, now)
    begun = bool(meter.spans) or lab.phase in OVER
    return {
        "hour": dollars(meter.hour_at(now) if begun else meter.awake(lab.node_counts), 4),
        "soFar": dollars(spent(lab, now)),
        "toLeaseEnd": dollars(to_lease_end(lab, now)),
        "saved": {
            "total": dollars(kept.total),
            "slept": dollars(kept.slept),
            "ended": dollars(kept.ended),
            "extendedSupport": dollars(kept.extended),
        },
        "atLeast": bool(meter.unknown),
        "unknown": list(meter.unknown),
        "source": meter.source,
        **_found(found),
    }


def price_view(price: LeasePrice) -> Json:
    """The cost of a lease by part, an hour and in all, awake and asleep. `from`: the start of a part's billing, if not at once."""
    parts = [
        {
            "name": part.name,
            "usdAnHour": round(part.hour, 4),
            "usdAnHourAsleep": round(part.hour_asleep, 4),
            "usd": round(part.lease, 2),
            "usdAsleep": round(part.lease_asleep, 2),
            "from": to_json(part.begins_at),
        }
        for part in price.parts
    ]
    return {
        "usdAnHourAsleep": round(price.hour_asleep, 4),
        "usdAsleep": None if price.unknown else round(price.lease_asleep, 2),
        "atLeast": bool(price.unknown),
        "unknown": list(price.unknown),
        "parts": parts,
        "asOf": to_json(price.as_of),
    }


def dollars(micro: int, digits: int = 2) -> float:
    """Millionths as USD."""
    return round(micro / MICRO, digits)


def _found(found: Iterable[FoundCost]) -> Json:
    lines = [
        {
            "arn": each.arn,
            "kind": each.kind,
            "since": f"{each.since:%Y-%m-%dT%H:%M:%SZ}",
            "hour": None if each.hour is None else round(each.hour, 4),
            "soFar": None if each.so_far is None else round(each.so_far, 2),
        }
        for each in found
    ]
    return {"found": lines} if lines else {}
