"""Claims a warning before it is sent, so that only one of several concurrent runs sends it.

A claim outlasts the longest run of a function: if the run dies between the message and its mark, a later run sends it again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.curfew.plan import Entry, EntryStatus
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.settling import is_due

_LONG = timedelta(minutes=5)


def may_send(deps: Deps, entry: Entry, mail: str = "") -> bool:
    """Claim the warning of an entry that stands without one; return whether this run won the claim.

    `mail`: the id of the mail that will carry the message, noted with the claim.
    """
    now, won = deps.clock.now(), False

    def claim(kept: EntryStatus) -> EntryStatus:
        nonlocal won
        won = is_due(kept) and (kept.sending_until is None or kept.sending_until <= now)
        return replace(kept, sending_until=now + _LONG, mail=mail) if won else kept

    deps.curfew.store.change_status(entry.night, entry.id, claim)
    return won
