"""The page on the service's running costs has the benchmark's prices, and its sums add up."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from benchmarks.running_costs import ALARM_METRIC, FIXED, LIST_PRICES, alarm_metrics, of_month, priced
from tests.paths import PROJECT

PAGE = (PROJECT / "docs/reference/running-costs.md").read_text()
PIECES = (
    "a lab is made",
    "a lab is judged, planned, warned about",
    "a lab is ended, and looked at again",
    "an hour's sweep, nothing due",
    "five minutes' tending, nothing due",
    "a day's watch, nothing to watch",
    "a day's watch of one more cluster",
)


@pytest.mark.parametrize("what", [*LIST_PRICES, *FIXED])
def test_every_price_is_named_on_the_page(what: str) -> None:
    assert f"| {what} |" in PAGE


@pytest.mark.parametrize("piece", PIECES)
def test_every_measured_piece_is_on_the_page(piece: str) -> None:
    assert f"| {piece} |" in PAGE


def test_the_page_counts_the_alarms_that_there_are() -> None:
    template = json.loads((PROJECT / ".chalice/resources.json").read_text())
    assert f"alarms {ALARM_METRIC * alarm_metrics(template['Resources']):.2f}, " in PAGE


def test_a_month_is_what_its_pieces_are_worth() -> None:
    pieces = {piece: Counter({"transitions": 1000}) for piece in PIECES}
    assert priced(pieces["a lab is made"]) == pytest.approx(0.025)
    nobody, many = of_month(pieces, 0, 0), of_month(pieces, 50, 1000)
    assert nobody["sweep"] == pytest.approx(730 * 0.025)
    assert nobody["making and ending labs"] == nobody["requests"] == 0
    assert many["evenings"] == pytest.approx(50 * 30.4 * 0.025)
    assert many["watch"] > 30.4 * 1000 * 0.025


def test_an_installation_that_nobody_uses_costs_fifteen_dollars_at_most_with_its_login() -> None:
    template = json.loads((PROJECT / ".chalice/resources.json").read_text())
    [idle] = [line for line in PAGE.splitlines() if line.startswith("| nobody uses it |")]
    swept = sum(
        float(part.split()[-1])
        for part in idle.split("|")[3].split(",")
        if part.split()[0] in ("sweep", "tending", "watch")
    )
    assert sum(FIXED.values()) + ALARM_METRIC * alarm_metrics(template["Resources"]) + swept <= 15
