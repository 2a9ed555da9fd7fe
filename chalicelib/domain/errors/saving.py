"""Load, change and save, again while other writers are first: the one loop of adapters, use cases and workflows.

The caller gives functions that load and save. The tries are bounded: the last failure raises StaleLab, which state machines retry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chalicelib.domain.errors.tree import StaleLab

#: Tries of a conflicting write before it fails.
ATTEMPTS = 8

Saved = TypeVar("Saved")


def until_saved(what: str, attempt: Callable[[], Saved | None]) -> Saved:
    """Load, change and save; repeat if somebody saved in between (`attempt` returns None). Raises StaleLab."""
    for _ in range(ATTEMPTS):
        if (saved := attempt()) is not None:
            return saved
    raise StaleLab(f"{what} was saved by others {ATTEMPTS} times in a row.")


def changed_record(
    what: str,
    load: Callable[[], Saved | None],
    change: Callable[[Saved], Saved],
    save: Callable[[Saved, Saved], Saved | None],
) -> Saved | None:
    """Load, change, save; repeat if somebody saved in between (`save(changed, stored)` returns None). Raises StaleLab.

    An unchanged record is not saved. None: there is none.
    """

    def attempt() -> tuple[Saved | None] | None:
        stored = load()
        if stored is None or (changed := change(stored)) == stored:
            return (stored,)
        saved = save(changed, stored)
        return None if saved is None else (saved,)

    return until_saved(what, attempt)[0]
