"""What this installation allows: read once from settings, applied when a request is completed and when a lab is changed."""

from __future__ import annotations

from chalicelib.domain.core.deferred import dataclass


@dataclass(frozen=True)
class Limits:
    """What this installation allows; read once from settings. `regions` empty: every region."""

    default_region: str = "ap-northeast-2"
    regions: tuple[str, ...] = ()
    default_lease_hours: int = 8
    max_lease_hours: int = 72
    max_nodes: int = 10
    max_labs_per_owner: int = 5
