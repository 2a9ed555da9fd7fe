"""Concurrent acts of others at the moment of a step or the schedule: no decision is overwritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.labs.lab import Hibernation, Lab, Phase
from chalicelib.services.labs import lease
from chalicelib.workflows import provision, schedules, teardown
from chalicelib.workflows.shared.runner import run_step
from tests.fakes import NOW, FakeWorld, a_caller, a_lab, a_spec, make_deps
from tests.fakes.builders import in_phase
from tests.workflows.night.nights import CURFEW, SEOUL, Nights, idle
from tests.workflows.theatre import Theatre


def stored(world: FakeWorld, lab: Lab) -> Lab:
    return world.deps.store.create_lab(lab, None, "", world.clock.now())


def extended(world: FakeWorld, lab_id: str) -> None:
    """The owner requests four more hours."""

    def longer(lab: Lab) -> Lab:
        until = lab.lease_ends_at + timedelta(hours=4)
        return replace(lab, lease_ends_at=until, due_at=until)

    world.store.change_lab(lab_id, longer)


@pytest.mark.parametrize("workflow", ["provision", "update", "hibernate", "wake", "teardown"])
def test_a_teardown_waits_until_the_workflow_it_supersedes_has_noticed(workflow: str) -> None:
    world = make_deps()
    lab = stored(world, a_lab(phase="releasing", run=1))
    world.workflows.running.add((workflow, f"{lab.id}-0-{workflow}"))
    event = {"lab_id": lab.id}
    assert run_step(world.deps, teardown.begin, event)["outcome"] == "again"
    world.workflows.end(f"{lab.id}-0-{workflow}")
    assert run_step(world.deps, teardown.begin, event)["outcome"] == "done"


def test_a_teardown_does_not_wait_for_ever_for_a_workflow_that_hangs() -> None:
    world = make_deps()
    lab = stored(world, a_lab(phase="releasing", run=1))
    world.workflows.running.add(("provision", f"{lab.id}-0-provision"))
    outcomes = [run_step(world.deps, teardown.begin, {"lab_id": lab.id})["outcome"] for _ in range(60)]
    assert outcomes[-1] == "stuck"


def test_a_lab_released_in_the_middle_of_its_last_step_does_not_become_ready() -> None:
    theatre = Theatre()
    lab = theatre.request()
    theatre.world.store.change_lab(lab.id, lambda known: in_phase(known, Phase.PROVISIONING, known.created_at))
    theatre.world.account.hooks["load_lab"] = theatre.release
    with pytest.raises(Superseded):
        run_step(theatre.world.deps, provision.finish, {"lab_id": lab.id})
    assert theatre.lab.phase is Phase.RELEASING


@pytest.mark.parametrize("context", ["labs_due", "execution"])
def test_a_lab_that_is_changed_while_the_schedule_decides_is_not_overwritten(context: str) -> None:
    world = make_deps()
    lab = stored(world, a_lab(phase="waking", run=2))
    world.clock.advance(hours=8)
    world.account.hooks[context] = lambda: extended(world, lab.id)
    schedules.recover_labs(world.deps)
    kept = world.store.load_lab(lab.id)
    assert (kept.phase, kept.lease_ends_at) == (Phase.WAKING, lab.lease_ends_at + timedelta(hours=4))
    assert world.workflows.started == []


def test_what_is_no_longer_due_is_left_alone_though_the_index_still_lists_it() -> None:
    world = make_deps()
    ended = a_lab(phase="deleted")
    lab = stored(world, replace(ended, due_at=ended.created_at, ended_at=ended.created_at))
    world.account.hooks["labs_due"] = lambda: extended(world, lab.id)
    schedules.recover_labs(world.deps)
    assert world.workflows.started == []
    assert world.store.load_lab(lab.id).run == 0


def test_two_schedules_at_once_start_one_teardown() -> None:
    world = make_deps()
    stored(world, a_lab(phase="releasing", run=1))
    world.clock.advance(hours=1)

    def another_schedule() -> None:
        schedules.recover_labs(world.deps)

    world.account.hooks["labs_due"] = another_schedule
    schedules.recover_labs(world.deps)
    assert len(world.workflows.started) == 1


def protect(nights: Nights, lab_id: str) -> None:
    """An administrator's request."""
    now = nights.world.clock.now()
    admin = a_caller(arn="arn:aws:iam::111122223333:user/administrator", is_admin=True)
    lease.protect_lab(nights.world.deps, admin, lab_id, now + timedelta(hours=30), "a demonstration", now)


def test_who_was_warned_hears_that_a_lab_protected_at_the_very_moment_of_its_end_lives() -> None:
    nights = Nights()
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100, young_hours=0))
    nights.add("lab-a", idle)
    nights.hours(NOW, 3)
    nights.world.account.hooks["verdict"] = lambda: protect(nights, "lab-a")
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == []
    assert [message.kind for message in nights.world.watch.notifier.messages][-1] == "curfew-called-off"
    assert "It is protected until" in nights.sentences("lab-a")


def test_a_lab_that_is_protected_while_the_sweep_wakes_it_wakes_in_the_same_hour() -> None:
    nights = Nights()
    asleep = Hibernation((), NOW - timedelta(hours=10), "night", wake_at=NOW)
    spec = a_spec(name="c-lab-a", schedule=replace(SEOUL, wake=time(18, 30)))
    nights.add("lab-a", spec=spec, phase=Phase.HIBERNATED, phase_since=asleep.since, hibernation=asleep)
    nights.world.account.hooks["describe"] = lambda: protect(nights, "lab-a")
    nights.run_hour(NOW)
    assert nights.started("wake") == ["lab-a"]
    assert nights.lab("lab-a").protection is not None


@pytest.mark.parametrize("call", ["describe", "fargate_profiles"])
def test_a_teardown_whose_control_plane_goes_at_that_very_moment_goes_on(call: str) -> None:
    theatre = Theatre()
    theatre.request()
    theatre.play()
    theatre.release()
    world = theatre.world
    world.account.hooks[call] = lambda: world.clusters.drop("myeks")
    assert run_step(world.deps, teardown.delete_nodegroups, {"lab_id": theatre.lab_id})["outcome"] == "done"
    theatre.play()
    assert (theatre.lab.phase, theatre.lab.reason) == (Phase.DELETED, None)
