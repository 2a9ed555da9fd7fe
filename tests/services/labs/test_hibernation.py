"""People's requests to hibernate and wake a lab, on fakes: idempotent, and not allowed at every time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from chalicelib.domain.errors.tree import LabNotFound, Throttled, WrongPhase
from chalicelib.domain.labs.lab import Hibernation, NodegroupSize, Phase, Protection
from chalicelib.domain.labs.schedule import Schedule
from chalicelib.services.labs import hibernation
from tests.fakes import NOW, FakeWorld, a_caller, a_lab, a_spec, make_deps

ID = a_lab().id
ASLEEP = Hibernation((NodegroupSize("myeks-nodegroup", 1, 2, 3),), NOW, "It is night.")


def a_world(phase: str, **changes: object) -> FakeWorld:
    world = make_deps()
    world.store.put(a_lab(phase=phase, run=2, **changes))
    return world


def messages(world: FakeWorld) -> list[str]:
    return [event.message for event in world.store.events(ID, 10, None).items]


def test_a_ready_lab_is_sent_to_sleep_once_however_often_it_is_asked() -> None:
    world = a_world("ready", spec=a_spec(schedule=Schedule("Asia/Seoul", wake=time(8, 30))), reason="an old one")
    first = hibernation.hibernate_lab(world.deps, a_caller(), ID, NOW)
    again = hibernation.hibernate_lab(world.deps, a_caller(), ID, NOW + timedelta(minutes=5))
    assert first == again
    lab = first.lab
    assert (lab.phase, lab.run, lab.due_at) == (Phase.HIBERNATING, 3, NOW + timedelta(seconds=60))
    assert lab.hibernation == Hibernation(
        (), NOW, f"{a_caller().arn} asked for it.", datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    )
    assert lab.reason is None
    assert world.workflows.names("hibernate") == [f"{ID}-3-hibernate"]
    assert messages(world) == [f"The lab is to hibernate: {a_caller().arn} asked for it."]
    assert "still-costs" in [finding.code for finding in first.findings]


def test_a_sleeping_lab_is_woken_once_however_often_it_is_asked_and_keeps_its_sizes() -> None:
    world = a_world("hibernated", hibernation=ASLEEP, reason="It could not be woken.")
    first = hibernation.wake_lab(world.deps, a_caller(), ID, NOW)
    again = hibernation.wake_lab(world.deps, a_caller(), ID, NOW + timedelta(minutes=5))
    assert first == again
    lab = first.lab
    assert (lab.phase, lab.run, lab.hibernation, lab.reason) == (Phase.WAKING, 3, ASLEEP, None)
    assert world.workflows.names("wake") == [f"{ID}-3-wake"]
    assert messages(world) == [f"The lab is to wake: {a_caller().arn} asked for it."]


def test_a_lab_that_sleeps_sleeps_and_one_that_is_awake_is_awake() -> None:
    asleep, awake = a_world("hibernated", hibernation=ASLEEP), a_world("ready")
    assert hibernation.hibernate_lab(asleep.deps, a_caller(), ID, NOW).lab.phase is Phase.HIBERNATED
    assert hibernation.wake_lab(awake.deps, a_caller(), ID, NOW).lab.phase is Phase.READY
    assert (asleep.workflows.started, awake.workflows.started) == ([], [])
    assert (messages(asleep), messages(awake)) == ([], [])


@pytest.mark.parametrize(
    "phase",
    ["requested", "provisioning", "updating", "waking", "releasing", "rolling-back", "deleted", "failed", "blocked"],
)
def test_only_a_ready_lab_goes_to_sleep(phase: str) -> None:
    world = a_world(phase)
    with pytest.raises(WrongPhase, match=f"this one is {phase}"):
        hibernation.hibernate_lab(world.deps, a_caller(), ID, NOW)
    assert world.store.load_lab(ID).run == 2


@pytest.mark.parametrize(
    "phase", ["requested", "provisioning", "updating", "releasing", "rolling-back", "deleted", "failed", "blocked"]
)
def test_only_a_sleeping_lab_wakes(phase: str) -> None:
    world = a_world(phase)
    with pytest.raises(WrongPhase, match=f"this one is {phase}"):
        hibernation.wake_lab(world.deps, a_caller(), ID, NOW)


def test_a_lab_on_its_way_to_sleep_is_woken_when_it_has_arrived() -> None:
    world = a_world("hibernating", hibernation=ASLEEP)
    with pytest.raises(WrongPhase, match="Ask again when it is hibernated"):
        hibernation.wake_lab(world.deps, a_caller(), ID, NOW)


def test_waking_a_lab_whose_lease_is_over_warns_that_it_ends() -> None:
    world = a_world("hibernated", hibernation=ASLEEP, lease_ends_at=NOW)
    assert [f.code for f in hibernation.wake_lab(world.deps, a_caller(), ID, NOW).findings] == ["lease-over"]


def test_waking_a_protected_lab_whose_lease_is_over_warns_of_nothing() -> None:
    protection = Protection(NOW + timedelta(days=1), "ops@", "an exam")
    world = a_world("hibernated", lease_ends_at=NOW, protection=protection)
    assert hibernation.wake_lab(world.deps, a_caller(), ID, NOW).findings == ()


def test_someone_elses_lab_is_not_there() -> None:
    world, other = a_world("ready"), replace(a_caller(), arn="arn:aws:iam::111122223333:user/other")
    for ask in (hibernation.hibernate_lab, hibernation.wake_lab):
        with pytest.raises(LabNotFound):
            ask(world.deps, other, ID, NOW)


def test_a_start_that_fails_is_found_by_the_scheduled_run() -> None:
    world = a_world("ready")
    world.fail("start", Throttled("slow down"))
    answer = hibernation.hibernate_lab(world.deps, a_caller(), ID, NOW)
    assert "start-delayed" in [finding.code for finding in answer.findings]
    assert world.store.labs_due(NOW + timedelta(minutes=2), 10) == (ID,)
