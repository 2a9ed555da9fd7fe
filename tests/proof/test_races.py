"""People's requests, the sweep, the watch and the five-minute run at the same time.

Two acts, one between any two calls of the other, have the result of one after the other; the same act three times at once has
the result of one. `make check` tests some of the moments, `make prove` all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import combinations_with_replacement, product
from random import Random
from typing import Any

import pytest

from chalicelib.domain.core.message import Message
from chalicelib.domain.curfew.extension import ExtensionRequest
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.identity.person import Person
from chalicelib.domain.labs.lab import Approval, Change, Hibernation, NodegroupSize, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from chalicelib.services.curfew.keep import keep_lab
from chalicelib.services.labs import commands, hibernation, lease
from chalicelib.workflows import schedules
from tests.fakes import NOW, FakeWorld, a_caller, a_lab, a_nodegroup, a_spec, make_deps
from tests.fakes.fleet_builders import a_fleet_cluster, a_registration
from tests.proof.only import keep, races_named, told_only_if
from tests.proof.races import LAST, Race
from tests.workflows.machine import Machine
from tests.workflows.night.nights import CURFEW, SEOUL, Nights, busy, idle
from tests.workflows.night.test_fleets import DONE
from tests.workflows.test_retries import ready_for

HOUR = timedelta(hours=1)
LAB, OWNER = "lab-a", a_caller(arn="arn:aws:iam::111122223333:user/lab-a")
ADMIN = a_caller(arn="arn:aws:iam::111122223333:user/administrator", is_admin=True)
ELSEWHERE = Schedule(time_zone="America/New_York")
ASLEEP = Hibernation((NodegroupSize("myeks-nodegroup", 1, 2, 3),), NOW - 10 * HOUR, "Nobody used it.", wake_at=NOW)


def an_evening(at: datetime, at_curfew: AtCurfew = AtCurfew.END) -> Nights:
    """At `at`: an idle lab on tonight's plan, one whose lease ends at its curfew and one in use."""
    nights = Nights()
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100, young_hours=0))
    schedule = replace(SEOUL, at_curfew=at_curfew)
    spec = a_spec(name="c-lab-a", schedule=schedule, nodegroups=(a_nodegroup(),))
    nights.add(LAB, idle, spec=spec, lease_ends_at=NOW + 24 * HOUR)
    nights.add("lab-b", busy, lease_ends_at=CURFEW)
    nights.add("lab-c", busy)
    nights.hours(NOW, int((at - NOW) / HOUR))
    nights.world.clock.instant = at
    return nights


def a_morning(at: datetime) -> Nights:
    """A hibernated lab that is due to wake."""
    nights = Nights()
    spec = a_spec(name="c-lab-a", schedule=replace(SEOUL, wake=time(18, 30)), nodegroups=(a_nodegroup(),))
    nights.add(
        LAB,
        idle,
        spec=spec,
        phase=Phase.HIBERNATED,
        phase_since=ASLEEP.since,
        hibernation=ASLEEP,
        lease_ends_at=NOW + 24 * HOUR,
    )
    return nights


#: The time, the labs, and the phase of the first one after the sweep.
SCENES: Mapping[str, tuple[datetime, Callable[[datetime], Nights], Phase]] = {
    "the sweep plans": (NOW, an_evening, Phase.READY),
    "the sweep ends": (CURFEW, an_evening, Phase.RELEASING),
    "the sweep hibernates": (CURFEW, lambda at: an_evening(at, AtCurfew.HIBERNATE), Phase.HIBERNATING),
    "the sweep wakes": (NOW, a_morning, Phase.WAKING),
}
#: The concurrent acts.
ACTS: Mapping[str, Callable[[Nights, datetime], object]] = {
    "extend": lambda nights, at: lease.extend_lab(nights.world.deps, OWNER, LAB, ExtensionRequest(hours=6), at),
    "keep": lambda nights, at: keep_lab(nights.world.deps, OWNER, LAB, at),
    "protect": lambda nights, at: lease.protect_lab(nights.world.deps, ADMIN, LAB, at + 30 * HOUR, "a demo", at),
    "reschedule": lambda nights, at: lease.set_schedule(nights.world.deps, OWNER, LAB, ELSEWHERE, at),
    "change": lambda nights, at: commands.change_lab(nights.world.deps, OWNER, LAB, Change("private"), at),
    "hibernate": lambda nights, at: hibernation.hibernate_lab(nights.world.deps, OWNER, LAB, at),
    "wake": lambda nights, at: hibernation.wake_lab(nights.world.deps, OWNER, LAB, at),
    "delete": lambda nights, at: commands.release_lab(nights.world.deps, OWNER, LAB, at),
    "recover": lambda nights, at: schedules.recover_labs(nights.world.deps),
    "sweep": lambda nights, at: nights.run_hour(at, settle=False),
}
PAIRS = list(combinations_with_replacement(ACTS, 2))


def left(world: FakeWorld) -> dict[str, Any]:
    """The result: each lab (without fields that any sweep corrects), the resources, and the executions, notices and statuses."""
    labs = [replace(lab, version=0, planned=None, hourly_usd=None) for lab in world.store.labs.values()]
    return {
        **{f"{lab.id}'s {name}": value for lab in labs for name, value in vars(lab).items()},
        "there": sorted(world.account.resources),
        "started": sorted((workflow, str(given.get("lab_id"))) for workflow, _, given in world.workflows.started),
        "told": Counter(each for mail in world.watch.notifier.messages for each in things_told(mail)),
        "done": sorted(key[1] for key, status in world.curfew.store.statuses.items() if status.outcome in DONE),
    }


def things_told(mail: Message) -> list[tuple[str, str, object]]:
    """Single notices: those of the same moment may be in one digest or in two."""
    return [(mail.kind, mail.recipient.casefold(), each) for each in mail.notice_ids or [mail.subject]]


def told(scene: str, acts: Sequence[str], moment: int) -> tuple[dict[str, Any], Race]:
    """The result of two acts, the first of which is overtaken by the second after `moment` calls."""
    at, begin, _ = SCENES[scene]
    nights = begin(at)
    race = Race(nights.world, [moment])
    nights.before = race.note_step
    race.run(*(lambda act=act: ACTS[act](nights, at) for act in acts))
    return left(nights.world), race


def differences(got: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """The differences as text; of the notices, only surplus and missing ones."""
    told, due = got["told"], wanted["told"]
    parts = [f"too much: {told - due}" if told - due else "", f"too little: {due - told}" if due - told else ""]
    others = (name for name in wanted if name != "told" and got.get(name) != wanted[name])
    return "; ".join(filter(None, [*parts, *(f"{name}: {got.get(name)}, and not {wanted[name]}" for name in others)]))


class Pairs:
    """Runs pairs of acts in a scene. `moments`: the number of runs."""

    def __init__(self, scene: str) -> None:
        self.scene, self.moments = scene, 0

    def failures(self, pair: tuple[str, str], chosen: Callable[[int], Iterable[int]]) -> Iterator[str]:
        """The moments of overtaking at which the result is that of no order of their steps."""
        after = {way: told(self.scene, way, LAST) for way in sorted({pair, pair[::-1]})}
        wanted = [outcome for outcome, _ in after.values()]
        wanted += [told(self.scene, way, moment)[0] for way, (_, race) in after.items() for moment in race.steps]
        for way, (_, whole) in after.items():
            for moment in chosen(whole.calls[0]):
                self.moments += 1
                got, race = told(self.scene, way, moment)
                if got not in wanted:
                    what = f"{self.scene}: {' and '.join(way)} at call {moment}, {race.results}"
                    yield f"{what}: {min((differences(got, one) for one in wanted), key=len)}"


def a_few(calls: int) -> list[int]:
    """A sample of the moments, the same in each run."""
    return Random(calls).sample(range(calls + 1), min(2, calls + 1))


@pytest.mark.parametrize("scene", SCENES)
def test_the_sweep_of_a_scene_does_what_the_scene_is_named_for(scene: str) -> None:
    at, begin, phase = SCENES[scene]
    nights = begin(at)
    nights.run_hour(at, settle=False)
    assert nights.lab(LAB).phase is phase
    assert (nights.lab(LAB).planned is None) is (phase is not Phase.READY)


@pytest.mark.parametrize("scene", SCENES)
def test_two_acts_at_once_come_to_what_they_come_to_one_after_the_other(scene: str) -> None:
    """Races of the sweep with each other act."""
    pairs = Pairs(scene)
    assert "\n".join(row for pair in PAIRS if "sweep" in pair for row in pairs.failures(pair, a_few)) == ""


@pytest.mark.long
@pytest.mark.parametrize("scene", SCENES)
def test_at_every_moment_two_acts_come_to_what_they_come_to_one_after_the_other(scene: str) -> None:
    told_only_if(races_named(scene))
    pairs = Pairs(scene)
    assert "\n".join(row for pair in PAIRS for row in pairs.failures(pair, lambda calls: range(calls + 1))) == ""
    keep(races_named(scene), [len(PAIRS), pairs.moments])


def a_sweep(at: datetime) -> tuple[FakeWorld, Callable[[], object]]:
    nights = an_evening(at)
    return nights.world, lambda: nights.run_hour(at, settle=False)


def a_watch() -> tuple[FakeWorld, Callable[[], object]]:
    """A watch of clusters of two people, one of them with two spellings."""
    world = make_deps()
    world.watch.store.register(replace(a_registration(), team="team@example.com"))
    owners = ("ops@example.com", "Ops@Example.com", "shop@example.com")
    world.watch.fleets.add(*(a_fleet_cluster(f"c{n}", "1.31", tags={"owner": owners[n % 3]}) for n in range(5)))
    runs = iter(range(3))
    return world, lambda: Machine("watch_support", world.deps, name=f"{next(runs)}").run({"time": NOW.isoformat()})


def a_five_minute_run() -> tuple[FakeWorld, Callable[[], object]]:
    """A lost start, a request for approvers, and a due invitation."""
    world = make_deps()
    waiting = Approval("It costs more than 1 USD.", NOW + timedelta(days=3))
    world.store.put(a_lab(id="lab-1", phase="releasing", run=1, due_at=NOW))
    world.store.put(
        a_lab(id="lab-2", spec=a_spec(name="dear"), phase="awaiting-approval", approval=waiting, due_at=NOW)
    )
    who = "arn:aws:iam::111122223333:user/learner"
    world.people.save_people([], [Person("p-1", (who,), NOW, asked="learner@example.com", invite_at=NOW)])
    return world, lambda: schedules.recover_labs(world.deps)


def a_teardown() -> tuple[FakeWorld, Callable[[], object]]:
    theatre = ready_for("provision")
    theatre.play()
    theatre.release()
    runs = iter(range(3))
    return theatre.world, lambda: Machine("teardown", theatre.world.deps, name=f"{next(runs)}").run(
        {"lab_id": theatre.lab_id}
    )


#: The acts that may run three times at once, each with its world.
THRICE: Mapping[str, Callable[[], tuple[FakeWorld, Callable[[], object]]]] = {
    "a sweep that warns": lambda: a_sweep(NOW),
    "a sweep that ends labs": lambda: a_sweep(CURFEW),
    "a sweep that reports": lambda: a_sweep(NOW + 12 * HOUR),
    "a watch": a_watch,
    "a five-minute run": a_five_minute_run,
    "a teardown": a_teardown,
}


def of_three(name: str, *moments: int) -> tuple[dict[str, Any], Race]:
    world, act = THRICE[name]()
    race = Race(world, moments)
    race.run(act, act, act)
    return left(world), race


def thrice(name: str, count: int) -> Iterator[str]:
    """The moments at which three concurrent runs have a different result than one."""
    world, act = THRICE[name]()
    once = Race(world, [])
    once.run(act)
    wanted, moments = left(world), range(once.calls[0] + 1)
    every = list(product(moments, moments))
    for first, second in Random(3).sample(every, min(count, len(every))):
        got, race = of_three(name, first, second)
        if got != wanted:
            yield f"{name} at calls {first} and {second}, {race.results}: {differences(got, wanted)}"


@pytest.mark.parametrize("name", THRICE)
def test_the_same_three_times_at_once_comes_to_what_it_comes_to_once(name: str) -> None:
    assert "\n".join(thrice(name, 10)) == ""


@pytest.mark.long
@pytest.mark.parametrize("name", THRICE)
def test_the_same_three_times_at_any_moments_comes_to_what_it_comes_to_once(name: str) -> None:
    told_only_if(races_named(name))
    assert "\n".join(thrice(name, 1000)) == ""
