"""Concurrent acts on fakes: between two port calls of one act, the next one runs completely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.errors.tree import EkslabError
from tests.fakes import FakeWorld
from tests.fakes.account import Call

#: A number above any act's number of calls.
LAST = 10_000


@dataclass
class Race:
    """`moments`: after how many of its calls each act but the last is overtaken by the next one; LAST: never.

    `calls`: the number of each act's calls; `results`: `done`, or the class of the service's error; `steps`: after how many
    calls of the first act each of its steps began.
    """

    world: FakeWorld
    moments: Sequence[int]
    calls: list[int] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    _acts: Sequence[Callable[[], object]] = ()
    _at_work: list[int] = field(default_factory=list)
    _begun: int = 0
    _depth: int = 0

    def run(self, *acts: Callable[[], object]) -> None:
        """Run all acts to their end."""
        self._acts, self.calls, self.results = acts, [0] * len(acts), [""] * len(acts)
        self.world.account.around = self._called
        while self._begun < len(acts):
            self._next()

    def note_step(self, _function: str) -> None:
        """Hook before each invocation of a function."""
        if self._at_work == [0]:
            self.steps.append(self.calls[0])

    def _next(self) -> None:
        number, self._begun = self._begun, self._begun + 1
        self._at_work.append(number)
        try:
            self._acts[number]()
            self.results[number] = "done"
        except EkslabError as error:
            self.results[number] = type(error).__name__
        self._at_work.pop()

    def _called(self, call: Call) -> Any:
        """Calls between fakes are part of one call."""
        if self._depth or not self._at_work:
            return call.act()
        number = self._at_work[-1]
        if number < len(self.moments) and self._begun == number + 1 and self.calls[number] == self.moments[number]:
            self._next()
        self.calls[number] += 1
        self._depth += 1
        try:
            return call.act()
        finally:
            self._depth -= 1
