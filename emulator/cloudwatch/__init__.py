"""CloudWatch with metrics of clusters: GetMetricData answered from what people are said to do in them.

The emulator's CloudWatch knows what was put into it, and nobody puts anything. `install` lets it answer for clusters that were
given an activity; all other metrics are still the emulator's own. Calls can be added to CloudTrail's history.
"""

from emulator.cloudwatch.activities import Activities
from emulator.cloudwatch.metric_data import install
from emulator.cloudwatch.trail import record_call

__all__ = ["Activities", "install", "record_call"]
