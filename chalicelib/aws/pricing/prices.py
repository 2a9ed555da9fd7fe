"""Prices of a region from AWS's Price List, cached for a day per process; the bundled table fills gaps.

Implements `Curfew.prices`. `pricing` is a client of us-east-1, eu-central-1 or ap-south-1, the service's only regions, and
needs pricing:GetProducts. Nothing here raises: an amount is never worth a lab's night. `source` names the source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.codec import loads
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import Prices
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.logs import logger

LIVE = Sentence("AWS Price List")
KEPT_FOR = timedelta(days=1)
#: The pause after a failed read.
ASK_AGAIN = timedelta(minutes=10)

_TABLE = Path(__file__).with_name("prices.json")


class PriceList:
    """`now`: Clock.now."""

    def __init__(self, pricing: Any, now: Callable[[], datetime]) -> None:
        self._pricing, self._now, self._silent_until = pricing, now, now()
        #: By region and usage type: the price, and until when it is kept.
        self._kept: dict[tuple[str, str], tuple[float | None, datetime]] = {}

    def prices(self, region: str) -> Prices:
        """The region's prices. The bundled ones are those of ap-northeast-2 for every lab; `source` says so. Never raises."""
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
            source=LIVE
            if not missing
            else Sentence("{live}, and {table} for {names}", live=LIVE, table=table.source, names=", ".join(missing)),
            as_of=self._now().date(),
        )

    def price(self, region: str, wanted: PriceQuery) -> float | None:
        """USD of one product; None if the list has none, or could not be read. Never raises."""
        key = region, wanted.usage_type
        kept = self._kept.get(key)
        if kept is None or kept[1] <= self._now():
            price = self._asked(region, wanted)
            kept = self._kept[key] = price, self._now() + (ASK_AGAIN if price is None else KEPT_FOR)
        return kept[0]

    def _asked(self, region: str, wanted: PriceQuery) -> float | None:
        # It failed a moment ago: a page with several prices waits only once.
        if self._now() < self._silent_until:
            return None
        try:
            return price_of(self._pricing, region, wanted)
        except (AwsRefused, Transient) as error:
            logger.warning("price list could not be read", extra={"region": region, "reason": str(error)})
            self._silent_until = self._now() + ASK_AGAIN
            return None


class _Instances(Mapping[str, float]):
    """Instance types' prices, each read when needed: a region has about a thousand types, a lab one or two."""

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
    table = loads(Prices, _TABLE.read_text())
    return replace(table, source=Sentence("bundled prices of {region}", region=table.region))


@dataclass(frozen=True)
class PriceQuery:
    """`usage_type` without its prefix. `attributes` filter GetProducts' list; without any, all its pages are read."""

    service: str
    usage_type: str
    attributes: Mapping[str, str] = field(default_factory=dict)


#: By the name of the field of Prices.
BASE: Mapping[str, PriceQuery] = {
    "control_plane": PriceQuery("AmazonEKS", "AmazonEKS-Hours:perCluster"),
    "extended_extra": PriceQuery("AmazonEKS", "AmazonEKS-Hours:extendedSupport"),
    "gp3_gib_month": PriceQuery("AmazonEC2", "EBS:VolumeUsage.gp3", {"volumeApiName": "gp3"}),
    "nat_hour": PriceQuery("AmazonEC2", "NatGateway-Hours", {"productFamily": "NAT Gateway"}),
    "public_ipv4_hour": PriceQuery("AmazonVPC", "PublicIPv4:InUseAddress"),
}


def an_instance(kind: str) -> PriceQuery:
    """An instance type on demand: Linux, shared tenancy, no paid software."""
    attributes = {
        "instanceType": kind,
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }
    return PriceQuery("AmazonEC2", f"BoxUsage:{kind}", attributes)


def price_of(pricing: Any, region: str, wanted: PriceQuery) -> float | None:
    """USD a unit of the first matching product; None if there is none. Raises AwsRefused (also for nonsense), Transient."""
    narrow = {"regionCode": region, **wanted.attributes}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in narrow.items()]
    with translate("pricing:GetProducts"):
        pages = pricing.get_paginator("get_products").paginate(
            ServiceCode=wanted.service, Filters=filters, FormatVersion="aws_v1", PaginationConfig={"PageSize": 100}
        )
        products = (json.loads(product) for page in pages for product in page["PriceList"])
        prices = (price for product in products if _is(product, wanted) for price in _on_demand(product))
        try:
            return next(prices, None)
        except ValueError as error:
            raise AwsRefused("pricing:GetProducts", "Unreadable", str(error)) from error


def _is(product: Mapping[str, Any], wanted: PriceQuery) -> bool:
    """`APN2-NatGateway-Hours` is a NAT gateway's hours, `APN2-RegionalNatGateway-Hours` is something else."""
    usage_type = str(product.get("product", {}).get("attributes", {}).get("usagetype", ""))
    return usage_type == wanted.usage_type or usage_type.endswith(f"-{wanted.usage_type}")


def _on_demand(product: Mapping[str, Any]) -> Iterator[float]:
    """The price from the first unit on. A free first tier does not count, nor does a price in another currency than USD."""
    terms = product.get("terms", {}).get("OnDemand", {}).values()
    tiers = [tier for term in terms for tier in term.get("priceDimensions", {}).values()]
    priced = [
        (float(tier.get("beginRange", "0")), float(tier.get("pricePerUnit", {}).get("USD", "0"))) for tier in tiers
    ]
    yield from [usd for _, usd in sorted(priced) if usd > 0][:1]
