"""What `make prove ONLY=…` tells: cells, lives, races or random days whose names begin so; all of them when it is empty.

`python -m tests.proof.only check update-check_endpoint` fails where nothing has such a name; `... stories lost` prints which
stories of interrupted lives are told, an expression for pytest's `-k`.
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
#: What a story interrupts each call of a life by, and how its test is called.
STORIES = {
    "cut": "test_every_call_is_cut_once",
    "failed": "test_every_call_fails_once_before_its_effect",
    "failed-after": "test_every_call_fails_once_after_its_effect",
    "killed": "test_every_function_dies_once_after_every_change",
    "lost": "test_every_answer_is_lost_once",
    "throttled": "test_every_call_is_throttled_once",
}


def keep(part: str, found: object) -> None:
    """Keep a part's result for the page; nothing where only some of it is told."""
    if not PROVE:
        page.keep(part, found)


def of_cells(cells: Sequence[Cell]) -> list[Cell]:
    """Those that are told. Skips the test where none is."""
    return [cell for cell in cells if str(cell).startswith(PROVE)] or _skip()


def told_only_if(name: str) -> None:
    """Skip the test where something else is told."""
    if not name.startswith(PROVE):
        _skip()


def races_named(name: str) -> str:
    """What a scene of two acts, or an act three times at once, is called."""
    return f"races-{name.replace(' ', '-')}"


def stories(only: str) -> str:
    """The tests of the lives that are told."""
    return " or ".join(test for effect, test in STORIES.items() if effect.startswith(only))


def names() -> list[str]:
    """Of everything that may be told."""
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
