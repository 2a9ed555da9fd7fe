"""Nights with workflows run step by step, and functions that die in them, for the model of the whole service."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chalicelib.domain.core.resources import LedgerEntry, Resource
from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.labs.spec import Limits
from tests.fakes import make_deps
from tests.workflows.machine import LAB_WORKFLOWS, LambdaDied, Machine
from tests.workflows.night.nights import Nights

#: The maximum of labs alive at once.
MOST_LABS = 50

#: The plan's outcomes of a lab that the curfew run ends, or has ended.
ENDING = frozenset({EntryOutcome.ACTING, EntryOutcome.ENDED})


def is_of(lab: Lab, thing: Resource, ledger: Iterable[LedgerEntry]) -> bool:
    """Whether a resource of any kind is the lab's: by its ledger, network, tag, or a name with its id."""
    listed = thing.arn in {entry.resource.arn for entry in ledger if not entry.guest}
    inside = thing.attributes.get("vpc-id") == lab.facts.vpc_id is not None
    return listed or inside or thing.tags.get("ekslab:lab-id") == lab.id or lab.id in thing.arn


class LivingNights(Nights):
    """Nights with workflows run step by step. `deaths`: the invocations before which a Lambda dies; `count`: their number so
    far; `reached`, `left`: every phase that a lab was seen to enter, and to leave; `rolled_back`: labs that could not be
    created.
    """

    def __init__(self) -> None:
        super().__init__(make_deps(Limits(max_labs_per_owner=MOST_LABS, max_labs_per_role=MOST_LABS)))
        self.deaths, self.count, self.reached, self.left = set[int](), 0, set[Phase](), set[Phase]()
        self.rolled_back, self._phases = set[str](), dict[str, Phase]()

    def note_phases(self) -> None:
        """Record each lab's phase."""
        now = {lab.id: lab.phase for lab in self.world.store.labs.values()}
        self.reached |= set(now.values())
        self.left |= {phase for lab_id, phase in self._phases.items() if now[lab_id] is not phase}
        self.rolled_back |= {lab_id for lab_id, phase in now.items() if phase is Phase.ROLLING_BACK}
        self._phases = now

    def settle(self, at: datetime) -> None:
        """Run all started executions, and those that they start."""
        started = self.world.workflows.started
        while self._done < len(started):
            workflow, name, payload = started[self._done]
            self._done += 1
            if workflow in LAB_WORKFLOWS:
                Machine(workflow, self.world.deps, self._enter).run(payload)
            self.world.workflows.end(name)
        self.note_phases()
        for lab in self.world.store.labs.values():
            if lab.phase in OVER:
                self.ended.setdefault(lab.id, at)

    def _enter(self, function: str) -> None:
        self.count += 1
        self.note_phases()
        if self.count in self.deaths:
            raise LambdaDied
