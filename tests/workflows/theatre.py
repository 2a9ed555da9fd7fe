"""Drives a lab on fakes like the schedule and Step Functions: every started workflow runs to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chalicelib.domain.core.message import Message
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.steps import execution_name
from chalicelib.workflows import schedules
from chalicelib.workflows.night.send import send_posts
from tests.fakes import FakeWorld, a_lab, make_deps
from tests.fakes.builders import in_phase
from tests.workflows.machine import Machine


@dataclass
class Theatre:
    """One world with one lab. `ends` are the last states of all executions, in order."""

    world: FakeWorld = field(default_factory=make_deps)
    lab_id: str = ""
    before: Callable[[str], None] = lambda function: None
    after: Callable[[str], None] = lambda function: None
    ends: list[str] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    _played: int = 0

    @property
    def lab(self) -> Lab:
        return self.world.store.load_lab(self.lab_id)

    def request(self, lab: Lab | None = None) -> Lab:
        """Store a lab and start its provisioning, as the API does."""
        lab = self.world.deps.store.create_lab(lab or a_lab(), None, "", self.world.clock.now())
        self.lab_id = lab.id
        self.world.deps.workflows.start("provision", execution_name(lab, "provision"), {"lab_id": lab.id})
        return lab

    def release(self) -> None:
        """Request the lab's end, as the API does."""

        def released(stored: Lab) -> Lab:
            moved = in_phase(stored, Phase.RELEASING, self.world.clock.now())
            return _rerun(moved)

        lab = self.world.deps.store.change_lab(self.lab_id, released)
        self.world.deps.workflows.start("teardown", execution_name(lab, "teardown"), {"lab_id": lab.id})

    def play(self) -> str:
        """Run all started executions, and those they start; return the last one's last state."""
        while self._played < len(self.world.workflows.started):
            workflow, name, payload = self.world.workflows.started[self._played]
            self._played += 1
            machine = Machine(workflow, self.world.deps, self.before, self.after)
            self.machines.append(machine)
            try:
                self.ends.append(machine.run(payload))
            finally:
                self.world.workflows.end(name)
        return self.ends[-1]

    def later(self, **ago: float) -> None:
        """Let time pass, then run the schedule and everything it starts."""
        self.world.clock.advance(**ago)
        schedules.recover_labs(self.world.deps)
        self.play()

    def told(self, kind: str) -> list[Message]:
        """Messages of a kind after the five-minute run, including those with other subjects."""
        send_posts(self.world.deps, self.world.clock.now())
        return [message for message in self.world.watch.notifier.messages if message.kind == kind]

    def history(self) -> list[str]:
        """The texts of the lab's history, in order."""
        return [event.message for event in self.world.store.event_table[self.lab_id]]


def _rerun(lab: Lab) -> Lab:
    return replace(lab, run=lab.run + 1, change=None)
