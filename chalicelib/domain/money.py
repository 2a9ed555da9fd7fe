"""What a lab costs: hourly rates from a price list, and sums in sentences. USD; list prices without tax or discount."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Prices:
    """USD of one region. `instances`: by type, an hour; a type that is not in it has no known price. Source with its date."""

    region: str
    control_plane: float
    extended_extra: float
    gp3_gib_month: float
    nat_hour: float
    public_ipv4_hour: float
    instances: Mapping[str, float] = field(default_factory=dict)
    source: str = "bundled"
    as_of: date | None = None
