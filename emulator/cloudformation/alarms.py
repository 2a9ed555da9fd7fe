"""Alarms on a sum of metrics, which the emulator refuses: it keeps them as alarms on the first one. None ever rings here."""

from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

Properties = Mapping[str, Any]


def install() -> None:
    """Let this process's emulator take such alarms."""
    record = provisioners._cw_metric_alarm_record
    provisioners._cw_metric_alarm_record = lambda name, properties: record(name, on_one_metric(properties))


def on_one_metric(properties: Properties) -> Properties:
    """An alarm's properties as if it looked at the first of its metrics only."""
    first = next((each["MetricStat"] for each in properties.get("Metrics", ()) if "MetricStat" in each), None)
    if first is None:
        return properties
    rest = {name: value for name, value in properties.items() if name != "Metrics"}
    return rest | dict(first["Metric"]) | {"Statistic": first["Stat"], "Period": first["Period"]}
