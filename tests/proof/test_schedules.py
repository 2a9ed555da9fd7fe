"""Each fault meets all calls of the curfew run and the watch, one a day: all by `make prove`, some in `make check`."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks.proof import LEFT
from tests.examples import PROVE
from tests.proof.cells import rows
from tests.proof.faults import Cell, Fault
from tests.proof.nights import cells_of_schedules, check_cell

#: One a row: what was found to be denied for good without a word.
FOUND = (
    Cell("watch_support", "scan_place", "fleet.insights", Fault.DENIED),
    Cell("watch_support", "scan_place", "fleet.addons_at", Fault.DENIED),
    Cell("watch_support", "deliver_notices", "notifier.publish_events", Fault.DENIED),
)


@pytest.mark.parametrize("cell", FOUND, ids=str)
def test_what_was_found_does_not_come_back(cell: Cell) -> None:
    assert check_cell(cell), "the fault was never met"


def failures(cells: list[Cell]) -> Iterator[tuple[Cell, str]]:
    for cell in cells:
        try:
            check_cell(cell)
        except AssertionError as failure:
            yield cell, str(failure)


def test_a_sample_of_days_with_a_fault_holds() -> None:
    assert rows(failures(random.Random(16).sample(cells_of_schedules(), 10))) == ""


@pytest.mark.long
@pytest.mark.parametrize("workflow", ["curfew", "watch_support"])
def test_every_day_with_a_fault_holds(workflow: str) -> None:
    of_workflow = [cell for cell in cells_of_schedules() if cell.workflow == workflow]
    cells = [cell for cell in of_workflow if str(cell).startswith(PROVE)]
    assert rows(failures(cells)) == ""
    if not PROVE:
        count = Counter(str(cell.fault) for cell in cells)
        LEFT.mkdir(parents=True, exist_ok=True)
        (LEFT / f"cells-{workflow}.json").write_text(json.dumps(dict(sorted(count.items()))))
