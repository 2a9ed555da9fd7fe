"""Each call of each step of a lab's lifecycles with each fault, one a life: `make prove` runs all, `make check` a sample.

`EKSLAB_PROVE=update-check_endpoint` (`make prove ONLY=…`) runs the cells whose name starts with it.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.proof.cells import cells_of, failures, lifecycles, rows, strata
from tests.proof.faults import Cell, Fault
from tests.proof.lives import check, told
from tests.proof.only import keep, of_cells

#: Regressions: the errors that the first run of all cells found.
FOUND = (
    # A change given up after its request to EKS left a record of the opposite.
    Cell("update", "check_endpoint", "clusters.update_state", Fault.DENIED),
    Cell("update", "check_nodegroups", "clusters.nodegroup_update_state", Fault.DENIED),
    # A wake-up given up while EKS was at work left nodes running in a lab recorded as hibernated.
    Cell("wake", "restore_nodegroups", "clusters.nodegroup_update_state", Fault.DENIED_ONCE),
    # A lab was ended because its workflow was stopped, though another one could continue.
    Cell("provision", "begin", "store.record", Fault.STOPPED),
    Cell("provision", "create_cluster", "clusters.create", Fault.STOPPED),
    Cell("provision", "verify", "kubernetes.probe", Fault.STOPPED),
    # A denial before a step had begun was reported without AWS's words.
    Cell("hibernate", "shrink_nodegroups", "store.load_lab", Fault.DENIED),
    Cell("hibernate", "begin", "store.load_lab", Fault.DENIED),
    # A recreated log group was never deleted once its first deletion had been throttled.
    Cell("verify_deletion", "remove_leftovers", "leftovers.delete", Fault.THROTTLED),
    Cell("verify_deletion", "remove_leftovers", "store.record", Fault.KILLED_AFTER),
    # An unreadable part of the five-minute run stopped all of it.
    Cell("update", "recover_labs", "curfew_store.blocked", Fault.DENIED),
    # A key pair and a work host were created, and their ledger could not be read.
    Cell("provision", "create_stack", "store.ledger", Fault.DENIED),
    Cell("provision", "launch_work_host", "store.ledger", Fault.DENIED),
    # An account was no longer read, and no text had AWS's words.
    Cell("verify_deletion", "look", "store.load_lab", Fault.DENIED),
)
_SAMPLED = 20


def sampled() -> list[Cell]:
    """The same few cells in each run, of every lifecycle and fault."""
    return strata([cell for workflow in lifecycles() for cell in cells_of(workflow)], _SAMPLED)


def holds(cell: Cell) -> bool:
    """Play the cell's life, and check it. Return whether the fault was met."""
    life = told(cell)
    check(life)
    return life.strikes.struck_at is not None


@pytest.mark.parametrize("cell", FOUND, ids=str)
def test_what_was_found_does_not_come_back(cell: Cell) -> None:
    assert holds(cell), "the fault was never met"


def test_a_sample_of_all_cells_holds() -> None:
    assert {cell.fault for cell in sampled()} == set(Fault)
    assert {cell.workflow for cell in sampled()} == set(lifecycles())
    assert rows(failures(sampled(), holds)) == ""


def test_a_cell_whose_fault_is_never_met_does_not_hold() -> None:
    never = Cell("update", "begin", "clusters.no_such_call", Fault.THROTTLED)
    assert rows(failures([never], holds)) == f"{never}: the fault was never met"


@pytest.mark.long
@pytest.mark.parametrize("workflow", lifecycles())
def test_every_cell_of_a_lifecycle_holds(workflow: str) -> None:
    cells = of_cells(cells_of(workflow))
    assert rows(failures(cells, holds)) == ""
    keep(f"cells-{workflow}", dict(sorted(Counter(str(cell.fault) for cell in cells).items())))
