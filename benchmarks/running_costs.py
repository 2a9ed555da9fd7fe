"""AWS's list prices for the services used, and sums: a dated table, to be checked again when prices change.

USD, us-east-1, on demand, by AWS's public price pages as of November 2026, without free tiers and taxes. Other regions cost
up to a quarter more.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

Counts = Counter[str]

#: Assumed: the time of a step's Lambda at 512 MB, twice the memory of most. The watch reads about 13 clusters a second
#: (docs/reference/benchmarks.md). The API's handler and the scan have more memory (`deployment/compose.py`).
SECONDS, MEMORY_GB, LARGE_GB, CLUSTERS_A_SECOND = 0.3, 0.5, 1.0, 13
_GB_SECOND, _INVOCATION = 0.0000166667, 0.20 / 1e6
#: Lines that an invocation logs, as of CloudWatch: bytes, and USD a byte.
_LOGGED, _LOG_BYTE = 1500, 0.50 / 1e9

#: Counted unit -> USD for one.
LIST_PRICES: Mapping[str, float] = {
    "transitions": 0.025 / 1000,
    "invocations": _INVOCATION + SECONDS * MEMORY_GB * _GB_SECOND + _LOGGED * _LOG_BYTE,
    "read units": 0.125 / 1e6,
    "write units": 0.625 / 1e6,
    "metrics requested": 0.01 / 1000,
    "messages": 0.50 / 1e6 + 2.00 / 100_000,
    "secrets read": 0.05 / 10_000,
    # Tracing is on: one trace an execution.
    "executions": 5.00 / 1e6,
}
#: USD a month, used or not. Metrics of our own: five, and one for each phase that labs are in, about four. A user pool costs by
#: the users who are active in a month, and nothing by itself.
FIXED: Mapping[str, float] = {
    "key": 1.00,
    "secret": 0.40,
    "own metrics": 9 * 0.30,
    "dashboard": 3.00,
    "user pool": 0.00,
}
#: USD a month for each metric that an alarm looks at.
ALARM_METRIC = 0.10

DAYS, HOURS = 30.4, 730
#: Assumed: a lab lives a week, with this many requests about it a day. A request: API Gateway, the handler, one read.
LIFE_DAYS, REQUESTS_A_DAY = 7, 50
_REQUEST = (
    3.50 / 1e6
    + LIST_PRICES["invocations"]
    + SECONDS * (LARGE_GB - MEMORY_GB) * _GB_SECOND
    + 2 * LIST_PRICES["read units"]
)


def alarm_metrics(resources: Mapping[str, Any]) -> int:
    """How many metrics the alarms that every installation has look at, among a template's resources; most look at one."""
    there = (each for each in resources.values() if "Condition" not in each)
    alarms = [each["Properties"] for each in there if each.get("Type") == "AWS::CloudWatch::Alarm"]
    return sum(sum("MetricStat" in metric for metric in alarm.get("Metrics", ())) or 1 for alarm in alarms)


def priced(counts: Counts) -> float:
    """USD of the counted calls."""
    return sum(counts[what] * usd for what, usd in LIST_PRICES.items())


def of_month(pieces: Mapping[str, Counts], labs: int, clusters: int) -> dict[str, float]:
    """USD a month by purpose: for a number of living labs, and a number of watched clusters."""
    usd = {piece: priced(counts) for piece, counts in pieces.items()}
    lives = labs * DAYS / LIFE_DAYS
    scanning = clusters / CLUSTERS_A_SECOND * LARGE_GB * _GB_SECOND
    return {
        "making and ending labs": lives * (usd["a lab is made"] + usd["a lab is ended, and looked at again"]),
        "evenings": labs * DAYS * usd["a lab is judged, planned, warned about"],
        "requests": labs * DAYS * REQUESTS_A_DAY * _REQUEST,
        "sweep": HOURS * usd["an hour's sweep, nothing due"],
        "tending": HOURS * 12 * usd["five minutes' tending, nothing due"],
        "watch": DAYS
        * (usd["a day's watch, nothing to watch"] + clusters * usd["a day's watch of one more cluster"] + scanning),
    }
