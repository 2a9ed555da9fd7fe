"""GetMetricData, as strict as AWS's about requests, and in pages.

It handles botocore's JSON protocol. Other requests, and metrics of clusters without an activity, pass on to the emulator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch

from emulator.cloudwatch.activities import Activities, Subject
from emulator.core.bill import count
from emulator.core.scope import scope
from emulator.eks.http.errors import EksError
from emulator.eks.state.faults import Faults

MOST_QUERIES, MOST_POINTS = 500, 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")

Result = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
FAULT = "GetMetricData"


def install(activities: Activities, faults: Faults) -> None:
    """Answer GetMetricData of this process's emulator from the activities of clusters."""
    emulated = cloudwatch._get_metric_data

    def get_metric_data(params: Any, given: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        if not is_json:
            return emulated(params, given, is_cbor, is_json)
        refusal = _wrong(given)
        if refusal:
            return cloudwatch._error("ValidationError", refusal, 400, use_json=True)
        try:
            faults.refuse(FAULT, "")
        except EksError as error:
            return cloudwatch._error(error.code, error.message, error.status or 400, use_json=True)
        return _answer(given, activities, lambda rest: emulated(params, rest, False, True))

    cloudwatch._get_metric_data = get_metric_data


def _wrong(given: Mapping[str, Any]) -> str | None:
    queries = given.get("MetricDataQueries", [])
    ids = [query.get("Id", "") for query in queries]
    periods = [query["MetricStat"]["Period"] for query in queries if "MetricStat" in query]
    if not 0 < len(queries) <= MOST_QUERIES:
        return f"The collection MetricDataQueries must have 1 to {MOST_QUERIES} members."
    if len(set(ids)) < len(ids) or not all(_ID.fullmatch(each) for each in ids):
        return "Each Id is unique in its request and begins with a lowercase letter."
    if any(period < 60 or period % 60 for period in periods):
        return "The parameter Period must be a multiple of 60."
    if given["StartTime"] >= given["EndTime"]:
        return "The parameter StartTime must be less than the parameter EndTime."
    return None


def _answer(given: Mapping[str, Any], activities: Activities, emulated: Callable[[dict[str, Any]], Answer]) -> Answer:
    count("metrics requested", len(given["MetricDataQueries"]))
    results: dict[str, Result] = {}
    others = []
    for query in given["MetricDataQueries"]:
        subject = activities.subject(*scope(), _dimensions(query))
        if subject is None:
            others.append(query)
        elif query.get("ReturnData", True):
            results[query["Id"]] = _result(query, subject, given["StartTime"], given["EndTime"])
    if others:
        status, headers, body = emulated({**given, "MetricDataQueries": others})
        if status != 200:
            return status, headers, body
        results |= {result["Id"]: result for result in json.loads(body)["MetricDataResults"]}
    ordered = [results[query["Id"]] for query in given["MetricDataQueries"] if query["Id"] in results]
    answer: Answer = cloudwatch._json_ok(_page([_scanned(each, given) for each in ordered], given))
    return answer


def _dimensions(query: Mapping[str, Any]) -> dict[str, str]:
    named = (query.get("MetricStat") or {}).get("Metric", {}).get("Dimensions", [])
    return {each["Name"]: each["Value"] for each in named}


def _result(query: Mapping[str, Any], subject: Subject, start: float, end: float) -> Result:
    asked = query["MetricStat"]
    period, name = int(asked["Period"]), asked["Metric"]["MetricName"]
    points = []
    for second in range(int(start) // period * period, int(end), period):
        value = subject.value(name, asked["Stat"], second, period)
        if value is not None:
            points.append((second, value))
    return {
        "Id": query["Id"],
        "Label": query.get("Label", name),
        "Timestamps": [second for second, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _scanned(result: Result, given: Mapping[str, Any]) -> Result:
    """Newest first, unless asked otherwise."""
    ascending = sorted(zip(result["Timestamps"], result["Values"], strict=True))
    points = ascending if given.get("ScanBy") == "TimestampAscending" else ascending[::-1]
    return result | {"Timestamps": [at for at, _ in points], "Values": [value for _, value in points]}


def _page(results: list[Result], given: Mapping[str, Any]) -> dict[str, Any]:
    """The next page of data points; a metric that it cuts off is partial."""
    skip, most = int(given.get("NextToken") or 0), min(int(given.get("MaxDatapoints") or MOST_POINTS), MOST_POINTS)
    total = sum(len(result["Values"]) for result in results)
    until, seen, page = skip + most, 0, []
    for result in results:
        first, last = max(skip - seen, 0), max(min(until - seen, len(result["Values"])), 0)
        seen += len(result["Values"])
        if first < last or (not result["Values"] and not skip):
            status = "Complete" if seen <= until else "PartialData"
            cut = {"Timestamps": result["Timestamps"][first:last], "Values": result["Values"][first:last]}
            page.append({**result, **cut, "StatusCode": status})
    return {"MetricDataResults": page, "Messages": []} | ({"NextToken": str(until)} if until < total else {})
