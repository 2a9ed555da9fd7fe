"""The user pool with which browsers sign in, as this service uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.core.deferred import dataclass

if TYPE_CHECKING:
    from chalicelib.domain.identity.callers import Team
    from chalicelib.domain.identity.user_pools import Standing


@dataclass(frozen=True)
class PoolClient:
    """The pool's application. `login_url`: the address of the login. The adapter keeps the secret."""

    id: str
    login_url: str
    issuer: str
    pool_arn: str
    callbacks: tuple[str, ...]
    signed_out: tuple[str, ...]


class UserPool(Protocol):
    """Cognito's user pool of this installation, with one client."""

    def client(self) -> PoolClient:
        """Read once in a process, and again after a refusal. Raises LoginRefused if there is none."""

    def redeem(self, code: str, verifier: str, callback: str) -> Mapping[str, object]:
        """The claims of the ID token that the token endpoint returns for a code. Raises LoginRefused, Transient."""

    def teams(self) -> tuple[Team, ...]:
        """The teams of its groups, each with its members, if `cut` not all; cached for a minute. Raises Transient."""

    def standing(self, arn: str) -> Standing | None:
        """The pool's facts of a user, cached for a minute. None: not of this pool, deleted, or disabled. Raises Transient."""
