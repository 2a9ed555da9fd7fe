"""The injected faults: at one call of one function, in one way, once, for two minutes or for good."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.domain.errors.tree import AccessDenied, AwsUnavailable, Throttled
from tests.fakes.account import Call
from tests.fakes.clock import FakeClock
from tests.workflows.machine import LambdaDied


class Fault(StrEnum):
    """The result of the call. STOPPED stops the execution after the function that made the call has returned."""

    THROTTLED = "throttled"
    THROTTLED_TWO_MINUTES = "throttled-two-minutes"
    CUT = "cut"
    FAILED = "failed"
    FAILED_AFTER = "failed-after"
    DENIED_ONCE = "denied-once"
    DENIED = "denied"
    KILLED = "killed"
    KILLED_AFTER = "killed-after"
    STALE = "stale"
    STOPPED = "stopped"


#: Transient faults: the lifecycle continues as if there had been none.
PASSING = frozenset(Fault) - {Fault.DENIED, Fault.DENIED_ONCE}
#: Lambda's reports of a function that died.
DEATHS = ("Runtime.ExitError", "Sandbox.Timedout", "Lambda.Unknown")
#: AWS's code and message of a refusal: the reason, the history or a step must show people one of them.
CODE, WORDS = "AccessDeniedException", "is not authorized to perform"
_TWO_MINUTES = timedelta(minutes=2)
#: These return errors as values, and never raise: the adapters' own tests show that.
NEVER_REFUSED = frozenset(
    {"kubernetes.probe", "kubernetes.nodes", "kubernetes.sweep", "kubernetes.view_role", "inventory.take"}
)


@dataclass(frozen=True)
class Cell:
    """One fault at one pair of function and call, in one lifecycle."""

    workflow: str
    function: str
    call: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.workflow}-{self.function}-{self.call}-{self.fault}"


@dataclass
class Strikes:
    """Answers a world's calls, and injects faults. `function`: the current caller; `met`: every pair of function and call so
    far; `repeated`: those with a repeated request; `struck_at`: when the fault was first met, and `out_at_strike` the last mail
    sent before.
    """

    clock: FakeClock
    cell: Cell | None = None
    function: str = ""
    met: dict[tuple[str, str], None] = field(default_factory=dict)
    repeated: set[tuple[str, str]] = field(default_factory=set)
    struck_at: datetime | None = None
    stopping: bool = False
    last_mail: Callable[[], Any] = lambda: None
    out_at_strike: Any = None
    _answers: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    _depth: int = 0

    @property
    def death(self) -> str:
        """AWS's report of the death: one of its ways for each cell, the same in each run."""
        return DEATHS[zlib.crc32(str(self.cell).encode()) % len(DEATHS)]

    def answer(self, call: Call) -> Any:
        """The call's answer, or what comes instead. A fake that asks itself is one call, unless AWS denies that for good by now."""
        if self._depth and self.struck_at is not None and self._is_denied(call):
            return self._struck(call)
        if self._depth or not self.function:
            return call.act()
        self.met[self.function, call.name] = None
        if (call.name, repr(call.given)) in self._answers:
            self.repeated.add((self.function, call.name))
        if self._is_due(call):
            return self._struck(call)
        return self._act(call)

    def _act(self, call: Call) -> Any:
        self._depth += 1
        try:
            answer = call.act()
        finally:
            self._depth -= 1
        self._answers.setdefault((call.name, repr(call.given)), []).append(answer)
        return answer

    def _is_due(self, call: Call) -> bool:
        cell = self.cell
        if cell is None or (cell.function, cell.call) != (self.function, call.name):
            return False
        if self.struck_at is None:
            return True
        if cell.fault is Fault.THROTTLED_TWO_MINUTES:
            return self.clock.now() - self.struck_at < _TWO_MINUTES
        return cell.fault is Fault.DENIED

    def _is_denied(self, call: Call) -> bool:
        return self.cell is not None and self.cell.fault is Fault.DENIED and self._is_due(call)

    def _note_strike(self) -> None:
        if self.struck_at is None:
            self.struck_at, self.out_at_strike = self.clock.now(), self.last_mail()

    def _struck(self, call: Call) -> Any:
        assert self.cell is not None
        fault, before = self.cell.fault, self._answers.get((call.name, repr(call.given)), [])
        if fault is Fault.STALE and not before:
            return self._act(call)
        self._note_strike()
        match fault:
            case Fault.THROTTLED | Fault.THROTTLED_TWO_MINUTES:
                raise Throttled(f"{call.name}: ThrottlingException: Rate exceeded")
            case Fault.CUT:
                raise AwsUnavailable(f"{call.name}: EndpointConnectionError: Could not connect to the endpoint URL")
            case Fault.FAILED:
                raise AwsUnavailable(f"{call.name}: InternalServerError: try again")
            case Fault.DENIED | Fault.DENIED_ONCE:
                raise denied(call.name)
            case Fault.KILLED:
                raise LambdaDied(self.death)
            case Fault.STALE:
                self._act(call)
                return before[-1]
        answer = self._act(call)
        match fault:
            case Fault.FAILED_AFTER:
                raise AwsUnavailable(f"{call.name}: InternalServerError: it has had its effect")
            case Fault.KILLED_AFTER:
                raise LambdaDied(self.death)
            case _:
                self.stopping = True
        return answer


def denied(call: str) -> AccessDenied:
    """A refusal by IAM in AWS's words, without an explicit deny."""
    action = action_of(call)
    message = f"User: arn:aws:sts::111122223333:assumed-role/r/s {WORDS}: {action} on resource: *"
    return AccessDenied(action, CODE, message)


def action_of(call: str) -> str:
    """The IAM action of a port's call in these faults: `store.add_event` is aws:AddEvent."""
    return f"aws:{call.rpartition('.')[2].title().replace('_', '')}"
