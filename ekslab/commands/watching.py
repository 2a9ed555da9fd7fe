"""Staying with a lab while something is going on: says each step as it begins and ends, and what is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ekslab.client import Answer, Client

#: Seconds between looks.
EVERY = 3.0
_RESTING = frozenset({"ready", "hibernated", "deleted", "failed", "blocked"})
_WELL = frozenset({"ready", "hibernated", "deleted"})


def ended_well(phase: str) -> bool:
    """Whether a lab that rests in this phase is as its owner wanted it."""
    return phase in _WELL


def watch(client: Client, path: str, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> Answer:
    """Look until the lab rests or the service refuses to show it; return the last answer. 503 is looked past."""
    said: set[str] = set()
    while True:
        answer = client.call("GET", path)
        if answer.status != 503:
            if not answer.ok:
                return answer
            for line in _news(answer.body):
                if line not in said:
                    said.add(line)
                    say(line)
            if answer.body["phase"] in _RESTING:
                return answer
        sleep(EVERY)


def _news(lab: Mapping[str, Any]) -> list[str]:
    """What belongs to the present phase, in order of time; steps that ended before it are history."""
    lines = []
    for step in lab["steps"]:
        if step["endedAt"] and step["endedAt"] < lab["phaseSince"]:
            continue
        lines.append((step["startedAt"], f"{step['title']} ..."))
        if step["endedAt"]:
            lines.append((step["endedAt"], f"{step['title']}: {step['status']}. {step['detail']}".rstrip()))
    phase = (lab["phaseSince"], f"{lab['name']} is {lab['phase']}.")
    # Of one second: a phase that something is done in comes before its steps, one to rest in after them.
    lines = [*lines, phase] if lab["phase"] in _RESTING else [phase, *lines]
    return [f"{_time(at)}  {message}" for at, message in sorted(lines, key=lambda line: line[0])]


def _time(instant: str) -> str:
    return instant[11:19]
