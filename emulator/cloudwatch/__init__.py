"""CloudWatch with metrics of clusters: GetMetricData answers from the simulated activity in them.

The emulator's CloudWatch has only published metrics, and no program publishes any. `install` lets it answer for clusters with an
activity; all other metrics are still the emulator's own.
"""

from emulator.cloudwatch.activities import Activities
from emulator.cloudwatch.metric_data import install

__all__ = ["Activities", "install"]
