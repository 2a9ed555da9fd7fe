"""AWS's bill from Cost Explorer. Implements the port CostExplorer, which documents the guarantees.

The service answers only in us-east-1, for every region, and knows a tag after its activation as a cost-allocation tag.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.domain.costs import Billed

#: Its region. Source: botocore's endpoints, `ce` of the partition aws.
REGION = "us-east-1"
#: Record types that are not a lab's use, and would distort it.
_LEFT_OUT = ("Credit", "Refund", "Tax")
#: The most pages of one query; each request is billed.
_MOST_PAGES = 10


class AwsCostExplorer:
    """`ce`: a client of REGION. `key`, `value`: the tag on all resources of labs."""

    def __init__(self, ce: Any, key: str, value: str) -> None:
        self._ce, self._tag = ce, {"Key": key, "Values": [value]}

    def billed(self, start: date, end: date) -> Billed:
        """By usage type, unblended: the use without credits, refunds and taxes."""
        not_use = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": list(_LEFT_OUT)}}}
        asked: dict[str, Any] = {
            "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
            "Granularity": "MONTHLY",
            "Metrics": ["UnblendedCost"],
            "GroupBy": [{"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
            "Filter": {"And": [{"Tags": self._tag}, not_use]},
        }
        sums: dict[str, float] = defaultdict(float)
        estimated, requests = False, 0
        page: dict[str, str] = {}
        while requests < _MOST_PAGES:
            answer = call(self._ce, "ce:GetCostAndUsage", **asked, **page)
            requests += 1
            for result in answer["ResultsByTime"]:
                estimated = estimated or bool(result.get("Estimated"))
                for group in result["Groups"]:
                    sums[group["Keys"][0]] += float(group["Metrics"]["UnblendedCost"]["Amount"])
            page = {"NextPageToken": answer["NextPageToken"]} if answer.get("NextPageToken") else {}
            if not page:
                break
        return Billed(sums, estimated or bool(page), requests)
