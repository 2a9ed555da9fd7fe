"""The store of people, and the user pool with which browsers sign in: part of `ports/deps.py`, with its guarantees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.core.deferred import dataclass

if TYPE_CHECKING:
    from chalicelib.domain.identity.callers import Team
    from chalicelib.domain.identity.confirmation import Confirmation
    from chalicelib.domain.identity.person import Person
    from chalicelib.domain.identity.user_pools import Standing


class PersonStore(Protocol):
    """People by identity, address and id. An identity or a confirmed address belongs to at most one person."""

    def people_of(self, names: Sequence[str]) -> Mapping[str, Person]:
        """The people whom recipients or identities name, strongly consistent, in one call for each hundred.

        A name is an ARN, a confirmed address, or a bare name of an IAM user or of the directory. Names that are unknown, or that
        fit two people, are left out.
        """

    def person(self, person_id: str) -> Person | None:
        """By id, strongly consistent."""

    def person_by_key(self, key: str) -> Person | None:
        """The person that has this key (`Person.keys`), strongly consistent."""

    def save_people(self, before: Sequence[Person], after: Sequence[Person]) -> bool:
        """Replace `before` by `after`, with all their keys, in one transaction; return False if another writer came first.

        Another writer saved one of them in between, or gave a key to another person: read again. A person in `before` only is
        deleted; a person in `after` only, with version 0, is new. At most a hundred people and keys, kept ones included.
        """

    def change_person(self, person_id: str, change: Callable[[Person], Person]) -> Person | None:
        """Load, change, save if unchanged since, else try again. Returns None if there is none. Raises StaleLab."""

    def list_people(self, limit: int, cursor: str | None) -> tuple[tuple[Person, ...], str | None]:
        """Newest first, from an index that lags by moments. Raises InvalidRequest on `cursor`."""

    def to_invite(self, limit: int) -> tuple[Person, ...]:
        """People with a requested address and no mail about it yet, oldest first. Reads only those."""

    def confirmation(self, digest: str) -> Confirmation | None:
        """The confirmation of an address (by `address_digest`), strongly consistent."""

    def change_confirmation(self, digest: str, change: Callable[[Confirmation | None], Confirmation]) -> Confirmation:
        """Load, change, save if unchanged since, else try again (bounded). Raises the errors of `change`, and StaleLab."""

    def forget_confirmation(self, digest: str) -> None:
        """Absent is fine."""

    def spend(self, name: str, most: int, until: datetime) -> bool:
        """Count one use of a name; return False after `most` uses. Forgotten some time after `until`."""


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
