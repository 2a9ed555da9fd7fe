"""Metrics for CloudWatch, printed as lines of its embedded metric format: no call is made, and none can fail.

Each is emitted where the number is known anyway, so that measuring never reads more as the fleet grows. `docs/how-to/runbook.md`
explains each; alarms and the dashboard name them by `Metric` (tests/deployment/test_operations.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from aws_lambda_powertools.metrics import EphemeralMetrics

NAMESPACE = "ekslab"


class Metric(StrEnum):
    """The metric's name in CloudWatch. All have the dimension `stack`."""

    #: Labs that could not be deleted. Hourly, and 1 at the moment that a lab is blocked: read its maximum.
    BLOCKED_LABS = "BlockedLabs"
    #: Owners whom a curfew run could not warn. Hourly.
    UNDELIVERED_WARNINGS = "UndeliveredWarnings"
    #: From the request until a lab is ready. Once a lab.
    MINUTES_TO_READY = "MinutesToReady"
    #: Notices of support deadlines that are still pending when the watch ends. Daily.
    NOTICES_LATE = "NoticesLate"
    #: Labs alive, by the dimension `phase`; a phase without any has no line. Hourly.
    LABS = "Labs"
    #: List price of all labs alive, USD an hour. Hourly.
    HOURLY_USD = "HourlyUsd"


#: CloudWatch has units for neither minutes nor dollars.
_NO_COUNTS = (Metric.MINUTES_TO_READY, Metric.HOURLY_USD)


def emit(stack: str, values: Mapping[Metric, float], **dimensions: str) -> None:
    """Print one line with these numbers of this stack and their dimensions; nothing without a stack."""
    if not stack:
        return
    # Without `service`, Powertools adds the logger's name as a dimension, and no alarm would match the metric.
    line = EphemeralMetrics(namespace=NAMESPACE, service="")
    for name, value in {"stack": stack, **dimensions}.items():
        line.add_dimension(name, value)
    for metric, number in values.items():
        line.add_metric(metric.value, "None" if metric in _NO_COUNTS else "Count", float(number))
    line.flush_metrics()
