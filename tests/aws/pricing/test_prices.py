"""Prices from documents in GetProducts' format, and the defaults for missing ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from chalicelib.aws.pricing.prices import (
    ASK_AGAIN,
    BASE,
    KEPT_FOR,
    LIVE,
    PriceList,
    PriceQuery,
    an_instance,
    bundled,
    price_of,
)
from chalicelib.domain.costs import describe_cost, describe_source, hourly_cost
from tests.fakes.builders import NOW, a_lab, a_nodegroup, a_spec
from tests.paths import PROJECT

REGION = "eu-west-1"


def a_product(usage_type: str, *tiers: tuple[str, str], currency: str = "USD", **attributes: str) -> str:
    """A document of the price list: one product with its on-demand terms, and a reserved one that must not be read."""
    dimensions = {
        f"SKU.JRTCKXETXF.{number}": {
            "rateCode": f"SKU.JRTCKXETXF.{number}",
            "unit": "Hrs",
            "beginRange": begin,
            "endRange": "Inf",
            "description": "as listed",
            "appliesTo": [],
            "pricePerUnit": {currency: price},
        }
        for number, (begin, price) in enumerate(tiers)
    }
    term = {"sku": "SKU", "offerTermCode": "JRTCKXETXF", "termAttributes": {}, "priceDimensions": dimensions}
    reserved = {"priceDimensions": {"SKU.R.0": {"beginRange": "0", "pricePerUnit": {currency: "0.0001"}}}}
    document = {
        "product": {"sku": "SKU", "attributes": {"usagetype": usage_type, "regionCode": REGION, **attributes}},
        "serviceCode": "any",
        "terms": {"OnDemand": {"SKU.JRTCKXETXF": term}, "Reserved": {"SKU.R": reserved}},
        "version": "20261101000000",
        "publicationDate": "2026-11-01T00:00:00Z",
    }
    return json.dumps(document)


PRODUCTS = {
    "AmazonEKS": [
        a_product("EU-Fargate-vCPU-Hours:perCPU", ("0", "0.04")),
        a_product("EU-AmazonEKS-Hours:perCluster", ("0", "0.1000000000")),
        a_product("EU-AmazonEKS-Hours:extendedSupport", ("0", "0.5000000000")),
    ],
    "AmazonEC2": [
        a_product("EU-EBS:VolumeP-IOPS.gp3", ("0", "0.0055"), volumeApiName="gp3"),
        a_product("EU-EBS:VolumeUsage.gp3", ("0", "0.0880"), volumeApiName="gp3"),
        a_product("EU-RegionalNatGateway-Hours", ("0", "0.0960"), productFamily="NAT Gateway"),
        a_product("EU-NatGateway-Hours", ("0", "0.0480"), productFamily="NAT Gateway"),
        a_product("EU-BoxUsage:t3.medium", ("0", "0.0456"), instanceType="t3.medium"),
    ],
    "AmazonVPC": [
        a_product("EU-PublicIPv4:IdleAddress", ("0", "0.0060")),
        a_product("EU-PublicIPv4:InUseAddress", ("0", "0.0000"), ("750", "0.0050")),
    ],
}


@dataclass
class Pricing:
    """GetProducts over `products`, two to a page, filtered by those attributes that a product has. Counts its calls."""

    products: dict[str, list[str]] = field(default_factory=lambda: dict(PRODUCTS))
    failure: Exception | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def get_paginator(self, name: str) -> Pricing:
        assert name == "get_products"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        service, narrow = asked["ServiceCode"], {one["Field"]: one["Value"] for one in asked["Filters"]}
        self.asked.append((service, narrow))
        if self.failure is not None:
            raise self.failure
        listed = [one for one in self.products.get(service, []) if _fits(one, narrow)]
        for begin in range(0, len(listed), 2):
            yield {"PriceList": listed[begin : begin + 2]}


def _fits(product: str, narrow: dict[str, str]) -> bool:
    has = json.loads(product).get("product", {}).get("attributes", {})
    return all(has.get(name, value) == value for name, value in narrow.items())


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Shop:
    pricing: Pricing
    clock: Clock
    list: PriceList


@pytest.fixture
def shop() -> Shop:
    pricing, clock = Pricing(), Clock()
    return Shop(pricing, clock, PriceList(pricing, clock.now))


def refused(code: str = "AccessDeniedException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetProducts")


def test_a_regions_prices_are_told_by_their_usage_types(shop: Shop) -> None:
    prices = shop.list.prices(REGION)
    assert (prices.control_plane, prices.extended_extra, prices.gp3_gib_month) == (0.10, 0.50, 0.088)
    assert (prices.nat_hour, prices.public_ipv4_hour) == (0.048, 0.005)
    assert (prices.region, prices.source, prices.as_of) == (REGION, LIVE, date(2026, 11, 23))


def test_an_instance_type_is_asked_for_when_it_is_needed(shop: Shop) -> None:
    prices = shop.list.prices(REGION)
    before = len(shop.pricing.asked)
    assert prices.instances["t3.medium"] == 0.0456
    assert "p5.48xlarge" not in prices.instances
    assert list(prices.instances) == ["t3.medium"]
    assert [narrow["instanceType"] for _, narrow in shop.pricing.asked[before:]] == ["t3.medium", "p5.48xlarge"]
    assert shop.pricing.asked[before][1] == {
        "regionCode": REGION,
        "instanceType": "t3.medium",
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
    }


def test_a_labs_cost_is_reckoned_with_them_and_an_unlisted_type_makes_it_an_at_least(shop: Shop) -> None:
    groups = (a_nodegroup(), a_nodegroup(name="gpu", instance_types=("p5.48xlarge",)))
    cost = hourly_cost(a_lab(spec=a_spec(region=REGION, nodegroups=groups)), shop.list.prices(REGION), False)
    assert describe_cost(cost) == "at least $0.23 an hour (no price known for p5.48xlarge)"
    assert describe_source(cost) == "AWS Price List of 23 Nov 2026"


def test_prices_are_read_once_a_day(shop: Shop) -> None:
    shop.list.prices(REGION)
    asked = len(shop.pricing.asked)
    shop.clock.at += KEPT_FOR - timedelta(seconds=1)
    assert shop.list.prices(REGION).control_plane == 0.10
    assert len(shop.pricing.asked) == asked
    shop.clock.at += timedelta(seconds=1)
    shop.list.prices(REGION)
    assert len(shop.pricing.asked) == 2 * asked


@pytest.mark.parametrize(
    "failure",
    [refused(), refused("ThrottlingException"), EndpointConnectionError(endpoint_url="https://api.pricing.example")],
    ids=lambda failure: str(failure)[:40],
)
def test_without_a_price_list_the_bundled_prices_are_used_and_say_whose_they_are(
    shop: Shop, failure: Exception
) -> None:
    shop.pricing.failure = failure
    prices = shop.list.prices(REGION)
    assert prices == bundled()
    assert (prices.region, prices.source) == ("ap-northeast-2", "bundled prices of ap-northeast-2")
    assert prices.instances["t3.medium"] == 0.052


def test_a_price_list_that_fails_is_left_alone_for_ten_minutes_and_then_asked_again(shop: Shop) -> None:
    shop.pricing.failure = refused()
    shop.list.prices(REGION)
    shop.list.prices("us-east-1")
    assert len(shop.pricing.asked) == 1
    shop.pricing.failure = None
    shop.clock.at += ASK_AGAIN
    assert shop.list.prices(REGION).source == LIVE


def test_what_the_list_lacks_is_bundled_and_named_in_the_source(shop: Shop) -> None:
    shop.pricing.products["AmazonVPC"] = []
    prices = shop.list.prices(REGION)
    assert prices.public_ipv4_hour == 0.005
    assert prices.gp3_gib_month == 0.088
    assert prices.source == "AWS Price List, and bundled prices of ap-northeast-2 for public_ipv4_hour"


def test_a_price_in_another_currency_is_none(shop: Shop) -> None:
    yuan = a_product("CNN1-AmazonEKS-Hours:perCluster", ("0", "0.688"), currency="CNY")
    shop.pricing.products = {"AmazonEKS": [yuan]}
    assert shop.list.prices("cn-north-1") == bundled()


@pytest.mark.parametrize("usage_type", ["NatGateway-Hours", "APN2-NatGateway-Hours"])
def test_a_usage_type_has_a_prefix_in_most_regions(usage_type: str) -> None:
    pricing = Pricing({"AmazonEC2": [a_product(usage_type, ("0", "0.059"))]})
    assert price_of(pricing, REGION, BASE["nat_hour"]) == 0.059


def test_a_product_without_terms_or_attributes_is_passed_over() -> None:
    bare = [json.dumps({}), json.dumps({"product": {"attributes": {"usagetype": "NatGateway-Hours"}}})]
    assert price_of(Pricing({"AmazonEC2": bare}), REGION, BASE["nat_hour"]) is None


def test_nonsense_in_the_list_is_no_price_and_stops_nobody(shop: Shop) -> None:
    shop.pricing.products["AmazonEKS"] = [a_product("EU-AmazonEKS-Hours:perCluster", ("0", "ten cents"))]
    assert shop.list.prices(REGION) == bundled()


@pytest.mark.parametrize("wanted", [*BASE.values(), an_instance("t3.medium")], ids=lambda wanted: wanted.usage_type)
def test_requests_and_answers_have_the_shape_that_botocore_knows(wanted: PriceQuery) -> None:
    pricing = boto3.client("pricing", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    filters = {"regionCode": REGION, **wanted.attributes}
    asked = {
        "ServiceCode": wanted.service,
        "Filters": [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in filters.items()],
        "FormatVersion": "aws_v1",
        "MaxResults": 100,
    }
    first = {"FormatVersion": "aws_v1", "PriceList": [a_product("EU-Other", ("0", "1"))], "NextToken": "more"}
    second = {"FormatVersion": "aws_v1", "PriceList": [a_product(f"EU-{wanted.usage_type}", ("0", "0.25"))]}
    with Stubber(pricing) as stub:
        stub.add_response("get_products", first, asked)
        stub.add_response("get_products", second, {**asked, "NextToken": "more"})
        assert price_of(pricing, REGION, wanted) == 0.25
        stub.assert_no_pending_responses()


def test_the_page_on_costs_shows_the_bundled_prices() -> None:
    page = (PROJECT / "docs/reference/costs.md").read_text().partition("| bundled | $ |\n")[2]
    rows = [line.split("|") for line in page.splitlines() if line.endswith("|")][1:]
    message = [float(price) for _, _, price, _ in rows]
    table = bundled()
    base = [table.control_plane, table.extended_extra, table.gp3_gib_month, table.nat_hour, table.public_ipv4_hour]
    assert message == [*base, table.instances["t3.medium"]]


def test_the_page_on_costs_adds_up_the_courses_lab() -> None:
    page = (PROJECT / "docs/reference/costs.md").read_text()
    cost = hourly_cost(a_lab(phase="ready"), bundled(), False)
    for part in cost.parts:
        assert f"| {part.name} | {part.usd_hour:.4f} |" in page
    assert f"| **together** | **{cost.total:.4f}** |" in page
    assert f"| with extended support | {hourly_cost(a_lab(phase='ready'), bundled(), True).total:.4f} |" in page
