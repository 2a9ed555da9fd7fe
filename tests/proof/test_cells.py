"""Each call of each step of a lab's lifecycles meets each fault, one a life: `make prove` tells all, `make check` a sample.

`EKSLAB_PROVE=update-check_endpoint` (`make prove ONLY=…`) tells the cells whose name begins so.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks.proof import LEFT
from tests.examples import PROVE
from tests.proof.cells import cells_of, lifecycles, rows
from tests.proof.faults import Cell, Fault
from tests.proof.lives import check, told

#: One a row: what was found to be wrong when all cells were told for the first time.
FOUND = (
    # A change that was given up after EKS had been asked left a record that said the opposite.
    Cell("update", "check_endpoint", "clusters.update_state", Fault.DENIED),
    Cell("update", "check_nodegroups", "clusters.nodegroup_update_state", Fault.DENIED),
    # A waking that was given up while EKS was at work left nodes running in a lab told as hibernated.
    Cell("wake", "restore_nodegroups", "clusters.nodegroup_update_state", Fault.DENIED_ONCE),
    # A lab was ended because its workflow was stopped, though another one can go on.
    Cell("provision", "begin", "store.record", Fault.STOPPED),
    Cell("provision", "create_cluster", "clusters.create", Fault.STOPPED),
    Cell("provision", "verify", "kubernetes.probe", Fault.STOPPED),
    # A denial before a step had begun was told without AWS's words.
    Cell("hibernate", "shrink_nodegroups", "store.load_lab", Fault.DENIED),
    Cell("hibernate", "begin", "store.load_lab", Fault.DENIED),
    # A log group that came back was never deleted once its first deletion had been throttled.
    Cell("verify_deletion", "remove_leftovers", "leftovers.delete", Fault.THROTTLED),
    Cell("verify_deletion", "remove_leftovers", "store.record", Fault.KILLED_AFTER),
    # A part of the five-minute run that can't be read stopped all of it.
    Cell("update", "recover_labs", "curfew_store.blocked", Fault.DENIED),
    # A key pair and a work host were made, and the ledger that was to name them could not be read.
    Cell("provision", "create_stack", "store.ledger", Fault.DENIED),
    Cell("provision", "launch_work_host", "store.ledger", Fault.DENIED),
    # An account was looked at no more, and nothing told AWS's words.
    Cell("verify_deletion", "look", "store.load_lab", Fault.DENIED),
)
_SAMPLED = 20


def sampled() -> list[Cell]:
    """The same few cells in each run, of every lifecycle and fault."""
    every = [cell for workflow in lifecycles() for cell in cells_of(workflow)]
    return random.Random(16).sample(every, _SAMPLED)


@pytest.mark.parametrize("cell", FOUND, ids=str)
def test_what_was_found_does_not_come_back(cell: Cell) -> None:
    life = told(cell)
    assert life.strikes.struck_at is not None, "the fault was never met"
    check(life)


def test_a_sample_of_all_cells_holds() -> None:
    assert rows(failures(sampled())) == ""


@pytest.mark.long
@pytest.mark.parametrize("workflow", lifecycles())
def test_every_cell_of_a_lifecycle_holds(workflow: str) -> None:
    cells = [cell for cell in cells_of(workflow) if str(cell).startswith(PROVE)]
    assert rows(failures(cells)) == ""
    if not PROVE:
        count = Counter(str(cell.fault) for cell in cells)
        LEFT.mkdir(parents=True, exist_ok=True)
        (LEFT / f"cells-{workflow}.json").write_text(json.dumps(dict(sorted(count.items()))))


def failures(cells: list[Cell]) -> Iterator[tuple[Cell, str]]:
    """Which cells do not hold, and why. One whose fault is never met (a first read can't be stale) holds."""
    for cell in cells:
        try:
            life = told(cell)
            if life.strikes.struck_at is not None:
                check(life)
        except AssertionError as failure:
            yield cell, str(failure)
