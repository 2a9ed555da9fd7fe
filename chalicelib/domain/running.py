"""What runs now, in two numbers that are kept as labs come and go: nobody has to look at every lab to know them."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.labs.lab import Phase


@dataclass(frozen=True)
class Running:
    """`phases`: how many labs are in each, those that are over left out. `hourly_usd`: what those looked at by a sweep cost."""

    phases: Mapping[Phase, int]
    hourly_usd: float
