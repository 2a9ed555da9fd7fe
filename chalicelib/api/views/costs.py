"""A month's costs as JSON and as CSV: the same rows, the same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.api.views.money import dollars
from chalicelib.domain.labs.spending import COST, ENDED, EXTENDED, LABS, SLEPT
from chalicelib.services.labs.showback import Showback

_SAVED = {"slept": SLEPT, "ended": ENDED, "extendedSupport": EXTENDED}
#: A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def showback_view(costs: Showback) -> dict[str, Any]:
    """`running`: the month is not over, and what is reserved for labs alive is in it."""
    rows = [{str(costs.by): row.whose, **_amounts(row.amounts)} for row in costs.rows]
    head = {"month": costs.month, "by": str(costs.by), "timeZone": costs.zone, "running": costs.running}
    return {**head, "currency": "USD", "total": _amounts(costs.total), "rows": rows}


def showback_csv(costs: Showback) -> str:
    """A header, and a row each; cells that a spreadsheet would run are text."""
    head = (
        "Month",
        str(costs.by).capitalize(),
        "Labs",
        "Cost",
        "SavedSlept",
        "SavedEnded",
        "SavedExtendedSupport",
        "Currency",
    )
    lines = [_line(head)]
    for row in costs.rows:
        saved = (f"{dollars(row.amounts.get(name, 0)):.2f}" for name in _SAVED.values())
        cost = f"{dollars(row.amounts.get(COST, 0)):.2f}"
        lines.append(_line((costs.month, _plain(row.whose), str(row.amounts.get(LABS, 0)), cost, *saved, "USD")))
    return "".join(lines)


def _amounts(amounts: Mapping[str, int]) -> dict[str, Any]:
    saved = {name: dollars(amounts.get(kept, 0)) for name, kept in _SAVED.items()}
    return {"labs": amounts.get(LABS, 0), "usd": dollars(amounts.get(COST, 0)), "saved": saved}


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    """RFC 4180."""
    return ",".join(f'"{cell}"' if set(cell) & set(',"\n\r') else cell for cell in _doubled(cells)) + "\r\n"


def _doubled(cells: Iterable[str]) -> list[str]:
    return [cell.replace('"', '""') for cell in cells]
