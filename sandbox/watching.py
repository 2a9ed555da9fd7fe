"""The support watch as its schedule runs it: one event a day, and the summary the run ends with."""

import json
import time
from datetime import datetime
from typing import Any

from sandbox.stage import Impatient, Stage


def run_watch(stage: Stage, at: datetime, seconds: float = 120) -> dict[str, Any]:
    """Send the daily schedule's event with `at` as its time and wait for the run's end; return its summary.

    Raises Impatient when the run does not end well within so many seconds of wall time.
    """
    started = stage.scheduled("StartWatchSupportFunction", at)
    states = stage.sandbox.client("stepfunctions")
    machine = stage.outputs["WatchSupportStateMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{started.get('execution')}"
    deadline = time.monotonic() + seconds
    while (seen := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise Impatient(f"the watch of {at:%Y-%m-%d} has been running for {seconds:.0f} s")
        time.sleep(0.1)
    if seen["status"] != "SUCCEEDED":
        raise Impatient(f"the watch of {at:%Y-%m-%d} {seen['status']}: {seen.get('error')} {seen.get('cause')}")
    return dict(json.loads(seen["output"])["finish"])
