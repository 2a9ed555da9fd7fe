"""The shapes of answers that callers in Python use; docs/openapi.json has all of them."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Finding(TypedDict):
    """An error or a warning about a request, by the path of the field."""

    severity: str
    path: str
    code: str
    message: str


class Cost(TypedDict):
    """USD: per hour and in total, with the period in words. The answer to a request also has the cost asleep."""

    usd: float | None
    usdAnHour: float
    usdAsleep: NotRequired[float | None]
    usdAnHourAsleep: NotRequired[float]
    message: str
    parts: list[dict[str, Any]]
    unknown: list[str]
    source: str


class Night(TypedDict):
    """A curfew: its local date, the instant, and the time on its owner's clock."""

    date: str
    at: str
    local: str


class LabInList(TypedDict):
    """A lab in short."""

    id: str
    name: str
    owner: str
    account: str
    region: str
    version: str
    phase: str
    reason: str
    responsible: str | None
    createdAt: str
    phaseSince: str
    leaseEndsAt: str
    endedAt: str | None
    links: dict[str, str]


class Lab(LabInList):
    """All fields of a lab. `warnings` and `cost`: in the answer to a request."""

    endpoint: str | None
    next: list[str]
    steps: list[dict[str, Any]]
    schedule: dict[str, Any]
    nextCurfew: Night | None
    spec: dict[str, Any]
    warnings: NotRequired[list[Finding]]
    cost: NotRequired[Cost | None]


class Accepted(LabInList):
    """A request that was accepted."""

    warnings: list[Finding]
