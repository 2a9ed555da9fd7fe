"""Starts the runs of a schedule with one event, and returns the run's summary."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.deploy import PATIENCE
from sandbox.stage import Impatient, Schedules


def run_watch(stage: Schedules, at: datetime, seconds: float = PATIENCE) -> dict[str, Any]:
    """Run the support watch with `at` as the time of its daily event; return its summary. Raises Impatient."""
    return _run(stage, "WatchSupport", at, seconds)


def run_curfew(stage: Schedules, at: datetime, seconds: float = PATIENCE) -> dict[str, Any]:
    """Run curfew with `at` as the time of its hourly event; return its summary. Raises Impatient."""
    return _run(stage, "Curfew", at, seconds)


def describe_curfew_run(summary: Mapping[str, Any]) -> list[str]:
    """A curfew run's summary for people: its acts, its problems, the labs it could not check."""
    message = ", ".join(f"{word.replace('_', ' ')} {count}" for word, count in summary["counts"].items())
    return [message or "nothing was due", *map(str, summary["troubles"]), *map(str, summary["lost"])]


def describe_watch_run(summary: Mapping[str, Any]) -> str:
    """A watch's summary in one line."""
    clusters, places = counted(summary["clusters"], "cluster"), counted(summary["places"], "place")
    return f"read {clusters} in {places}, decided on {counted(summary['notices'], 'notice')}"


def counted(number: int, noun: str) -> str:
    """`1 notice`, `4 notices`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _run(stage: Schedules, workflow: str, at: datetime, seconds: float) -> dict[str, Any]:
    """Send the event and wait for the run's end, for a limited number of wall seconds."""
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
