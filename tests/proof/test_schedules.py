"""All calls of the curfew run and the watch with each fault, one a day: all by `make prove`, some in `make check`."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.proof.cells import failures, rows, strata
from tests.proof.faults import Cell, Fault
from tests.proof.nights import cells_of_schedules, check_cell
from tests.proof.only import keep, of_cells

#: Regressions: calls that were denied for good without any report.
FOUND = (
    Cell("curfew", "warn", "posts.post", Fault.DENIED),
    Cell("watch_support", "scan_place", "fleet.insights", Fault.DENIED),
    Cell("watch_support", "scan_place", "fleet.addons_at", Fault.DENIED),
    Cell("watch_support", "deliver_notices", "notifier.publish_events", Fault.DENIED),
)


@pytest.mark.parametrize("cell", FOUND, ids=str)
def test_what_was_found_does_not_come_back(cell: Cell) -> None:
    assert check_cell(cell), "the fault was never met"


def test_a_sample_of_days_with_a_fault_holds() -> None:
    sampled = strata(cells_of_schedules(), 12)
    assert {cell.fault for cell in sampled} == set(Fault)
    assert rows(failures(sampled, check_cell)) == ""


@pytest.mark.long
@pytest.mark.parametrize("workflow", ["curfew", "watch_support"])
def test_every_day_with_a_fault_holds(workflow: str) -> None:
    cells = of_cells([cell for cell in cells_of_schedules() if cell.workflow == workflow])
    assert rows(failures(cells, check_cell)) == ""
    keep(f"cells-{workflow}", dict(sorted(Counter(str(cell.fault) for cell in cells).items())))
