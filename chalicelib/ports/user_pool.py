"""The user pool by which browsers sign in, as this service needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.core.deferred import dataclass

if TYPE_CHECKING:
    from chalicelib.domain.identity.callers import Team
    from chalicelib.domain.identity.user_pools import Standing


@dataclass(frozen=True)
class PoolClient:
    """The application as the pool knows it. `login_url`: where the login answers. The secret stays with the adapter."""

    id: str
    login_url: str
    issuer: str
    pool_arn: str
    callbacks: tuple[str, ...]
    signed_out: tuple[str, ...]


class UserPool(Protocol):
    """Cognito's user pool of this installation, with one client."""

    def client(self) -> PoolClient:
        """Asked for once in a process, and again after a refusal. Raises LoginRefused where there is none."""

    def redeem(self, code: str, verifier: str, callback: str) -> Mapping[str, object]:
        """The claims of the ID token that the token endpoint gives for a code. Raises LoginRefused, Transient."""

    def teams(self) -> tuple[Team, ...]:
        """The teams that its groups make, each with its members, if `cut` not all; kept for a minute. Raises Transient."""

    def standing(self, arn: str) -> Standing | None:
        """What the pool says of a user, kept for a minute. None: not of this pool, gone, or disabled. Raises Transient."""
