"""Makes a Lambda handler from a function: it adds the invocation's context to the log, and passes the process's `Deps`.

Lambda imports one module of this folder for its functions: nothing here imports Chalice or the API.
`app.py` lists the modules for `chalice package`, which names each handler by its module and name.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from chalicelib.logs import invocation_lines
from chalicelib.wiring.deps import get_deps
from chalicelib.workflows.shared.runner import StepFunction, WatchFunction, run_step, run_watch_step

Event = dict[str, Any]
Handler = Callable[[Event, object], Event]


def lab_step(function: StepFunction) -> Handler:
    """The handler of a workflow's step for one lab, named after workflow and step: `provision_begin`."""
    return handler(_name_of(function), lambda event: run_step(get_deps(), function, event))


def scheduled_step(function: WatchFunction) -> Handler:
    """The handler of a scheduled workflow's step, which has no lab of its own."""
    return handler(_name_of(function), lambda event: run_watch_step(get_deps(), function, event))


def handler(name: str, answer: Callable[[Event], Event]) -> Handler:
    """The handler of this name, which answers an event with `answer`. Chalice reads the function's name."""

    def opened(event: Event, _context: object) -> Event:
        return answer(event)

    decorated: Handler = invocation_lines(opened)
    decorated.__name__ = decorated.__qualname__ = name
    return decorated


def handlers_of(module: ModuleType) -> tuple[Handler, ...]:
    """The handlers of a workflow's module, in their order: its members named after the workflow."""
    workflow = module.__name__.rpartition(".")[2]
    return tuple(each for name, each in vars(module).items() if name.startswith(f"{workflow}_"))


def _name_of(function: Callable[..., object]) -> str:
    return f"{function.__module__.rpartition('.')[2]}_{function.__name__}"
