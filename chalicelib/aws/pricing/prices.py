"""Prices of a region: AWS's Price List, kept for a day in a process; the bundled table for whatever it doesn't give.

Implements `Curfew.prices`. `pricing` is a client of us-east-1, eu-central-1 or ap-south-1, the service's only regions, and
needs pricing:GetProducts. Nothing here raises: an amount is never worth a lab's night. The source always says what it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.aws.pricing.prices_products import BASE, Wanted, an_instance, price_of
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.costs import Prices
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.logs import logger

LIVE = "AWS Price List"
KEPT_FOR = timedelta(days=1)
#: What could not be had is asked for again after this.
ASK_AGAIN = timedelta(minutes=10)
_TABLE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True)
class _Kept:
    price: float | None
    until: datetime


class PriceList:
    """`now` as Clock.now."""

    def __init__(self, pricing: Any, now: Callable[[], datetime]) -> None:
        self._pricing, self._now = pricing, now
        self._kept: dict[tuple[str, str], _Kept] = {}

    def prices(self, region: str) -> Prices:
        """The region's prices. The bundled ones are of ap-northeast-2 wherever the lab is; `source` says so. Never raises."""
        table = bundled()
        found = {name: self.price(region, wanted) for name, wanted in BASE.items()}
        missing = [name for name, price in found.items() if price is None]
        if len(missing) == len(BASE):
            return table
        known = asdict(table) | {name: price for name, price in found.items() if price is not None}
        return Prices(
            region=region,
            **{name: known[name] for name in BASE},
            instances=_Instances(lambda kind: self.price(region, an_instance(kind))),
            source=LIVE if not missing else f"{LIVE}, and {table.source} for {', '.join(missing)}",
            as_of=self._now().date(),
        )

    def price(self, region: str, wanted: Wanted) -> float | None:
        """USD of one product; None if the list has none, or could not be read. Never raises."""
        key = region, wanted.usage_type
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._now():
            price = self._asked(region, wanted)
            kept = self._kept[key] = _Kept(price, self._now() + (ASK_AGAIN if price is None else KEPT_FOR))
        return kept.price

    def _asked(self, region: str, wanted: Wanted) -> float | None:
        if self._is_silent():
            return None
        try:
            return price_of(self._pricing, region, wanted)
        except (AwsRefused, Transient) as error:
            logger.warning("price list could not be read", extra={"region": region, "reason": str(error)})
            self._kept[_SILENT] = _Kept(None, self._now() + ASK_AGAIN)
            return None

    def _is_silent(self) -> bool:
        """Whether it failed a moment ago: a page that shows a price doesn't wait for it five times over."""
        silent = self._kept.get(_SILENT)
        return silent is not None and self._now() < silent.until


_SILENT = ("", "")


class _Instances(Mapping[str, float]):
    """Instance types' prices, each asked for when it is needed: a region has about a thousand types, a lab one or two."""

    def __init__(self, price: Callable[[str], float | None]) -> None:
        self._price = price
        self._found: dict[str, float] = {}

    def __getitem__(self, kind: str) -> float:
        price = self._price(kind)
        if price is None:
            raise KeyError(kind)
        self._found[kind] = price
        return price

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def bundled() -> Prices:
    """The table that ships with the service."""
    table = json.loads(_TABLE.read_text())
    return Prices(
        region=table["region"],
        control_plane=table["controlPlane"],
        extended_extra=table["extendedExtra"],
        gp3_gib_month=table["gp3GibMonth"],
        nat_hour=table["natHour"],
        public_ipv4_hour=table["publicIpv4Hour"],
        instances=table["instances"],
        source=f"bundled prices of {table['region']}",
        as_of=date.fromisoformat(table["as_of"]),
    )
