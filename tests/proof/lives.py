"""Lab lifecycles on fakes, with time: waits and retries move the clock, and the scheduled run comes every five minutes."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.labs.lab import OVER, RESTING, Change, Lab, Phase
from chalicelib.domain.labs.spec import ExternalDnsSpec, SshSpec, WorkHostSpec
from chalicelib.domain.labs.steps import StepStatus, execution_name
from chalicelib.workflows import schedules
from tests.fakes import FakeWorld, a_lab, a_nodegroup, a_spec, make_deps
from tests.fakes.builders import in_phase
from tests.proof.faults import CODE, PASSING, WORDS, Cell, Fault, Strikes, action_of
from tests.workflows.machine import ExecutionStopped, LambdaDied, Machine
from tests.workflows.test_whole_path import assert_nothing_twice, put_neighbours

#: lifecycle -> the phase of its success.
GOALS = {
    "provision": Phase.READY,
    "update": Phase.READY,
    "hibernate": Phase.HIBERNATED,
    "wake": Phase.READY,
    "teardown": Phase.DELETED,
    "verify_deletion": Phase.DELETED,
}
#: The phases in which it may end, with a reason, when AWS refuses for good.
ENDS = {
    "provision": {Phase.FAILED, Phase.BLOCKED},
    "update": {Phase.READY},
    "hibernate": {Phase.READY},
    "wake": {Phase.HIBERNATED},
    "teardown": {Phase.BLOCKED},
    "verify_deletion": {Phase.BLOCKED},
}
SCHEDULE = timedelta(minutes=5)
#: A fault is healed if work on the lab continues this soon after it.
HEALED_WITHIN = timedelta(minutes=10)
NODES = {"myeks-nodegroup": 3, "second": 2}


@dataclass
class Life:
    """One lab among its neighbours. `started`: the start times of executions; `stopped`: when one was stopped, and the lab's
    phase then; `lost_runs`: the failures of scheduled runs, in whole or in part; `causes`: those of failed executions; `ended`:
    the end of the last one.
    """

    world: FakeWorld = field(default_factory=make_deps)
    lab_id: str = ""
    cell: Cell | None = None
    started: list[datetime] = field(default_factory=list)
    stopped: datetime | None = None
    theirs: dict[str, Resource] = field(default_factory=dict)
    lost_runs: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    at_stop: Phase | None = None
    ended: datetime | None = None
    workflow: str = ""
    _workflow: str = ""
    _played: int = 0
    _tended_at: datetime | None = None

    def __post_init__(self) -> None:
        put_neighbours(self.world.account)
        self.theirs = dict(self.world.account.resources)
        self.strikes = Strikes(self.world.clock)
        self.world.account.around = self.strikes.answer

    @property
    def is_ledger_lost(self) -> bool:
        """Whether a created resource could not be recorded: nothing proves it as the lab's then, so it stays and is named."""
        return self.cell is not None and self.cell.fault is Fault.DENIED and self.cell.call == "store.record"

    @property
    def could_not_look(self) -> bool:
        """Whether the check for recreated resources is denied for good: then no receipt can name them."""
        looked = self.world.store.receipts(self.lab_id)[-1].look != "now"
        return not looked and self.cell is not None and self.cell.fault is Fault.DENIED

    @property
    def lab(self) -> Lab:
        """The stored lab."""
        return self.world.store.labs[self.lab_id]

    def request(self) -> None:
        """Request a lab with every option."""
        spec = a_spec(
            nodegroups=(a_nodegroup(), a_nodegroup(name="second", desired=1)),
            ssh=SshSpec(None, "ssh-ed25519 AAAA", ("15.230.39.7/32",)),
            external_dns=ExternalDnsSpec("Z1", "example.org"),
            work_host=WorkHostSpec(),
            log_types=("api",),
        )
        lab = self.world.deps.store.create_lab(a_lab(spec=spec), None, "", self.world.clock.now())
        self.lab_id = lab.id
        self._start("provision", lab)

    def begin(self, workflow: str) -> None:
        """Request the workflow."""
        now = self.world.clock.now()

        def begun(stored: Lab) -> Lab:
            again = replace(stored, run=stored.run + 1, due_at=now + timedelta(minutes=1))
            match workflow:
                case "update":
                    return replace(in_phase(again, Phase.UPDATING, now), change=Change("private", nodes=NODES))
                case "hibernate":
                    return in_phase(again, Phase.HIBERNATING, now)
                case "wake":
                    return in_phase(again, Phase.WAKING, now)
                case _:
                    return in_phase(again, Phase.RELEASING, now)

        self._start(workflow, self.world.deps.store.change_lab(self.lab_id, begun))

    def _start(self, workflow: str, lab: Lab) -> None:
        self.world.deps.workflows.start(workflow, execution_name(lab, workflow), {"lab_id": lab.id})

    def play(self) -> None:
        """Run all started executions, and those that they start."""
        while self._played < len(self.world.workflows.started):
            workflow, name, payload = self.world.workflows.started[self._played]
            self._workflow = workflow
            self._played += 1
            self.started.append(self.world.clock.now())
            machine = Machine(workflow, self.world.deps, self._enter, self._leave, self._pass)
            try:
                machine.run(payload)
                self.causes.append(machine.cause)
            except ExecutionStopped:
                self.stopped, self.at_stop = self.world.clock.now(), self.lab.phase
            finally:
                self.strikes.function = ""
                self.world.workflows.end(name)
                self.ended = self.world.clock.now()

    def _enter(self, function: str) -> None:
        """Prefix a function of any other workflow with that workflow's name."""
        self.strikes.function = function if self._workflow == self.workflow else f"{self._workflow}.{function}"

    def _leave(self, function: str) -> None:
        self.strikes.function = ""
        if self.strikes.stopping:
            self.strikes.stopping = False
            raise ExecutionStopped
        assert_nothing_twice(self.world.account)

    def _pass(self, seconds: int) -> None:
        """Let seconds pass; the scheduled run comes at its minutes."""
        self.strikes.function = ""
        until = self.world.clock.now() + timedelta(seconds=seconds)
        due = (self._tended_at or self.world.clock.now()) + SCHEDULE
        self._tended_at = self._tended_at or self.world.clock.now()
        while due <= until:
            self.world.clock.instant = self._tended_at = due
            self.tend()
            due += SCHEDULE
        self.world.clock.instant = until

    def tend(self) -> None:
        """One scheduled run; executions that it starts run when the present one allows it."""
        self.strikes.function = "recover_labs"
        try:
            failed = schedules.recover_labs(self.world.deps)["failed"]
            self.lost_runs += [each["message"] for each in failed]
        except (EkslabError, LambdaDied) as error:
            self.lost_runs.append(f"{type(error).__name__}: {error}")
        finally:
            self.strikes.function = ""

    def live(self, **time: float) -> None:
        """Let time pass in steps of the schedule, and run all started executions."""
        self.play()
        until = self.world.clock.now() + timedelta(**time)
        while self.world.clock.now() < until:
            self._pass(int(SCHEDULE.total_seconds()))
            self.play()


def at_the_beginning_of(workflow: str) -> Life:
    """A lab just before the workflow is requested or (verify_deletion) starts by itself."""
    life = Life(workflow=workflow)
    life.request()
    if workflow == "provision":
        return life
    life.play()
    assert life.lab.phase is Phase.READY, life.lab.reason
    if workflow == "wake":
        life.begin("hibernate")
        life.play()
        assert life.lab.phase is Phase.HIBERNATED, life.lab.reason
    if workflow in ("teardown", "verify_deletion"):
        drop_leftovers(life)
        life.begin("teardown")
        if workflow == "verify_deletion":
            life.play()
            life.world.account.add(Kind.LOG_GROUP, "/aws/eks/myeks/cluster")
        return life
    life.begin(workflow)
    return life


def drop_leftovers(life: Life) -> None:
    """Resources that Kubernetes creates in the lab's VPC and account."""
    account, vpc = life.world.account, life.lab.facts.vpc_id
    owned = {"kubernetes.io/cluster/myeks": "owned"}
    balancer = {"elbv2.k8s.aws/cluster": "myeks"}
    group = account.add(Kind.SECURITY_GROUP, tags=balancer, vpc_id=vpc, group_name="k8s-traffic-myeks-1")
    account.add(Kind.LOAD_BALANCER, tags=balancer, vpc_id=vpc, groups=group.id)
    volume = account.add(Kind.VOLUME, tags={**owned, "kubernetes.io/created-for/pvc/name": "data"})
    life.world.history.made(volume, account.get(Kind.ROLE, f"{life.lab.stack_name}-NodeRole"))


def told(cell: Cell) -> Life:
    """The life of a cell: with its fault until all is at rest, and four hours more."""
    life = at_the_beginning_of(cell.workflow)
    life.cell = life.strikes.cell = cell
    life.live(hours=4)
    return life


@functools.cache
def undisturbed(workflow: str) -> Life:
    """The lifecycle without faults."""
    life = at_the_beginning_of(workflow)
    life.strikes.met.clear()
    life.strikes.repeated.clear()
    life.live(hours=4)
    assert life.lab.phase is GOALS[workflow], life.lab.reason
    check_at_rest(life)
    return life


def check(life: Life) -> None:
    """Check the invariants after the cell's fault, and that the lab can still be ended without a trace."""
    cell = life.cell
    assert cell is not None
    check_at_rest(life)
    healed = life.lab.phase is GOALS[cell.workflow] and life.lab.reason is None
    if cell.fault in PASSING:
        assert healed, f"{life.lab.phase}: {life.lab.reason}"
    elif not healed:
        assert life.lab.phase in ENDS[cell.workflow] | {GOALS[cell.workflow]}, f"{life.lab.phase}: {life.lab.reason}"
        assert life.lab.reason
        told = _all_told(life)
        if cell.call == "store.add_event":
            told += f" {CODE}" if action_of(cell.call) in str(life.lab.reason) else ""
        assert CODE in told or WORDS in told, f"nothing names AWS's code: {life.lab.reason}"
    if cell.function == "recover_labs" and cell.fault is Fault.DENIED:
        assert life.lost_runs, "a part of the scheduled run is denied for good, and no alarm rings"
    if life.stopped is not None and life.at_stop not in RESTING | OVER:
        again = [at for at in life.started if at >= life.stopped]
        assert again, "nothing was begun again"
        assert again[0] - life.stopped <= HEALED_WITHIN, f"healed only after {again[0] - life.stopped}"
    if healed and cell.fault in PASSING:
        check_in_time(life)
    check_end(life)


def check_in_time(life: Life) -> None:
    """A transient fault delays its lifecycle at most until the next scheduled run."""
    usual = undisturbed(life.workflow).ended
    assert life.ended is not None
    assert usual is not None
    assert life.ended - usual <= HEALED_WITHIN, f"healed only {life.ended - usual} later than without the fault"


def check_at_rest(life: Life) -> None:
    """Nothing is running or recorded as running, the record is true, and every resource of the lab is named."""
    lab, world = life.lab, life.world
    assert lab.phase in RESTING | OVER | {Phase.BLOCKED}, f"{lab.phase} since {lab.phase_since}: {lab.reason}"
    running = [step.name for step in world.store.steps(lab.id) if step.status is StepStatus.RUNNING]
    assert running == [], "a step is told as running"
    assert_nothing_twice(world.account)
    cluster = world.clusters.clusters.get(lab.name)
    if lab.phase is Phase.READY and cluster is not None:
        said = {group.name: group.desired for group in lab.spec.nodegroups}
        assert said == {name: record.state.desired for name, record in cluster.nodegroups.items()}
        assert cluster.state.public_access is (str(lab.spec.endpoint.access) != "private"), "the endpoint is another"
    if lab.phase is Phase.HIBERNATED and cluster is not None:
        assert {record.state.desired for record in cluster.nodegroups.values()} == {0}
    _check_named(life)


def _check_named(life: Life) -> None:
    """Every resource but the neighbours' is on the ledger or the last receipt, or belongs to a node group."""
    listed = {entry.resource.arn for entry in life.world.store.ledger(life.lab_id)}
    receipts = life.world.store.receipts(life.lab_id)
    listed |= {line.arn for line in receipts[-1].lines} if receipts else set()
    with_nodes = {Kind.AUTO_SCALING_GROUP, Kind.INSTANCE, Kind.NETWORK_INTERFACE}
    by_kubernetes = {Kind.LOAD_BALANCER, Kind.VOLUME, Kind.SECURITY_GROUP}
    spared = with_nodes | (by_kubernetes if life.lab.phase in RESTING else set())
    here = {arn: thing for arn, thing in life.world.account.resources.items() if arn not in life.theirs}
    assert [str(thing.kind) for arn, thing in here.items() if arn not in listed and thing.kind not in spared] == []
    if life.lab.phase in OVER:
        _check_over(life)


def _check_over(life: Life) -> None:
    """Nothing exists that the last receipt does not name, except unrecorded resources."""
    named = {line.arn for line in life.world.store.receipts(life.lab_id)[-1].left}
    here = {arn for arn in life.world.account.resources if arn not in life.theirs}
    if life.could_not_look:
        told = "\n".join([_all_told(life), *life.causes, *life.lost_runs])
        assert CODE in told or WORDS in told, "nothing says why nobody looked"
        return
    assert here <= named, "the lab is over, and something of it is there that its receipt does not name"
    assert not here or life.is_ledger_lost, "the lab is over, and something of it was left"


def check_end(life: Life) -> None:
    """Without the fault the lab can be ended, is proved empty, and others' resources are unchanged."""
    life.strikes.cell = None
    if life.lab.phase not in OVER:
        life.begin("teardown")
    life.live(hours=1)
    life.world.clock.advance(hours=24)
    life.live(minutes=30)
    if life.is_ledger_lost:
        assert life.lab.phase in OVER | {Phase.BLOCKED}, life.lab.phase
        return
    assert life.lab.phase in OVER, life.lab.reason
    assert life.world.account.resources == life.theirs
    assert life.world.store.receipts(life.lab_id)[-1].clean


def _all_told(life: Life) -> str:
    """All texts about the lab that people can read: its reason, its history with the causes, and its steps."""
    store: Any = life.world.store
    events = [f"{event.message} {dict(event.facts)}" for event in store.event_table.get(life.lab_id, [])]
    return "\n".join([str(life.lab.reason), *events, *(step.detail for step in store.steps(life.lab_id))])
