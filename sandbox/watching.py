"""The runs that a schedule starts, as it starts them: one event, and the summary the run ends with."""

import json
import time
from datetime import datetime
from typing import Any

from sandbox.stage import Impatient, Stage


def run_watch(stage: Stage, at: datetime, seconds: float = 120) -> dict[str, Any]:
    """Run the support watch with `at` as the time of its daily event; return its summary. Raises Impatient."""
    return _run(stage, "WatchSupport", at, seconds)


def run_sweep(stage: Stage, at: datetime, seconds: float = 120) -> dict[str, Any]:
    """Run the sweep with `at` as the time of its hourly event; return its summary. Raises Impatient."""
    return _run(stage, "SweepIdle", at, seconds)


def _run(stage: Stage, workflow: str, at: datetime, seconds: float) -> dict[str, Any]:
    """Send the event and wait for the run's end, so many seconds of wall time at most."""
    started = stage.scheduled(f"Start{workflow}Function", at)
    states = stage.sandbox.client("stepfunctions")
    machine = stage.outputs[f"{workflow}StateMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{started.get('execution')}"
    deadline = time.monotonic() + seconds
    while (seen := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise Impatient(f"{workflow} of {at:%Y-%m-%d %H:%M} has been running for {seconds:.0f} s")
        time.sleep(0.1)
    if seen["status"] != "SUCCEEDED":
        raise Impatient(f"{workflow} of {at:%Y-%m-%d %H:%M} {seen['status']}: {seen.get('error')} {seen.get('cause')}")
    return dict(json.loads(seen["output"])["finish"])
