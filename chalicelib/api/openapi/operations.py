"""One operation as the OpenAPI document lists it."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.core.deferred import dataclass

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path. `statuses` are its refusals beside those that every operation has (403, 502, 503).

    `public`: nobody needs to sign.
    """

    method: str
    path: str
    summary: str
    success: tuple[int, str]
    statuses: tuple[int, ...] = ()
    body: str | None = None
    query: tuple[str, ...] = ()
    media: str = "application/json"
    public: bool = False
