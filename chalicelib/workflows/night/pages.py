"""Unwarned entries page by page, those of one person together: a person's mail names all of them.

One call of a function warns of so many in its time. Whoever is warned in an owner's place has theirs from all pages: the last
page holds what the others left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.plan import EntryStatus
from chalicelib.workflows.night.run import NightRun


@dataclass(frozen=True)
class WarningPage:
    """Statuses to warn of. `after`: the last person of the page, whom the next one comes after; empty on the last page."""

    statuses: tuple[EntryStatus, ...] = ()
    after: str = ""


def page_of(run: NightRun, unwarned: Sequence[EntryStatus], after: str, most: int) -> WarningPage:
    """The entries of the next persons, by about `most`; all that are left where they are the last ones."""
    if len(unwarned) <= most:
        return WarningPage(tuple(unwarned))
    people = _people(run, unwarned)
    ordered = sorted(unwarned, key=lambda status: people[status.night, status.entry_id])
    here = [each for each in ordered if people[each.night, each.entry_id] > after]
    if len(here) <= most:
        return WarningPage(tuple(unwarned))
    last = people[here[most - 1].night, here[most - 1].entry_id]
    return WarningPage(tuple(each for each in here if people[each.night, each.entry_id] <= last), last)


def _people(run: NightRun, statuses: Sequence[EntryStatus]) -> Mapping[object, str]:
    """By entry, the person whose lab it is: their id, or the owner's name where nobody is known by it."""
    wanted = [(status.night, status.entry_id) for status in statuses]
    owners = {(entry.night, entry.id): entry.owner for entry, _ in run.store.lines(wanted)}
    known = run.deps.people.people_of(sorted(set(owners.values())))
    people = {owner: known[owner].id if owner in known else owner for owner in owners.values()}
    return {each: people.get(owners.get(each, ""), "?") for each in wanted}
