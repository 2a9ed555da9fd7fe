"""Of runs at the same time, one sends: it notes so where the mail is marked as sent later, before it sends.

A note is good for longer than a function lives: if the run dies between the mail and its mark, a later one sends it again.
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
    """Whether this run is the one that sends a mail about an entry, which is due as the entry is kept now.

    `mail`: the record of the mail that will tell of it, noted with it.
    """
    claim = _MailClaim(deps.clock.now(), is_due, mail)
    deps.curfew.store.change_status(entry.night, entry.id, claim)
    return claim.won


def may_tell(deps: Deps, night: date, is_due: Callable[[PlanHeader], bool]) -> bool:
    """Whether this run is the one that tells administrators about a night, which is due as the night's plan is kept now."""
    claim = _Claim(deps.clock.now(), is_due)
    deps.curfew.store.change_header(night, claim)
    return claim.won


class _Claim(Generic[Kept]):
    """A change that notes the sending where it is due and nobody else is at it. `won`: whether it did so at last."""

    def __init__(self, now: datetime, is_due: Callable[[Kept], bool]) -> None:
        self._now, self.won = now, False
        self._is_due: Callable[[Kept], bool] = is_due

    def __call__(self, kept: Kept) -> Kept:
        self.won = self._is_due(kept) and (kept.sending_until is None or kept.sending_until <= self._now)
        return replace(kept, sending_until=self._now + _LONG) if self.won else kept


class _MailClaim(_Claim[EntryStatus]):
    """The same, with the mail's record."""

    def __init__(self, now: datetime, is_due: Callable[[EntryStatus], bool], mail: str) -> None:
        super().__init__(now, is_due)
        self._mail = mail

    def __call__(self, kept: EntryStatus) -> EntryStatus:
        claimed = super().__call__(kept)
        return replace(claimed, mail=self._mail) if self.won else claimed
