"""The FOCUS export against the column table of the specification, version 1.2 (tests/data/focus-1.2.json, from its tag)."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.views.focus import COLUMNS, focus_csv
from chalicelib.domain.labs.spending import COST, ENDED, EXTENDED, LABS, SLEPT, Scope
from chalicelib.services.labs.showback import CostRow, Showback
from tests.paths import PROJECT

SPECIFICATION: dict[str, dict[str, Any]] = json.loads((PROJECT / "tests/data/focus-1.2.json").read_text())
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
AMOUNTS = {LABS: 3, COST: 12_345_678, SLEPT: 1_000_000, ENDED: 20_000, EXTENDED: 7}
WHOSE = {
    Scope.PERSON: "arn:aws:sts::111122223333:directory/mina",
    Scope.TEAM: "",
    Scope.ACCOUNT: "111122223333",
    Scope.TAG: 'course=eks, "intro"\r\n=1+1',
}


def rows_of(by: Scope, month: str = "2026-11") -> list[dict[str, str]]:
    page = Showback(month, by, "Asia/Seoul", True, (CostRow(WHOSE[by], AMOUNTS),), {})
    return list(csv.DictReader(io.StringIO(focus_csv(page, "111122223333"), newline="")))


def wrong_with(name: str, value: str) -> str | None:
    column = SPECIFICATION[name]
    if value == "":
        return None if column["nullable"] else "null"
    match column["type"]:
        case "Decimal":
            return None if Decimal(value).is_finite() else "no number"
        case "DateTime":
            return None if INSTANT.fullmatch(value) else "no instant"
        case "Currency":
            return None if re.fullmatch(r"[A-Z]{3}", value) else "no currency"
        case "JSON":
            return None if isinstance(json.loads(value), dict) else "no object"
    return None if value in column.get("allowed", [value]) else "not allowed"


@pytest.mark.parametrize("by", WHOSE)
def test_every_column_is_as_the_specification_has_it(by: Scope) -> None:
    [row] = rows_of(by)
    wrong = {name: wrong_with(name, value) for name, value in row.items() if not name.startswith("x_")}
    assert {name: what for name, what in wrong.items() if what} == {}


def test_all_mandatory_columns_are_there_once_and_ours_come_last() -> None:
    assert {name for name, column in SPECIFICATION.items() if column["level"] == "mandatory"} <= set(COLUMNS)
    ours = [name.startswith("x_") for name in COLUMNS]
    assert ours == sorted(ours)
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert {name for name in COLUMNS if not name.startswith("x_")} <= SPECIFICATION.keys()


def test_a_missing_or_wrong_value_is_noticed() -> None:
    assert wrong_with("BilledCost", "") == "null"
    assert wrong_with("ChargeCategory", "Use") == "not allowed"
    assert wrong_with("ChargePeriodEnd", "2026-12-01") == "no instant"


def test_the_period_is_the_month_in_the_installations_zone_and_amounts_are_exact() -> None:
    [row] = rows_of(Scope.ACCOUNT, "2026-12")
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2026-11-30T15:00:00Z", "2026-12-31T15:00:00Z")
    assert row["BilledCost"] == row["ListCost"] == row["EffectiveCost"] == row["ContractedCost"] == "12.345678"
    assert (row["SubAccountId"], row["x_SavedEnded"]) == ("111122223333", "0.020000")
    assert row["x_SavedExtendedSupport"] == "0.000007"


def test_a_usage_has_a_quantity_and_a_unit_as_usage_must() -> None:
    [row] = rows_of(Scope.PERSON)
    assert (row["PricingQuantity"], row["PricingUnit"]) == ("3", "Labs")


def test_a_tag_keeps_its_text_whatever_is_in_it() -> None:
    [row] = rows_of(Scope.TAG)
    assert json.loads(row["Tags"]) == {"course": 'eks, "intro"\r\n=1+1'}
    assert not row["ChargeDescription"].startswith(("=", "+", "-", "@"))
