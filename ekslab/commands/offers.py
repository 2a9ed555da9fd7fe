"""The commands about the list of offers, and a month's costs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ekslab.client import Answer, Client
from ekslab.client.client import with_query
from ekslab.commands.answers import answered, fit, refused
from ekslab.commands.exit_codes import Exit
from ekslab.printing import curfew as printing
from ekslab.printing import terminal
from ekslab.printing.tables import table
from ekslab.printing.times import month_of
from ekslab.words import t


def offers(client: Client, options: argparse.Namespace) -> int:
    """Show the list, or change parts of it; other parts stay unchanged."""
    changes = dict(options.set or ())
    if not changes:
        return answered(options, client.call("GET", "/offers"), printing.offers)
    headers = {"Content-Type": "application/json"}
    return answered(options, client.call("PUT", "/offers", json.dumps(changes).encode(), headers), printing.offers)


def part(text: str) -> tuple[str, Any]:
    """`keyPairs=["course"]`. Raises ArgumentTypeError."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError as reason:
        expected = "NAME=JSON, for example 'keyPairs=[\"course\"]'"
        raise argparse.ArgumentTypeError(f"expected {expected}, got {json.dumps(text)}") from reason


def costs(client: Client, options: argparse.Namespace) -> int:
    """A month's costs as a table, or as CSV: every page of it, under one header."""
    query: dict[str, str | None] = {"month": options.month or f"{datetime.now(UTC):%Y-%m}", "by": options.by}
    if options.compare:
        query["compare"] = "cost-explorer"
    if options.csv is None:
        answer = client.call("GET", with_query("/costs", query))
        return answered(options, answer, lambda body: _costs_table(body, fit(options)))
    cursor: str | None = ""
    while cursor is not None:
        answer = client.call("GET", with_query("/costs", {**query, "format": options.csv, "cursor": cursor or None}))
        if not answer.ok:
            return refused(answer, options)
        text = str(answer.body)
        terminal.text_out(text.partition("\n")[2] if cursor else text)
        cursor = next(iter(parse_qs(urlsplit(_next_of(answer)).query).get("cursor", [])), None)
    return Exit.OK


def _next_of(answer: Answer) -> str:
    """The address of the next page (RFC 8288), empty on the last."""
    link = next((value for name, value in answer.headers.items() if name.lower() == "link"), "")
    return link.partition("<")[2].partition(">")[0]


def _costs_table(body: Mapping[str, Any], width: int | None) -> Iterator[str]:
    by = body["by"]
    rows = [(row[by], *_amounts(row)) for row in (*body["rows"], {by: "all", **body["total"]})]
    yield from table((by.upper(), "LABS", "USD", "SAVED USD"), rows, width, keep=(by.upper(), "USD"))
    if body["running"]:
        yield t(
            "{month} is not over ({zone}): what is reserved for labs that are alive is in it.",
            month=month_of(body["month"]),
            zone=body["timeZone"],
        )
    yield from (finding["message"] for finding in body["findings"])
    if "costExplorer" in body:
        yield from _beside_the_bill(body["costExplorer"], width)


def _beside_the_bill(beside: Mapping[str, Any], width: int | None) -> Iterator[str]:
    """The estimate so far beside AWS's bill, by part; and why the two may differ."""
    yield ""
    if beside["total"] is not None:
        rows = [(row["part"], *_compared(row)) for row in (*beside["parts"], {"part": "all", **beside["total"]})]
        yield from table(("PART", "USD SO FAR", "BILLED USD", "DIFFERENCE"), rows, width, keep=("PART", "DIFFERENCE"))
    yield from (finding["message"] for finding in beside["findings"])


def _compared(row: Mapping[str, Any]) -> tuple[str, str, str]:
    percent = "-" if row["percent"] is None else f"{row['percent']:+.1f} %"
    return f"{row['usd']:.2f}", f"{row['billedUsd']:.2f}", percent


def _amounts(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(row["labs"]), f"{row['usd']:.2f}", f"{sum(row['saved'].values()):.2f}"
