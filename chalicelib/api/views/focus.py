"""A month's costs in the columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification), one row a sum, as CSV.

Amounts are estimates at list prices: billed, effective, contracted and list cost are the same. Columns that FOCUS does not have
begin with `x_`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from chalicelib.api.views.csv_format import csv_text
from chalicelib.api.views.money import dollars
from chalicelib.domain.labs.meter import first_of_month
from chalicelib.domain.labs.spending import COST, ENDED, EXTENDED, LABS, SLEPT, Scope
from chalicelib.services.labs.showback import CostRow, Showback

#: FOCUS's columns, then ours.
COLUMNS = (
    *(
        "BilledCost",
        "BillingAccountId",
        "BillingAccountName",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
    ),
    *("ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart"),
    *("ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit"),
    *("ProviderName", "PublisherName", "ServiceCategory", "ServiceName", "ServiceSubcategory"),
    *("SubAccountId", "SubAccountName", "Tags"),
    *("x_Labs", "x_Running", "x_SavedSlept", "x_SavedEnded", "x_SavedExtendedSupport"),
)
_AWS = "AWS"
_SAVED = {"x_SavedSlept": SLEPT, "x_SavedEnded": ENDED, "x_SavedExtendedSupport": EXTENDED}


def focus_csv(page: Showback, home: str) -> str:
    """`home`: the account of the service, and of its bill."""
    rows = (_row(page, row, home) for row in page.rows)
    return csv_text([COLUMNS, *([row.get(name, "") for name in COLUMNS] for row in rows)])


def _row(page: Showback, row: CostRow, home: str) -> dict[str, str]:
    cost, start, end = f"{dollars(row.amounts.get(COST, 0), 6):.6f}", *_bounds(page)
    labs = str(row.amounts.get(LABS, 0))
    return {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), cost),
        **dict.fromkeys(("BillingPeriodStart", "ChargePeriodStart"), start),
        **dict.fromkeys(("BillingPeriodEnd", "ChargePeriodEnd"), end),
        **dict.fromkeys(("InvoiceIssuerName", "ProviderName", "PublisherName"), _AWS),
        "BillingAccountId": home,
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeDescription": f"Labs of {row.whose or 'nobody'}, by {page.by}, at list prices",
        "ChargeFrequency": "Usage-Based",
        "PricingQuantity": labs,
        "PricingUnit": "Labs",
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon Elastic Kubernetes Service",
        "ServiceSubcategory": "Containers",
        "SubAccountId": row.whose if page.by is Scope.ACCOUNT else "",
        "Tags": json.dumps(dict(_tags(page.by, row.whose)), ensure_ascii=False),
        "x_Labs": labs,
        "x_Running": str(page.running).lower(),
        **{name: f"{dollars(row.amounts.get(kept, 0), 6):.6f}" for name, kept in _SAVED.items()},
    }


def _tags(by: Scope, whose: str) -> Iterator[tuple[str, str]]:
    """The key of the sum: the tag itself, the person under the tag `ekslab:owner`, or the team."""
    if by is Scope.TAG:
        key, _, value = whose.partition("=")
        yield key, value
    elif by in (Scope.PERSON, Scope.TEAM) and whose:
        yield ("ekslab:owner" if by is Scope.PERSON else "ekslab:team"), whose


def _bounds(page: Showback) -> tuple[str, str]:
    """The month, in the installation's zone, as instants; the end is the start of the next month."""
    year, month = map(int, page.month.split("-"))
    ends = first_of_month(year + month // 12, month % 12 + 1, page.zone)
    return f"{first_of_month(year, month, page.zone):%Y-%m-%dT%H:%M:%SZ}", f"{ends:%Y-%m-%dT%H:%M:%SZ}"
