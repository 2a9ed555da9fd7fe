"""What happened to a lab, for people: the steps of its workflows with start and end, and its events in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass


class StepStatus(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """One step of one workflow run. `detail` is what it is waiting for, or what it did, in words.

    `name` is the workflow's step without verbs that only poll (`create_cluster` covers `check_cluster`);
    `attempts` counts how often the machine looked; `run` is the lab's run counter.
    """

    workflow: str
    name: str
    title: str
    status: StepStatus
    started_at: datetime
    ended_at: datetime | None = None
    detail: str = ""
    attempts: int = 0
    run: int = 0


@dataclass(frozen=True)
class Event:
    """One line of a lab's history. `kind` is a kebab-case word (`phase-changed`, `step-done`, `resource-deleted`, ...)."""

    at: datetime
    kind: str
    message: str
    facts: Mapping[str, str] = field(default_factory=dict)
