"""All cells: what each lifecycle calls, as it is found by living it once without faults, times the faults."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from tests.proof.faults import NEVER_REFUSED, PASSING, Cell, Fault
from tests.proof.lives import GOALS, pairs_of


def lifecycles() -> list[str]:
    """The workflows that work on a lab."""
    return list(GOALS)


@functools.cache
def cells_of(workflow: str) -> tuple[Cell, ...]:
    """Every pair of function and call with every fault that it may meet; an execution is stopped once a function."""
    cells, stopped = [], set()
    for function, call in pairs_of(workflow):
        for fault in Fault:
            if fault not in PASSING and call in NEVER_REFUSED:
                continue
            if fault is Fault.STOPPED and (function in stopped or function == "recover_labs"):
                continue
            stopped |= {function} if fault is Fault.STOPPED else set()
            cells.append(Cell(workflow, function, call, fault))
    return tuple(cells)


def rows(found: Iterable[tuple[Cell, str]]) -> str:
    """A line for each cell that does not hold: pytest shows a long text whole, and cuts a long dictionary."""
    return "\n".join(f"{cell}: {failure}" for cell, failure in found)
