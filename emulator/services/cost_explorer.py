"""Cost Explorer, which the emulator lacks: GetCostAndUsage over lines that a test or a demo puts, filtered and grouped as AWS does.

Strict where AWS is: it answers in us-east-1 alone, wants days as YYYY-MM-DD with an exclusive end, at most two groups, metrics that
there are, and knows a tag only once it is activated. `POST /_emulator/billed` puts lines and activates tags. Sources: botocore's
model of ce, and the service's API reference.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from ministack import app
from ministack.core import iam_actions, router

from emulator.core.scope import scope

NAME = "ce"
TARGET = "AWSInsightsIndexService."
REGION = "us-east-1"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_METRICS = frozenset(
    (
        "AmortizedCost",
        "BlendedCost",
        "NetAmortizedCost",
        "NetUnblendedCost",
        "NormalizedUsageAmount",
        "UnblendedCost",
        "UsageQuantity",
    )
)
_DIMENSIONS = {"USAGE_TYPE": "usageType", "SERVICE": "service", "RECORD_TYPE": "recordType"}
_PAGE = 100

_lines: list[Mapping[str, Any]] = []
_activated: set[str] = set()


def install() -> None:
    """Add the service to this process's emulator, behind its IAM enforcement."""
    router.SERVICE_PATTERNS[NAME] = {"target_prefixes": [TARGET], "credential_scope": NAME}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[NAME] = NAME
    app.SERVICE_HANDLERS[NAME] = _handle_request


def put_billed(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Replace the bill: `lines` of day, usageType, usd and tags; and the activated tags."""
    _lines[:] = given.get("lines", ())
    _activated.clear()
    _activated.update(given.get("activated", ()))
    return {"lines": len(_lines), "activated": sorted(_activated)}


async def _handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
    del method, path, query
    operation, given = headers.get("x-amz-target", "").removeprefix(TARGET), json.loads(body or b"{}")
    if scope()[1] != REGION:
        return _error("InvalidSignatureException", "Credential should be scoped to a valid region.")
    if operation != "GetCostAndUsage":
        return _error("InvalidAction", f"This Cost Explorer cannot {operation}")
    if wrong := _wrong(given):
        return _error("ValidationException", wrong)
    return _answer(200, _found(given))


def _wrong(given: Mapping[str, Any]) -> str:
    period, groups = given.get("TimePeriod", {}), given.get("GroupBy", [])
    start, end = str(period.get("Start")), str(period.get("End"))
    if not _DAY.fullmatch(start) or not _DAY.fullmatch(end):
        return "Start and end dates must be in the format yyyy-MM-dd"
    if start >= end:
        return "Start date (and hour) should be before end date (and hour)"
    if unknown := [name for name in given.get("Metrics") or ["none"] if name not in _METRICS]:
        return f"Invalid metric: {', '.join(unknown)}"
    if len(groups) > 2:
        return "GroupBy takes at most two groups"
    if any(each.get("Type") != "DIMENSION" or each.get("Key") not in _DIMENSIONS for each in groups):
        return "Only dimensions that are known here are grouped by"
    return ""


def _found(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A result a month, each with its groups; `Total` is empty where there are groups, as AWS has it."""
    fits, start = _filter(given.get("Filter")), int(given.get("NextPageToken") or 0)
    results: dict[str, dict[tuple[str, ...], float]] = {}
    for month in _months(given["TimePeriod"]):
        results[month] = defaultdict(float)
    for line in _lines:
        if given["TimePeriod"]["Start"] <= line["day"] < given["TimePeriod"]["End"] and fits(line):
            keys = tuple(str(line.get(_DIMENSIONS[each["Key"]], "")) for each in given.get("GroupBy", []))
            results[line["day"][:7]][keys] += float(line["usd"])
    rows = [(month, keys, usd) for month, groups in results.items() for keys, usd in sorted(groups.items())]
    page, metrics = rows[start : start + _PAGE], given["Metrics"]
    more = {"NextPageToken": str(start + _PAGE)} if start + _PAGE < len(rows) else {}
    by_time = [
        {
            "TimePeriod": {"Start": f"{month}-01", "End": _after(month)},
            "Total": {},
            "Groups": [_group(keys, usd, metrics) for of, keys, usd in page if of == month],
            "Estimated": True,
        }
        for month in results
    ]
    return {"GroupDefinitions": given.get("GroupBy", []), "ResultsByTime": by_time, **more}


def _group(keys: tuple[str, ...], usd: float, metrics: list[str]) -> Mapping[str, Any]:
    return {"Keys": list(keys), "Metrics": {name: {"Amount": f"{usd:.10f}", "Unit": "USD"} for name in metrics}}


def _filter(given: Mapping[str, Any] | None) -> Callable[[Mapping[str, Any]], bool]:
    """An Expression as a predicate. A tag that is not activated is on no line."""
    match given or {}:
        case {"And": list(several)}:
            parts = [_filter(each) for each in several]
            return lambda line: all(part(line) for part in parts)
        case {"Not": dict(inner)}:
            part = _filter(inner)
            return lambda line: not part(line)
        case {"Tags": {"Key": str(key), "Values": list(values)}}:
            return lambda line: key in _activated and line.get("tags", {}).get(key) in values
        case {"Dimensions": {"Key": str(key), "Values": list(values)}}:
            return lambda line: line.get(_DIMENSIONS[key], "") in values
    return bool


def _months(period: Mapping[str, str]) -> Iterator[str]:
    month = period["Start"][:7]
    while f"{month}-01" < period["End"]:
        yield month
        month = _after(month)[:7]


def _after(month: str) -> str:
    year, number = map(int, month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1).isoformat()


def _error(code: str, message: str) -> Any:
    return _answer(400, {"__type": code, "message": message})


def _answer(status: int, content: Mapping[str, Any]) -> Any:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()
