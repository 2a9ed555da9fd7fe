"""AWS's price list, which the emulator lacks: GetProducts over a small list, filtered and paged as AWS does.

The list is a table in `prices.json`: hours of EKS, NAT and addresses, gp3, and instances on demand, with the day and place of
each. A product has the same price in every region, unless the table has one for the region. Without `pricing:GetProducts` a role
is refused, as on AWS; a filter of an attribute that a product lacks finds nothing.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_actions, router

NAME = "pricing"
TARGET = "AWSPriceListService."
_TABLE = Path(__file__).with_name("prices.json")
_MOST = 100


def install() -> None:
    """Add the service to this process's emulator, behind its IAM enforcement."""
    router.SERVICE_PATTERNS[NAME] = {"target_prefixes": [TARGET], "credential_scope": NAME}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[NAME] = NAME
    app.SERVICE_HANDLERS[NAME] = _handle_request


@cache
def table() -> Mapping[str, Any]:
    """Read the table of prices."""
    found: Mapping[str, Any] = json.loads(_TABLE.read_text())
    return found


def products(region: str, service: str) -> Iterator[Mapping[str, Any]]:
    """Make the products of a service in a region, as the list has them."""
    prefix = table()["prefixes"].get(region, "")
    for row in table()["products"]:
        if row["service"] == service:
            attributes = {**row["attributes"], "usagetype": f"{prefix}{row['usage']}", "regionCode": region}
            yield _product(service, attributes, row["regions"].get(region, row["usd"]), row["unit"])
    if service == "AmazonEC2":
        own = table()["instances"]["regions"].get(region, {})
        for kind, usd in {**table()["instances"]["usd"], **own}.items():
            shared = {**table()["instances"]["attributes"], "instanceType": kind}
            usage = {"usagetype": f"{prefix}BoxUsage:{kind}", "regionCode": region}
            yield _product(service, {**shared, **usage}, usd, "Hrs")


async def _handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
    del method, path, query
    operation, given = headers.get("x-amz-target", "").removeprefix(TARGET), json.loads(body or b"{}")
    if operation != "GetProducts":
        return _error("InvalidAction", f"This price list cannot {operation}")
    wanted = {each["Field"]: each["Value"] for each in given.get("Filters", [])}
    if any(each.get("Type") != "TERM_MATCH" for each in given.get("Filters", [])):
        return _error("InvalidParameterException", "Only TERM_MATCH is known here.")
    if not given.get("ServiceCode"):
        return _error("InvalidParameterException", "ServiceCode is required")
    region = wanted.get("regionCode", "us-east-1")
    found = [one for one in products(region, given["ServiceCode"]) if _fits(one, wanted)]
    return _page(found, int(given.get("NextToken") or 0), min(int(given.get("MaxResults") or _MOST), _MOST))


def _page(found: list[Mapping[str, Any]], start: int, most: int) -> Any:
    more = {"NextToken": str(start + most)} if start + most < len(found) else {}
    texts = [json.dumps(one) for one in found[start : start + most]]
    return _answer(200, {"FormatVersion": "aws_v1", "PriceList": texts, **more})


def _fits(product: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    known = {**product["product"]["attributes"], "productFamily": product["product"]["productFamily"]}
    return all(known.get(name, "").casefold() == value.casefold() for name, value in wanted.items())


def _product(service: str, attributes: Mapping[str, str], usd: float, unit: str) -> Mapping[str, Any]:
    family = attributes.get("productFamily", "Compute")
    plain = {name: value for name, value in attributes.items() if name != "productFamily"}
    sku = hashlib.sha256(plain["usagetype"].encode()).hexdigest()[:16].upper()
    dimension = {"unit": unit, "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": f"{usd:.10f}"}}
    term = {"offerTermCode": "JRTCKXETXF", "sku": sku, "priceDimensions": {f"{sku}.JRTCKXETXF.6YS6EN2CT7": dimension}}
    return {
        "product": {"productFamily": family, "attributes": plain, "sku": sku},
        "serviceCode": service,
        "terms": {"OnDemand": {f"{sku}.JRTCKXETXF": term}},
    }


def _error(code: str, message: str) -> Any:
    return _answer(400, {"__type": code, "message": message})


def _answer(status: int, content: Mapping[str, Any]) -> Any:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()
