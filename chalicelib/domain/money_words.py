"""Amounts of USD as people read them: in warnings, in the report, on the keep page and in answers of the API."""

from __future__ import annotations

from chalicelib.domain.costs import Cost


def usd(amount: float) -> str:
    """`$5.28`, `$1,204.00`; `less than $0.01` for what would round to nothing."""
    return "less than $0.01" if 0 < amount < 0.005 else f"${amount:,.2f}"


def cost_told(cost: Cost) -> str:
    """`$0.22 an hour`; where something is unknown `at least $0.10 an hour (no price known for p5.48xlarge)`."""
    if not cost.unknown:
        return f"{usd(cost.total)} an hour"
    return f"at least {usd(cost.total)} an hour (no price known for {', '.join(cost.unknown)})"


def keeping_told(amount: float, usd_hour: float | None) -> str:
    """`$5.28, $0.22 an hour`."""
    return usd(amount) if usd_hour is None else f"{usd(amount)}, {usd(usd_hour)} an hour"


def source_told(cost: Cost) -> str:
    """Where the prices come from: `AWS Price List of 23 Nov 2026`."""
    return cost.source if cost.as_of is None else f"{cost.source} of {cost.as_of.day} {cost.as_of:%b %Y}"
