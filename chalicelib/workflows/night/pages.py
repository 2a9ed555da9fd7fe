"""Splits unwarned entries into pages that keep each person's together, so that one mail names all of them.

A function has time for a page of them. Warnings to people in an owner's place come from all pages: the last
page holds the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.plan import EntryStatus
from chalicelib.workflows.night.run import NightRun


@dataclass(frozen=True)
class WarningPage:
    """Statuses to warn of. `after`: the last person of the page, as the next page's cursor; empty on the last page."""

    statuses: tuple[EntryStatus, ...] = ()
    after: str = ""


def page_of(run: NightRun, unwarned: Sequence[EntryStatus], after: str, most: int) -> WarningPage:
    """The entries of the next people, about `most`; the last page has all remaining ones."""
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
    """The lab's owner by entry: the person's id, or the owner's name if the person is unknown."""
    wanted = [(status.night, status.entry_id) for status in statuses]
    owners = {(entry.night, entry.id): entry.owner for entry, _ in run.store.lines(wanted)}
    known = run.deps.people.people_of(sorted(set(owners.values())))
    people = {owner: known[owner].id if owner in known else owner for owner in owners.values()}
    return {each: people.get(owners.get(each, ""), "?") for each in wanted}
