"""CloudWatch with metrics of clusters: GetMetricData answered from what people are said to do in them.

The emulator's CloudWatch knows what was put into it, and nobody puts anything. `install` lets it answer for clusters that were
given an activity; all other metrics are still the emulator's own.
"""

from emulator.cloudwatch.activities import Activities
from emulator.cloudwatch.metric_data import install

__all__ = ["Activities", "install"]
