"""The whole service over days: people request, change, hibernate, extend and end labs; others delete and recreate; AWS fails
and upgrades.

Workflows, the five-minute run, the curfew run and the daily watch are the real ones, on fakes. The curfew run's promises for a
fleet (`tests/workflows/night/test_fleets.py`) are checked here, too.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from chalicelib.domain.core.failure import HealthIssue
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.curfew.extension import ExtensionRequest
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import AwsUnavailable, EkslabError, StaleLab, Throttled
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.approval import Decision
from chalicelib.domain.labs.lab import OVER, RESTING, Change, Lab, Phase
from chalicelib.domain.labs.recovery import TEAR_DOWN_WITHIN
from chalicelib.domain.labs.steps import StepStatus
from chalicelib.domain.requests.offers import Offers
from chalicelib.services.labs import approval, commands, hibernation, lease
from chalicelib.workflows import schedules
from chalicelib.workflows.collection import turn_of
from tests.fakes import NOW, a_caller, a_spec
from tests.fakes.fleet_builders import a_fleet_cluster
from tests.proof.living import ENDING, MOST_LABS, LivingNights, is_of
from tests.proof.watched import DAILY, WatchedClusters
from tests.workflows.night.nights import SEOUL, vanished
from tests.workflows.night.test_fleets import ADMIN, AUDIENCES, HOUR, OWNERS, USES, Fleet
from tests.workflows.test_whole_path import put_neighbours

#: Possible faults by kind of call: changes, and reads before decisions.
CALLS = (
    "stacks.create", "stacks.describe", "stacks.delete", "clusters.create", "clusters.describe", "clusters.delete",
    "create_nodegroup", "nodegroup", "delete_nodegroup", "create_addon", "grant_access", "update_endpoint", "update_state",
    "scale_nodegroup", "nodegroup_update_state", "leftovers.find", "leftovers.delete", "workflows.start", "record",
    "change_lab", "record_step", "add_event", "put_receipt",
)  # fmt: skip
ERRORS = (AwsUnavailable("no answer"), Throttled("eks: Rate exceeded"), StaleLab("someone was faster"))
#: The names of labs.
NAMES = tuple(f"lab{number}" for number in range(MOST_LABS))
#: A lab by its index among the checked ones.
NUMBERS = st.integers(0, MOST_LABS - 1)
LEASES = (4, 8, 30, 72)
#: The longest time between two phases of rest.
LONGEST = TEAR_DOWN_WITHIN + 2 * HOUR
Request = tuple[str, str, int, str, str]
#: A name, the requester, the hours, the kind of use, and the version.
REQUESTS = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(OWNERS),
    st.sampled_from(LEASES),
    st.sampled_from(sorted(USES)),
    st.sampled_from(["1.36", "1.35", "1.34"]),
)
#: Resources of a node group or of Kubernetes are on no ledger while the lab is in use.
UNLISTED = frozenset(
    {
        Kind.AUTO_SCALING_GROUP,
        Kind.INSTANCE,
        Kind.NETWORK_INTERFACE,
        Kind.LOAD_BALANCER,
        Kind.VOLUME,
        Kind.SECURITY_GROUP,
    }
)
#: A lab that was ended never returns.
ALWAYS = datetime.max.replace(tzinfo=UTC)
#: An administrator who requested no lab.
ADMIN_OF_OTHERS = replace(ADMIN, arn="arn:aws:iam::111122223333:user/administrator")


class Service(WatchedClusters, Fleet):
    """`theirs`: others' resources; `let_go`: labs that people ended; `lost`: labs whose clusters somebody deleted; `reached`,
    `left`: phases that a lab was seen to enter, and to leave, over all runs; `raised`: when a lab's control plane was last
    upgraded.
    """

    reached: ClassVar[set[Phase]] = set()
    left: ClassVar[set[Phase]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.living = self.nights = LivingNights()
        world = self.nights.world
        world.curfew.store.put_rules(CurfewRules())
        self.register_accounts()
        put_neighbours(world.account)
        self.theirs: dict[str, Resource] = dict(world.account.resources)
        self.let_go, self.lost, self.raised = set[str](), set[str](), dict[str, datetime]()

    # People

    @initialize(
        asked=st.lists(REQUESTS, min_size=1, max_size=6),
        labs=st.one_of(st.integers(1, 6), st.integers(1, MOST_LABS)),
        unheard=st.sets(st.sampled_from(AUDIENCES), max_size=2),
        ask_usd=st.sampled_from([None, 3.0]),
    )
    def people_ask_for_labs(self, asked: list[Request], labs: int, unheard: set[str], ask_usd: float | None) -> None:
        """A number of labs of these kinds, by turns."""
        self.nights.world.store.kept_offers = Offers(ask_usd=ask_usd)
        self.subscriptions_change(unheard)
        for number in range(labs):
            _, owner, hours, use, version = asked[number % len(asked)]
            self.somebody_asks_for_a_lab((NAMES[number], owner, hours, use, version))

    @rule(request=REQUESTS)
    def somebody_asks_for_a_lab(self, request: Request) -> None:
        name, owner, hours, use, version = request
        spec = a_spec(name=name, version=version, lease_hours=hours, schedule=SEOUL, log_types=("api",))
        world, asking = self.nights.world, commands.ValidatedRequest(spec)
        with suppress(EkslabError):
            lab = commands.request_lab(world.deps, a_caller(arn=owner), asking, None, "digest", self.now).lab
            world.curfew.signals.evidence[lab.id] = USES[use](lab.id)
            self.most = max(self.most, len(self.alive()))
        self.settled()

    @rule(number=NUMBERS, what=st.sampled_from(["hibernate", "wake", "release", "approve", "refuse"]))
    def somebody_asks_of_a_lab(self, number: int, what: str) -> None:
        lab = self.one_of(self.alive(), number)
        if lab is None:
            return
        asked, store = (self.nights.world.deps, self.owner_of(lab), lab.id), self.nights.world.store
        with suppress(EkslabError):
            match what:
                case "hibernate":
                    hibernation.hibernate_lab(*asked, self.now)
                case "wake":
                    hibernation.wake_lab(*asked, self.now)
                case "release":
                    commands.release_lab(*asked, self.now)
                case _:
                    decision = Decision.APPROVE if what == "approve" else Decision.REFUSE
                    approval.decide(self.nights.world.deps, ADMIN_OF_OTHERS, lab.id, decision, "why not", self.now)
        if what == "release" and store.labs[lab.id].phase is not lab.phase:
            self.note_let_go(lab.id)
        self.settled()

    def note_let_go(self, lab_id: str) -> None:
        """The owner's request was accepted, though the answer may have been lost."""
        self.let_go.add(lab_id)
        self.note_extended(lab_id, ALWAYS)

    @rule(number=NUMBERS, nodes=st.integers(0, 4), access=st.sampled_from([None, "private", "public"]))
    def somebody_changes_a_lab(self, number: int, nodes: int, access: str | None) -> None:
        lab = self.one_of(self.alive(), number)
        if lab is not None:
            change = Change(access, nodes={"myeks-nodegroup": nodes})
            with suppress(EkslabError):
                commands.change_lab(self.nights.world.deps, self.owner_of(lab), lab.id, change, self.now)
            self.settled()

    @rule(number=NUMBERS, hours=st.integers(1, 40), protect=st.booleans())
    def somebody_spares_a_lab(self, number: int, hours: int, protect: bool) -> None:
        lab, deps = self.one_of(self.alive(), number), self.nights.world.deps
        if lab is None:
            return
        with suppress(EkslabError):
            if protect:
                lease.protect_lab(deps, ADMIN, lab.id, self.now + hours * HOUR, "a demonstration", self.now)
            else:
                lease.extend_lab(deps, self.owner_of(lab), lab.id, ExtensionRequest(hours=hours), self.now)
        changed = self.nights.world.store.labs[lab.id]
        if changed.protection not in (None, lab.protection):
            self.note_extended(lab.id, changed.protection.until)
        if changed.lease_ends_at > lab.lease_ends_at:
            self.note_extended(lab.id, changed.lease_ends_at)

    @rule(number=NUMBERS, use=st.sampled_from(sorted(USES)))
    def use_changes(self, number: int, use: str) -> None:
        lab = self.one_of(self.alive(), number)
        if lab is not None and lab.id not in self.lost:
            self.nights.world.curfew.signals.evidence[lab.id] = USES[use](lab.id)

    # Others, AWS, and time

    @rule(number=NUMBERS, again=st.booleans(), found=st.booleans())
    def others_delete_a_cluster(self, number: int, again: bool, found: bool) -> None:
        """By hand, and perhaps create one of the same name. `found`: the five-minute run of the lab's next turn."""
        lab, world = self.one_of(self.at_rest(), number), self.nights.world
        if lab is None or lab.name not in world.clusters.clusters or lab.id in self.lost:
            return
        world.clusters.drop(lab.name)
        world.curfew.signals.evidence[lab.id] = vanished(lab.id)
        self.lost.add(lab.id)
        if again:
            world.clusters.put(lab.name, lab.spec.version)
            self.theirs |= {thing.arn: thing for thing in world.account.of(Kind.CLUSTER) if thing.id == lab.name}
        if found:
            world.clock.instant = self.now + turn_of(lab.id) * timedelta(minutes=5)
            self.tend()
            world.clock.instant = self.now

    @rule(number=NUMBERS)
    def a_control_plane_is_upgraded(self, number: int) -> None:
        """By hand or by AWS: the record is updated within a day."""
        lab, world = self.one_of(self.at_rest(), number), self.nights.world
        record = world.clusters.clusters.get(lab.name) if lab is not None else None
        if lab is not None and record is not None and lab.id not in self.lost:
            following = f"1.{int(record.state.version.split('.')[1]) + 1}"
            if world.clusters.calendar.get(following) is not None:
                record.state = replace(record.state, version=following)
                self.raised[lab.id] = self.now

    @rule(call=st.sampled_from(CALLS), error=st.sampled_from(ERRORS), times=st.integers(1, 3), after=st.booleans())
    def a_call_fails(self, call: str, error: Exception, times: int, after: bool) -> None:
        self.nights.world.fail(call, error, times=times, after=after)

    @rule()
    def aws_has_no_machines(self) -> None:
        """For the next requested node group."""
        issue = HealthIssue("AsgInstanceLaunchFailures", "We currently do not have sufficient capacity.")
        self.nights.world.clusters.issues["nodegroup", "myeks-nodegroup"] = issue

    @rule(after=st.integers(1, 60))
    def a_function_dies(self, after: int) -> None:
        self.living.deaths.add(self.living.count + after)

    @rule(number=NUMBERS)
    def others_put_something_in_the_way(self, number: int) -> None:
        """A security group of their own in the lab's network, until somebody removes it."""
        lab, world = self.one_of(self.at_rest(), number), self.nights.world
        if lab is not None and lab.facts.vpc_id:
            group = world.account.add(Kind.SECURITY_GROUP, vpc_id=lab.facts.vpc_id, group_name="by-hand")
            self.theirs[group.arn] = group

    @rule()
    def others_clear_the_way(self) -> None:
        account = self.nights.world.account
        for thing in [each for each in self.theirs.values() if each.attributes.get("group-name") == "by-hand"]:
            account.remove(thing)
            del self.theirs[thing.arn]

    @rule(hours=st.sampled_from([1, 3, 8, 24]))
    def hours_pass(self, hours: int) -> None:
        """Each hour the curfew run, with the five-minute run before and after it; the watch once a day."""
        deaf, world = self.deaf(), self.nights.world
        for _ in range(hours):
            before = len(world.watch.notifier.messages)
            self.tend()
            self.nights.run_hour(self.now)
            self.tend()
            if self.now.hour == 6:
                self.watch_all()
            self.deaf_at.append((self.now, deaf))
            for message in world.watch.notifier.messages[before:]:
                self.sent.append((self.now, message, message.recipient.casefold() not in deaf))
            self.now += HOUR
        world.clock.instant = self.now

    data_is_damaged = eks_is_throttled = None

    def tend(self) -> None:
        with suppress(EkslabError):
            schedules.recover_labs(self.nights.world.deps)
        self.settled()

    def watch_all(self) -> None:
        """AWS performs due upgrades; the watch reads the result."""
        world = self.nights.world
        self.aws_upgrades()
        for lab in self.at_rest():
            record = world.clusters.clusters.get(lab.name)
            target = self.forced(record.state.version, str(record.state.support_type)) if record is not None else None
            if record is not None and target and lab.id not in self.lost:
                record.state = replace(record.state, version=target)
                self.raised[lab.id] = self.now
        there = world.clusters.clusters.items()
        self.watch([a_fleet_cluster(name, one.state.version, tags=dict(one.state.tags)) for name, one in there])

    def settled(self) -> None:
        """People's requests are fulfilled."""
        self.nights.settle(self.now)
        self.reached |= self.living.reached
        self.left |= self.living.left

    def calm(self) -> None:
        """Without faults, blocking resources and unreachable people, end all remaining labs."""
        self.nights.world.account.troubles.clear()
        self.nights.world.clusters.issues.clear()
        self.living.deaths.clear()
        self.others_clear_the_way()
        self.subscriptions_change(set())
        self.hours_pass(2)
        for lab in self.alive():
            with suppress(EkslabError):
                commands.release_lab(self.nights.world.deps, self.owner_of(lab), lab.id, self.now)
            if self.nights.world.store.labs[lab.id].phase is not lab.phase:
                self.note_let_go(lab.id)
        self.settled()
        self.hours_pass(27)

    def teardown(self) -> None:
        """In the end no resource of the service is left, and each receipt confirms it; it may name others' resources under a
        lab's name.
        """
        self.calm()
        world = self.nights.world
        assert self.alive() == [], [f"{lab.phase}: {lab.reason}" for lab in self.alive()]
        assert {arn for arn in world.account.resources if arn not in self.theirs} == set()
        for lab in world.store.labs.values():
            for receipt in world.store.receipts(lab.id)[-1:]:
                assert receipt.done, f"{lab.name}: something is still there"
                assert {line.arn for line in receipt.left} <= set(self.theirs), "what is left is not others'"

    # Readings

    def alive(self) -> list[Lab]:
        return [lab for lab in self.nights.world.store.labs.values() if lab.phase not in OVER]

    def at_rest(self) -> list[Lab]:
        return [lab for lab in self.alive() if lab.phase in RESTING]

    def one_of(self, labs: list[Lab], number: int) -> Lab | None:
        return labs[number % len(labs)] if labs else None

    def owner_of(self, lab: Lab) -> Caller:
        return a_caller(arn=lab.owner)

    # Invariants

    @invariant()
    def nothing_of_others_ends(self) -> None:
        assert set(self.theirs) <= set(self.nights.world.account.resources)

    @invariant()
    def nothing_of_ours_is_unnamed(self) -> None:
        """A lab's ledger or receipt names it, or it comes with a node group of a lab that is alive."""
        world, named = self.nights.world, set[str]()
        for lab in world.store.labs.values():
            named |= {entry.resource.arn for entry in world.store.ledger(lab.id)}
            named |= {line.arn for receipt in world.store.receipts(lab.id)[-1:] for line in receipt.lines}
        living, names = {lab.facts.vpc_id for lab in self.alive()}, {lab.name for lab in self.alive()}
        for arn, thing in world.account.resources.items():
            with_nodes = thing.tags.get("eks:cluster-name") in names or thing.attributes.get("vpc-id") in living
            spared = thing.kind in UNLISTED and with_nodes
            assert arn in self.theirs or arn in named or spared, f"{thing.kind} {thing.id} is named nowhere"

    @invariant()
    def receipts_are_true(self) -> None:
        world = self.nights.world
        for lab in world.store.labs.values():
            taken = world.store.receipts(lab.id)
            if lab.phase in OVER and taken and taken[-1].clean:
                here = [str(thing.kind) for thing in self.ours() if is_of(lab, thing, world.store.ledger(lab.id))]
                assert here == [], f"{lab.name}: proved empty, and not"

    def ours(self) -> list[Resource]:
        """All resources but others' and those on the ledger of a living lab: it may have an earlier lab's name."""
        world = self.nights.world
        alive = {entry.resource.arn for lab in self.alive() for entry in world.store.ledger(lab.id)}
        return [thing for arn, thing in world.account.resources.items() if arn not in self.theirs and arn not in alive]

    @invariant()
    def nobody_ends_unplanned_or_unwarned(self) -> None:
        done = {entry.lab_id: status for entry, status in self.lines() if status.outcome in ENDING}
        agreed = self.let_go | self.living.rolled_back
        for lab in self.nights.world.store.labs.values():
            if lab.phase in (Phase.RELEASING, Phase.DELETED, Phase.BLOCKED) and lab.id not in agreed:
                status = done.get(lab.id)
                assert status is not None, f"{lab.name} ended beside the plan"
                assert status.warned_at is not None, f"{lab.name} ended without a warning"

    @invariant()
    def the_version_told_is_the_version_run_within_a_day(self) -> None:
        world = self.nights.world
        for lab in self.at_rest():
            record = world.clusters.clusters.get(lab.name)
            raised = self.raised.get(lab.id, NOW)
            if record is not None and lab.id not in self.lost and self.now - raised > DAILY:
                assert (lab.facts.version or lab.spec.version) == record.state.version

    @invariant()
    def nobody_stays_on_the_way(self) -> None:
        for lab in self.alive():
            waits = lab.phase in RESTING | {Phase.BLOCKED, Phase.AWAITING_APPROVAL}
            assert waits or self.now - lab.phase_since <= LONGEST, f"{lab.name} is {lab.phase} since {lab.phase_since}"

    @invariant()
    def no_step_of_a_lab_at_rest_is_told_as_running(self) -> None:
        for lab in self.at_rest():
            running = [step for step in self.nights.world.store.steps(lab.id) if step.status is StepStatus.RUNNING]
            assert running == [], f"{lab.phase}: {running}"
