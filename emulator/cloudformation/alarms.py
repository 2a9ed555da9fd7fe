"""Alarms on a sum of metrics, which ministack refuses: they become alarms on the first metric. No alarm fires here."""

from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

Properties = Mapping[str, Any]


def install() -> None:
    """Make this process's emulator accept such alarms."""
    record = provisioners._cw_metric_alarm_record
    provisioners._cw_metric_alarm_record = lambda name, properties: record(name, on_one_metric(properties))


def on_one_metric(properties: Properties) -> Properties:
    """An alarm's properties, reduced to its first metric."""
    first = next((each["MetricStat"] for each in properties.get("Metrics", ()) if "MetricStat" in each), None)
    if first is None:
        return properties
    rest = {name: value for name, value in properties.items() if name != "Metrics"}
    return rest | dict(first["Metric"]) | {"Statistic": first["Stat"], "Period": first["Period"]}
