"""All cells: the calls of each lifecycle, recorded in a run without faults, times the faults."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence

from tests.proof.faults import NEVER_REFUSED, PASSING, Cell, Fault
from tests.proof.lives import GOALS, undisturbed


def lifecycles() -> list[str]:
    """The workflows of a lab."""
    return list(GOALS)


@functools.cache
def cells_of(workflow: str) -> tuple[Cell, ...]:
    """Every pair of function and call with every possible fault: a first answer is never stale, and an execution is stopped
    once a function.
    """
    cells, stopped = [], set()
    strikes = undisturbed(workflow).strikes
    for function, call in strikes.met:
        for fault in Fault:
            if fault not in PASSING and call in NEVER_REFUSED:
                continue
            if fault is Fault.STALE and (function, call) not in strikes.repeated:
                continue
            if fault is Fault.STOPPED and (function in stopped or function == "recover_labs"):
                continue
            stopped |= {function} if fault is Fault.STOPPED else set()
            cells.append(Cell(workflow, function, call, fault))
    return tuple(cells)


def strata(cells: Sequence[Cell], count: int) -> list[Cell]:
    """A sample of `count` cells, the same in each run: of each lifecycle and of each fault by turns."""
    draw, workflows = random.Random(16), list(dict.fromkeys(cell.workflow for cell in cells))
    drawn: list[Cell] = []
    for number, fault in enumerate(list(Fault) * (count // len(Fault) + 1)):
        workflow = workflows[number % len(workflows)]
        drawn.append(draw.choice([one for one in cells if (one.workflow, one.fault) == (workflow, fault)]))
    return drawn[:count]


def failures(cells: Iterable[Cell], check: Callable[[Cell], bool]) -> Iterator[tuple[Cell, str]]:
    """The cells that fail, and why. `check` returns whether the cell's fault was met."""
    for cell in cells:
        try:
            assert check(cell), "the fault was never met"
        except AssertionError as failure:
            yield cell, str(failure)


def rows(found: Iterable[tuple[Cell, str]]) -> str:
    """A line for each failing cell: pytest shows a long text whole, and truncates a long dictionary."""
    return "\n".join(f"{cell}: {failure}" for cell, failure in found)
