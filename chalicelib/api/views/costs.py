"""A month's costs as JSON and as CSV: the same rows, the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.api.views.csv_format import csv_text
from chalicelib.api.views.json_format import to_json
from chalicelib.api.views.money import dollars
from chalicelib.domain.labs.lab import INSTALLATION_TAG
from chalicelib.domain.labs.spending import COST, ENDED, EXTENDED, LABS, SLEPT
from chalicelib.services.labs.showback import Comparison, Showback

_SAVED = {"slept": SLEPT, "ended": ENDED, "extendedSupport": EXTENDED}


def showback_view(costs: Showback) -> dict[str, Any]:
    """`running`: the month has not ended; sums include reservations. `findings`: what may be missing."""
    rows = [{str(costs.by): row.whose, **_amounts(row.amounts)} for row in costs.rows]
    head = {"month": costs.month, "by": str(costs.by), "timeZone": costs.zone, "running": costs.running}
    findings = [to_json(finding) for finding in costs.findings]
    return {**head, "currency": "USD", "total": _amounts(costs.total), "rows": rows, "findings": findings}


def comparison_view(beside: Comparison) -> dict[str, Any]:
    """`percent`: the estimate above AWS's bill; null without a bill. `findings`: why they may differ."""
    rows = [
        {"usd": round(each.usd, 2), "billedUsd": round(each.billed_usd, 2), "percent": each.percent}
        for each in beside.parts
    ]
    return {
        "from": to_json(beside.start),
        "until": to_json(beside.until),
        "tag": INSTALLATION_TAG,
        "parts": [{"part": each.part, **row} for each, row in zip(beside.parts[:-1], rows, strict=False)],
        "total": rows[-1] if rows else None,
        "requests": beside.requests,
        "findings": [to_json(finding) for finding in beside.findings],
    }


def showback_csv(costs: Showback) -> str:
    """A header, and a row each."""
    saved = ("SavedSlept", "SavedEnded", "SavedExtendedSupport")
    rows: list[tuple[str, ...]] = [("Month", str(costs.by).capitalize(), "Labs", "Cost", *saved, "Currency")]
    for row in costs.rows:
        amounts = (f"{dollars(row.amounts.get(name, 0)):.2f}" for name in (COST, *_SAVED.values()))
        rows.append((costs.month, row.whose, str(row.amounts.get(LABS, 0)), *amounts, "USD"))
    return csv_text(rows)


def _amounts(amounts: Mapping[str, int]) -> dict[str, Any]:
    saved = {name: dollars(amounts.get(kept, 0)) for name, kept in _SAVED.items()}
    return {"labs": amounts.get(LABS, 0), "usd": dollars(amounts.get(COST, 0)), "saved": saved}
