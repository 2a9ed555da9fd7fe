"""The store of people: part of `ports/deps.py`, with its promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.domain.identity.person import Person


class PersonStore(Protocol):
    """People by identity, address and id. No two people have an identity or a confirmed address in common."""

    def person_of(self, name: str) -> Person | None:
        """Whom a recipient or an identity names, strongly consistent; None where nobody is known, or where it fits two people.

        `name`: an ARN, a confirmed address, or a bare name of an IAM user or of the directory.
        """
        ...

    def people_of(self, names: Sequence[str]) -> Mapping[str, Person]:
        """As `person_of` for many names, in two calls for each hundred; names of nobody are left out."""
        ...

    def person_by_key(self, key: str) -> Person | None:
        """The person that has this key (`Person.keys`), strongly consistent."""
        ...

    def save_people(self, before: Sequence[Person], after: Sequence[Person]) -> bool:
        """Put `after` in the place of `before`, with all their keys, in one transaction; False if one was saved in between.

        Who is in `before` alone is forgotten; a new person is in `after` alone, with the version 0. At most eight people with
        a hundred keys in all. Raises IdentityTaken if a key is another person's.
        """
        ...

    def list_people(self, limit: int, cursor: str | None) -> tuple[tuple[Person, ...], str | None]:
        """Newest first, from an index that follows within moments. Raises InvalidRequest on `cursor`."""
        ...
