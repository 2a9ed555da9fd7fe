"""The selection of `make prove ONLY=…`: cells, lives, races or random days by the beginning of their names; empty selects all.

`python -m tests.proof.only check update-check_endpoint` fails if no name matches; `... stories lost` prints the selected
stories of interrupted lives, as an expression for pytest's `-k`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from tests.examples import PROVE
from tests.proof import page
from tests.proof.cells import cells_of, lifecycles
from tests.proof.faults import Cell
from tests.proof.nights import cells_of_schedules

DAYS = "days"
#: The ways in which a story interrupts each call of a life, and the names of their tests.
STORIES = {
    "cut": "test_every_call_is_cut_once",
    "failed": "test_every_call_fails_once_before_its_effect",
    "failed-after": "test_every_call_fails_once_after_its_effect",
    "killed": "test_every_function_dies_once_after_every_change",
    "lost": "test_every_answer_is_lost_once",
    "throttled": "test_every_call_is_throttled_once",
}


def keep(part: str, found: object) -> None:
    """Keep a part's result for the page, unless only a selection runs."""
    if not PROVE:
        page.keep(part, found)


def of_cells(cells: Sequence[Cell]) -> list[Cell]:
    """The selected cells. Skips the test if there are none."""
    return [cell for cell in cells if str(cell).startswith(PROVE)] or _skip()


def told_only_if(name: str) -> None:
    """Skip the test if the selection excludes it."""
    if not name.startswith(PROVE):
        _skip()


def races_named(name: str) -> str:
    """The name of a scene of two acts, or of an act three times at once."""
    return f"races-{name.replace(' ', '-')}"


def stories(only: str) -> str:
    """The tests of the selected lives."""
    return " or ".join(test for effect, test in STORIES.items() if effect.startswith(only))


def names() -> list[str]:
    """All names that can be selected."""
    from tests.proof.test_races import SCENES, THRICE

    cells = [*cells_of_schedules(), *(cell for workflow in lifecycles() for cell in cells_of(workflow))]
    return [*map(str, cells), *STORIES, *map(races_named, [*SCENES, *THRICE]), DAYS]


def _skip() -> list[Cell]:
    assert PROVE, "without ONLY=, each test has cells"
    pytest.skip(f"`make prove ONLY={PROVE}` leaves this out: no cell here has a name that begins so.")


def main(what: str, only: str) -> None:
    """`check` or print the `stories`."""
    if what == "stories":
        print(stories(only))
    elif not any(name.startswith(only) for name in names()):
        raise SystemExit(f"Nothing has a name that begins with {only}.")


if __name__ == "__main__":
    main(*sys.argv[1:3])
