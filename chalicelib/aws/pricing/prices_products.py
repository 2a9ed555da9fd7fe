"""Which products of AWS's Price List the prices are, and how a price is read off one. Used by `prices.py`.

A usage type is `APN2-BoxUsage:t3.medium`, or without its prefix in us-east-1; the prefix can't be derived from a region, so
products are found by regionCode and told by what follows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import AwsRefused


@dataclass(frozen=True)
class Wanted:
    """`usage_type` without its prefix. `attributes` narrow down what GetProducts lists; where none do, it is paged through."""

    service: str
    usage_type: str
    attributes: Mapping[str, str] = field(default_factory=dict)


#: By the name of the field of Prices.
BASE: Mapping[str, Wanted] = {
    "control_plane": Wanted("AmazonEKS", "AmazonEKS-Hours:perCluster"),
    "extended_extra": Wanted("AmazonEKS", "AmazonEKS-Hours:extendedSupport"),
    "gp3_gib_month": Wanted("AmazonEC2", "EBS:VolumeUsage.gp3", {"volumeApiName": "gp3"}),
    "nat_hour": Wanted("AmazonEC2", "NatGateway-Hours", {"productFamily": "NAT Gateway"}),
    "public_ipv4_hour": Wanted("AmazonVPC", "PublicIPv4:InUseAddress"),
}


def an_instance(kind: str) -> Wanted:
    """An instance type on demand: Linux, shared tenancy, no software that is paid for."""
    attributes = {
        "instanceType": kind,
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }
    return Wanted("AmazonEC2", f"BoxUsage:{kind}", attributes)


def price_of(pricing: Any, region: str, wanted: Wanted) -> float | None:
    """USD a unit of the first product that is wanted; None if there is none. Raises AwsRefused (also of nonsense), Transient."""
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


def _is(product: Mapping[str, Any], wanted: Wanted) -> bool:
    """`APN2-NatGateway-Hours` is a NAT gateway's hours, `APN2-RegionalNatGateway-Hours` is something else."""
    usage_type = str(product.get("product", {}).get("attributes", {}).get("usagetype", ""))
    return usage_type == wanted.usage_type or usage_type.endswith(f"-{wanted.usage_type}")


def _on_demand(product: Mapping[str, Any]) -> Iterator[float]:
    """The price from the first unit on. A free first tier is no price, and what is not in USD is none that can be added."""
    terms = product.get("terms", {}).get("OnDemand", {}).values()
    tiers = [tier for term in terms for tier in term.get("priceDimensions", {}).values()]
    priced = [
        (float(tier.get("beginRange", "0")), float(tier.get("pricePerUnit", {}).get("USD", "0"))) for tier in tiers
    ]
    yield from [usd for _, usd in sorted(priced) if usd > 0][:1]
