"""The emulated price list with AWS's API: by filters, in pages, and by the service's own reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.pricing.prices import LIVE, PriceList
from emulator.process import Sandbox
from tests.fakes import NOW


@pytest.fixture
def pricing(sandbox: Sandbox) -> Any:
    return sandbox.client("pricing")


def test_every_price_that_a_lab_needs_is_in_it(pricing: Any) -> None:
    prices = PriceList(pricing, lambda: NOW).prices("ap-northeast-2")
    assert (prices.source, prices.live) == (LIVE, True)
    assert (prices.control_plane, prices.extended_extra, prices.nat_hour, prices.public_ipv4_hour) == (
        0.1,
        0.5,
        0.059,
        0.005,
    )
    assert (prices.instances["t3.medium"], prices.instances["p5.48xlarge"]) == (0.052, 55.04)
    assert "m99.large" not in prices.instances


def test_filters_narrow_and_pages_are_pages(pricing: Any) -> None:
    region = {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"}
    kind = {"Type": "TERM_MATCH", "Field": "instanceType", "Value": "m5.large"}
    first = pricing.get_products(ServiceCode="AmazonEC2", Filters=[region], MaxResults=7)
    assert len(first["PriceList"]) == 7
    second = pricing.get_products(ServiceCode="AmazonEC2", Filters=[region], MaxResults=7, NextToken=first["NextToken"])
    assert not set(first["PriceList"]) & set(second["PriceList"])
    [only] = pricing.get_products(ServiceCode="AmazonEC2", Filters=[region, kind])["PriceList"]
    assert json.loads(only)["product"]["attributes"]["usagetype"] == "BoxUsage:m5.large"
    assert pricing.get_products(ServiceCode="AmazonRDS", Filters=[region])["PriceList"] == []


def test_what_it_cannot_do_it_refuses(pricing: Any) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        pricing.get_products(ServiceCode="AmazonEC2", Filters=[{"Type": "EQUALS", "Field": "a", "Value": "b"}])
