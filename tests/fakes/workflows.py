"""Step Functions in memory: execution names are unique for ever, a start can fail before or after it takes effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.labs.steps import Execution
from tests.fakes.account import Account, port


@dataclass
class FakeWorkflows:
    """`started` is every execution in order: (workflow, name, payload). `end(name)` ends one."""

    account: Account
    started: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)
    running: set[tuple[str, str]] = field(default_factory=set)
    port_name: str = "workflows"

    @port
    def start(self, workflow: str, execution_name: str, payload: Mapping[str, object]) -> None:
        if execution_name in self.names(workflow):
            return
        self.started.append((workflow, execution_name, dict(payload)))
        self.running.add((workflow, execution_name))

    @port
    def execution(self, workflow: str, execution_name: str) -> Execution:
        if (workflow, execution_name) in self.running:
            return Execution.RUNNING
        return Execution.ENDED if execution_name in self.names(workflow) else Execution.ABSENT

    def names(self, workflow: str) -> list[str]:
        """Names of all executions ever started of a workflow."""
        return [name for flow, name, _ in self.started if flow == workflow]

    def end(self, execution_name: str) -> None:
        """Let an execution end (or die)."""
        self.running = {key for key in self.running if key[1] != execution_name}
