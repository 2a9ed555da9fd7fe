"""Places: an account in a region."""

from __future__ import annotations

from chalicelib.domain.core.deferred import dataclass


@dataclass(frozen=True)
class Place:
    """One account in one region. `role_arn`: the role to assume there; None: the service's own account."""

    account: str
    region: str
    role_arn: str | None = None


@dataclass(frozen=True, order=True)
class ClusterKey:
    """Identifies one cluster."""

    account: str
    region: str
    name: str
