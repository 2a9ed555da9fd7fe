"""Numbers for CloudWatch, printed as lines of its embedded metric format: nothing is called, and nothing can fail.

Each is emitted where the number is known anyway, so that measuring never reads what grows with the fleet. `docs/how-to/runbook.md`
says what each means; alarms and the dashboard name them by `Metric` (tests/deployment/test_operations.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from aws_lambda_powertools.metrics import EphemeralMetrics

NAMESPACE = "ekslab"


class Metric(StrEnum):
    """What is measured: the metric's name in CloudWatch. All have the dimension `stack`."""

    #: Labs that could not be deleted. Hourly, and 1 at the moment that a lab is blocked: read its maximum.
    BLOCKED_LABS = "BlockedLabs"
    #: Owners whom a run of the sweep should have warned, and could not. Hourly.
    UNDELIVERED_WARNINGS = "UndeliveredWarnings"
    #: From the request until a lab is ready. Once a lab.
    MINUTES_TO_READY = "MinutesToReady"
    #: Notices of support deadlines that were decided and are still not out when the watch ends. Daily.
    NOTICES_LATE = "NoticesLate"
    #: Labs alive, by the dimension `phase`; a phase without any has no line. Hourly.
    LABS = "Labs"
    #: List price of all labs alive, USD an hour. Hourly.
    HOURLY_USD = "HourlyUsd"


#: CloudWatch has units for neither minutes nor dollars.
_NO_COUNTS = (Metric.MINUTES_TO_READY, Metric.HOURLY_USD)


def emit(stack: str, values: Mapping[Metric, float], **dimensions: str) -> None:
    """Print one line with these numbers, of this stack, which share their dimensions; nothing where there is no stack."""
    if not stack:
        return
    # Without `service` it would take the logger's name as one more dimension, and no alarm would know the metric.
    line = EphemeralMetrics(namespace=NAMESPACE, service="")
    for name, value in {"stack": stack, **dimensions}.items():
        line.add_dimension(name, value)
    for metric, number in values.items():
        line.add_metric(metric.value, "None" if metric in _NO_COUNTS else "Count", float(number))
    line.flush_metrics()
