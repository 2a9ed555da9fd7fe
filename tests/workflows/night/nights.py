"""Runs nights over labs on fakes: each hour the curfew run, and then every workflow that it starts.

`Nights.labs` are ready labs, ten days old, with a cluster each; `use` returns the evidence of a lab's use at an instant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from chalicelib.domain.curfew.plan import Entry, EntryStatus
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import RESTING, ClusterFacts, Hibernation, Lab, Phase, Protection
from chalicelib.domain.labs.schedule import Schedule
from chalicelib.domain.labs.steps import Event
from tests.fakes import NOW, FakeWorld, a_lab, a_spec, make_deps
from tests.fakes.builders import in_phase
from tests.fakes.cluster_record import ClusterRecord
from tests.fakes.evidence_builders import NOISE, a_kubernetes_use, a_series, quiet_evidence, with_values
from tests.workflows.machine import Machine

#: Ten in the evening in Seoul is 13:00 UTC, three hours after NOW.
SEOUL = Schedule(time_zone="Asia/Seoul")
CURFEW = datetime.combine(NOW.date(), time(13), NOW.tzinfo)
TONIGHT = date(2026, 11, 23)

Use = Callable[[datetime], Evidence]


def idle(lab_id: str) -> Use:
    """No use."""
    return lambda now: quiet_evidence(now, lab_id)


def busy(lab_id: str) -> Use:
    """People create pods, and send requests to the API server in bursts."""

    def seen(now: datetime) -> Evidence:
        scheduled = with_values(a_series(now), {-1: 6.0, -5: 4.0})
        requests = with_values(a_series(now, 5 * NOISE), {-1: 90 * NOISE, -5: 80 * NOISE})
        return quiet_evidence(now, lab_id, scheduled=scheduled, requests=requests)

    return seen


def at_work(lab_id: str) -> Use:
    """A Job runs."""
    return lambda now: quiet_evidence(now, lab_id, kubernetes=a_kubernetes_use(running_jobs=("default/train",)))


def unseen(lab_id: str) -> Use:
    """CloudWatch does not answer."""
    return lambda now: quiet_evidence(now, lab_id, unread=("AWS/EKS metrics: Throttling: Rate exceeded",))


def vanished(lab_id: str) -> Use:
    """Somebody deleted the cluster by hand."""
    return lambda now: Evidence(lab_id, now, now - timedelta(hours=3))


def names(subject: str, name: str) -> bool:
    """Whether a subject names a lab by its whole name: a subject with `lab10` does not name `lab1`."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", subject) is not None


@dataclass
class Nights:
    """`run_hour` runs an hour's sweep. `ended`: when a lab was first ended or hibernated; `released`: by people.

    `extended` and `spared`: when somebody extended its lease, and until when an end for idleness is forbidden; `asked`: when
    somebody last kept or protected it; `moved`: the run at which a lab was seen in transition, by its `run`. `late`: the delay
    of a curfew run.
    """

    world: FakeWorld = field(default_factory=make_deps)
    before: Callable[[str], None] = lambda function: None
    after: Callable[[str], None] = lambda function: None
    machines: list[Machine] = field(default_factory=list)
    ended: dict[str, datetime] = field(default_factory=dict)
    extended: dict[str, datetime] = field(default_factory=dict)
    spared: dict[str, datetime] = field(default_factory=dict)
    asked: dict[str, datetime] = field(default_factory=dict)
    moved: dict[tuple[str, int], datetime] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    late: timedelta = timedelta(0)
    _done: int = 0

    def add(self, lab_id: str, use: Callable[[str], Use] = idle, **changes: Any) -> Lab:
        """A ready lab with its cluster, due at once."""
        schedule = changes.pop("schedule", SEOUL)
        spec = changes.pop("spec", None) or a_spec(name=f"c-{lab_id}", schedule=schedule)
        made = NOW - timedelta(days=10)
        usual: dict[str, Any] = {"created_at": made, "phase_since": made, "lease_ends_at": NOW + timedelta(days=3)}
        usual |= {"phase": Phase.READY, "due_at": self.world.clock.now(), "ends_by": NOW + timedelta(days=14)}
        usual |= {"owner": f"arn:aws:iam::111122223333:user/{lab_id}"}
        usual |= {"facts": ClusterFacts(oidc_issuer=f"https://issuer/{lab_id}")}
        lab = replace(a_lab(id=lab_id, spec=spec), **(usual | changes))
        self.world.store.put(lab)
        self.make_cluster(lab)
        self.world.curfew.signals.evidence[lab_id] = use(lab_id)
        return lab

    def make_cluster(self, lab: Lab, **changes: Any) -> None:
        """The cluster in EKS."""
        arn = f"arn:aws:eks:{lab.region}:{lab.account}:cluster/{lab.name}"
        state = ClusterState(lab.name, arn, "ACTIVE", lab.spec.version, support_type="STANDARD", tags=lab.tags)
        state = replace(state, oidc_issuer=f"https://issuer/{lab.id}", created_at=lab.created_at)
        self.world.clusters.clusters[lab.name] = ClusterRecord(replace(state, **changes), 0, (), None)

    def drop_cluster(self, lab: Lab) -> None:
        """Delete the cluster by hand, as somebody else."""
        del self.world.clusters.clusters[lab.name]
        self.world.curfew.signals.evidence[lab.id] = vanished(lab.id)

    def run_hour(self, at: datetime, settle: bool = True) -> str:
        """The curfew run of `at`, and all workflows that it starts. Returns the run's last state."""
        self.world.clock.instant = at + self.late
        machine = Machine("curfew", self.world.deps, self.before, self.after, name=f"curfew-{len(self.machines)}")
        self.machines.append(machine)
        end = machine.run({"time": at.isoformat()})
        self.note_moved(at)
        if settle:
            self.settle(at)
        return end

    def note_moved(self, at: datetime) -> None:
        """Record the labs that a run has put into transition."""
        for lab in self.world.store.labs.values():
            if lab.phase in (Phase.RELEASING, Phase.HIBERNATING):
                self.moved.setdefault((lab.id, lab.run), at)

    def hours(self, start: datetime, count: int) -> datetime:
        """A number of curfew runs; returns the time after the last."""
        for hour in range(count):
            self.run_hour(start + timedelta(hours=hour))
        return start + timedelta(hours=count)

    def settle(self, at: datetime) -> None:
        """Run the started workflows to their end."""
        started = self.world.workflows.started
        for workflow, name, payload in started[self._done :]:
            lab_id = str(payload.get("lab_id", ""))
            if workflow in ("teardown", "hibernate", "wake"):
                self.world.store.labs[lab_id] = self._after(workflow, self.lab(lab_id), at)
            self.world.workflows.end(name)
        self._done = len(started)

    def _after(self, workflow: str, lab: Lab, at: datetime) -> Lab:
        version = lab.version + 1
        if workflow != "wake":
            self.ended.setdefault(lab.id, at)
        if workflow == "teardown":
            self.world.clusters.clusters.pop(lab.name, None)
            return replace(in_phase(lab, Phase.DELETED, at), due_at=at + timedelta(minutes=15), version=version)
        if workflow == "hibernate":
            asleep = Hibernation((), at, lab.reason or "")
            return replace(in_phase(lab, Phase.HIBERNATED, at), due_at=at, hibernation=asleep, version=version)
        return replace(in_phase(lab, Phase.READY, at), due_at=at, hibernation=None, version=version)

    def lab(self, lab_id: str) -> Lab:
        """The stored lab."""
        return self.world.store.labs[lab_id]

    def change(self, lab_id: str, **changes: Any) -> None:
        """The effect of a person's request on a resting lab: it is due at once."""
        now = self.world.clock.now()
        self.world.deps.store.change_lab(lab_id, lambda stored: replace(stored, **{"due_at": now, **changes}))

    def person(self, lab_id: str, what: str, at: datetime) -> None:
        """A person's request for a resting lab; for any other it is refused."""
        lab = self.lab(lab_id)
        if lab.phase not in RESTING:
            return
        later, due = at + timedelta(hours=30), min(lab.due_at or at, at)
        if what in ("keep", "protect"):
            self.asked[lab_id] = at
        if what == "extend":
            self.extended[lab_id] = at
            self._put(lab, due_at=due, lease_ends_at=max(lab.lease_ends_at, at) + timedelta(hours=20))
        elif what == "keep":
            self.spared[lab_id] = max(self.spared.get(lab_id, later), later)
            self._put(lab, due_at=due, kept_until=later)
        elif what == "protect":
            self.spared[lab_id] = max(self.spared.get(lab_id, later), later)
            self._put(lab, due_at=due, protection=Protection(later, "ops@example.com", "a demonstration"))
        elif what == "release":
            self.released.add(lab_id)
            moved = replace(in_phase(lab, Phase.RELEASING, at), run=lab.run + 1, due_at=at, version=lab.version + 1)
            self.world.store.labs[lab_id] = moved
            self.world.workflows.start("teardown", f"{lab_id}-{moved.run}-teardown", {"lab_id": lab_id})
        else:
            self._put(lab, due_at=at)

    def _put(self, lab: Lab, **changes: Any) -> None:
        self.world.store.labs[lab.id] = replace(lab, version=lab.version + 1, **changes)

    def lines(self, lab_id: str) -> list[tuple[Entry, EntryStatus]]:
        """All entries ever written for a lab, by time, each with its status."""
        kept = self.world.curfew.store
        mine = [(entry, kept.statuses[key]) for key, entry in kept.entries.items() if entry.lab_id == lab_id]
        return sorted(mine, key=lambda line: line[0].at)

    def history(self, lab_id: str) -> list[Event]:
        """The curfew events of its history."""
        return [event for event in self.world.store.event_table.get(lab_id, []) if event.kind == "curfew"]

    def sentences(self, lab_id: str) -> str:
        """The same as text."""
        return "\n".join(event.message for event in self.history(lab_id))

    def started(self, workflow: str) -> list[str]:
        """The labs for which it was started, in order."""
        return [str(payload["lab_id"]) for flow, _, payload in self.world.workflows.started if flow == workflow]
