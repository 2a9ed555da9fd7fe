"""Claims a message before it is sent, so that only one of several concurrent runs sends it.

A claim outlasts the longest run of a function: if the run dies between the message and its mark, a later run sends it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar

from chalicelib.domain.curfew.plan import Entry, EntryStatus, PlanHeader
from chalicelib.ports.deps import Deps

_LONG = timedelta(minutes=5)
Kept = TypeVar("Kept", EntryStatus, PlanHeader)


def may_send(deps: Deps, entry: Entry, is_due: Callable[[EntryStatus], bool], mail: str = "") -> bool:
    """Claim a message about an entry; whether this run won the claim. `is_due` reads the entry's current status.

    `mail`: the id of the mail that will carry the message, noted with the claim.
    """
    claim = _MailClaim(deps.clock.now(), is_due, mail)
    deps.curfew.store.change_status(entry.night, entry.id, claim)
    return claim.won


def may_tell(deps: Deps, night: date, is_due: Callable[[PlanHeader], bool]) -> bool:
    """Claim a message to administrators about a night; whether this run won the claim."""
    claim = _Claim(deps.clock.now(), is_due)
    deps.curfew.store.change_header(night, claim)
    return claim.won


class _Claim(Generic[Kept]):
    """A change of the record that notes the claim if the message is due and unclaimed. `won`: whether it did."""

    def __init__(self, now: datetime, is_due: Callable[[Kept], bool]) -> None:
        self._now, self.won = now, False
        self._is_due: Callable[[Kept], bool] = is_due

    def __call__(self, kept: Kept) -> Kept:
        self.won = self._is_due(kept) and (kept.sending_until is None or kept.sending_until <= self._now)
        return replace(kept, sending_until=self._now + _LONG) if self.won else kept


class _MailClaim(_Claim[EntryStatus]):
    """The same, with the mail's id."""

    def __init__(self, now: datetime, is_due: Callable[[EntryStatus], bool], mail: str) -> None:
        super().__init__(now, is_due)
        self._mail = mail

    def __call__(self, kept: EntryStatus) -> EntryStatus:
        claimed = super().__call__(kept)
        return replace(claimed, mail=self._mail) if self.won else claimed
