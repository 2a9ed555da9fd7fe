"""The emulated Cost Explorer with AWS's rules: in us-east-1, by days with an exclusive end, by activated tags."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.pricing.cost_explorer import REGION, AwsCostExplorer
from chalicelib.domain.costs import Billed
from chalicelib.domain.errors.tree import AwsRefused
from emulator.process import Sandbox

TAGS = {"ekslab:installation": "ekslab"}
LINES = [
    {"day": "2026-10-31", "usageType": "APN2-BoxUsage:t3.medium", "usd": 7, "tags": TAGS},
    {"day": "2026-11-01", "usageType": "APN2-BoxUsage:t3.medium", "usd": 1.25, "tags": TAGS},
    {"day": "2026-11-30", "usageType": "APN2-BoxUsage:t3.medium", "usd": 2, "tags": TAGS},
    {"day": "2026-12-01", "usageType": "APN2-BoxUsage:t3.medium", "usd": 9, "tags": TAGS},
    {"day": "2026-11-05", "usageType": "APN2-NatGateway-Hours", "usd": 3, "tags": {}},
    {"day": "2026-11-05", "usageType": "APN2-BoxUsage:t3.medium", "usd": -5, "recordType": "Credit", "tags": TAGS},
    *({"day": "2026-11-05", "usageType": f"APN2-BoxUsage:m{n}", "usd": 0.01, "tags": TAGS} for n in range(120)),
]
NOVEMBER = date(2026, 11, 1), date(2026, 12, 1)


@pytest.fixture
def billed(sandbox: Sandbox) -> Iterator[Sandbox]:
    sandbox.admin("POST", "billed", {"lines": LINES, "activated": list(TAGS)})
    yield sandbox
    sandbox.admin("POST", "billed", {})


def ask(sandbox: Sandbox, **changes: Any) -> Any:
    usual: dict[str, Any] = {"TimePeriod": {"Start": "2026-11-01", "End": "2026-12-01"}, "Granularity": "MONTHLY"}
    client = sandbox.client("ce", region=changes.pop("region", REGION))
    return client.get_cost_and_usage(**{**usual, "Metrics": ["UnblendedCost"], **changes})


def explorer(sandbox: Sandbox, value: str = "ekslab") -> AwsCostExplorer:
    return AwsCostExplorer(sandbox.client("ce", region=REGION), "ekslab:installation", value)


def test_what_was_billed_for_the_installation_comes_by_usage_type_and_by_pages(billed: Sandbox) -> None:
    found = explorer(billed).billed(*NOVEMBER)
    assert (found.usd["APN2-BoxUsage:t3.medium"], len(found.usd)) == (3.25, 121)
    assert (found.estimated, found.requests) == (True, 2)
    assert explorer(billed, "another").billed(*NOVEMBER).usd == {}


def test_a_tag_that_is_not_activated_is_on_nothing(billed: Sandbox) -> None:
    billed.admin("POST", "billed", {"lines": LINES})
    assert explorer(billed).billed(*NOVEMBER) == Billed({}, estimated=True, requests=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"TimePeriod": {"Start": "2026-11-01", "End": "2026-11-01"}},
        {"TimePeriod": {"Start": "2026-11-01T00:00:00Z", "End": "2026-12-01"}},
        {"TimePeriod": {"Start": "2026-12-01", "End": "2026-11-01"}},
        {"Metrics": ["ListCost"]},
        {"GroupBy": [{"Type": "DIMENSION", "Key": "USAGE_TYPE"}] * 3},
        {"region": "ap-northeast-2"},
    ],
    ids=str,
)
def test_what_aws_refuses_is_refused(billed: Sandbox, changes: dict[str, Any]) -> None:
    with pytest.raises(ClientError):
        ask(billed, **changes)


def test_a_refusal_is_an_error_of_ours(billed: Sandbox) -> None:
    with pytest.raises(AwsRefused) as refusal:
        explorer(billed).billed(NOVEMBER[1], NOVEMBER[0])
    assert refusal.value.code == "ValidationException"
