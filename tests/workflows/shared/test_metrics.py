"""Metrics and their names: alarms on a metric that is never emitted would be silent for ever."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.errors.tree import Throttled
from chalicelib.domain.labs.lab import Phase
from chalicelib.metrics import Metric
from chalicelib.ports.deps import Deps
from chalicelib.workflows import curfew, provision, teardown, watch_support
from chalicelib.workflows.night.region import Region, note_seen
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.warn import listeners
from chalicelib.workflows.shared.runner import run_step
from tests.fakes import FakeWorld, make_deps
from tests.fakes.builders import NOW, a_lab
from tests.workflows.night.nights import Nights

STACK = "ekslab-prod"
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def world() -> FakeWorld:
    return make_deps()


@pytest.fixture(autouse=True)
def as_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library makes a dimension from the logger's setting in the template."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ekslab")


def deps_of(world: FakeWorld) -> Deps:
    """With a stack's settings."""
    return replace(world.deps, curfew=replace(world.deps.curfew, installation=STACK))


def put(world: FakeWorld, lab_id: str, phase: Phase) -> None:
    spec = replace(a_lab().spec, name=lab_id)
    world.store.create_lab(replace(a_lab(), id=lab_id, spec=spec, phase=phase), None, "", world.clock.now())


def measured(capsys: Captured) -> dict[str, float]:
    """The printed lines in the embedded metric format, as CloudWatch reads them; the namespace and dimensions as intended."""
    found: dict[str, float] = {}
    dimensions = {True: [["stack", "phase"]], False: [["stack"]]}
    for line in capsys.readouterr().out.splitlines():
        document: dict[str, Any] = json.loads(line) if '"_aws"' in line else {}
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "ekslab"
            assert directive["Dimensions"] == dimensions["phase" in document]
            assert document["stack"] == STACK
            of = f" {document['phase']}" if "phase" in document else ""
            found |= {metric["Name"] + of: document[metric["Name"]][0] for metric in directive["Metrics"]}
    return found


def test_a_lab_that_becomes_ready_tells_how_long_that_took_and_only_once(world: FakeWorld, capsys: Captured) -> None:
    put(world, "lab-1", Phase.PROVISIONING)
    world.clock.instant = world.store.load_lab("lab-1").created_at + timedelta(minutes=14, seconds=30)
    run_step(deps_of(world), provision.finish, {"lab_id": "lab-1"})
    assert measured(capsys) == {Metric.MINUTES_TO_READY: 14.5}
    with pytest.raises(Exception, match="may not act"):
        run_step(deps_of(world), provision.finish, {"lab_id": "lab-1"})
    assert measured(capsys) == {}


def test_a_blocked_lab_is_told_at_once(world: FakeWorld, capsys: Captured) -> None:
    put(world, "lab-1", Phase.RELEASING)
    run_step(deps_of(world), teardown.block, {"lab_id": "lab-1"})
    assert measured(capsys) == {Metric.BLOCKED_LABS: 1}


def test_each_sweep_tells_how_many_labs_are_blocked_also_none(world: FakeWorld, capsys: Captured) -> None:
    curfew.finish(deps_of(world), END, world.clock.now())
    assert measured(capsys)[Metric.BLOCKED_LABS] == 0
    for n in range(3):
        put(world, f"lab-{n}", Phase.BLOCKED)
    curfew.finish(deps_of(world), END, world.clock.now())
    assert measured(capsys)[Metric.BLOCKED_LABS] == 3


def test_each_sweep_tells_labs_by_phase_and_what_they_cost(capsys: Captured) -> None:
    nights = Nights()
    nights.add("lab-a")
    nights.add("lab-b", spec=replace(a_lab().spec, name="c-lab-b", nodegroups=()))
    put(nights.world, "lab-new", Phase.REQUESTED)
    nights.run_hour(NOW)
    measured(capsys)
    curfew.finish(deps_of(nights.world), END, NOW)
    message = measured(capsys)
    assert (message["Labs ready"], message["Labs requested"]) == (2, 1)
    costs = {lab_id: nights.lab(lab_id).hourly_usd or 0.0 for lab_id in ("lab-a", "lab-b")}
    assert costs["lab-a"] > costs["lab-b"] > 0
    assert message[Metric.HOURLY_USD] == pytest.approx(sum(costs.values()))


def test_a_price_is_written_once_and_a_sleeping_lab_s_when_it_is_looked_at_next() -> None:
    nights = Nights()
    nights.add("lab-a")
    nights.run_hour(NOW)
    awake = nights.lab("lab-a")
    note_seen(Region(NightRun(nights.world.deps, NOW), awake.place), awake, None)
    assert nights.lab("lab-a").version == awake.version
    asleep = replace(awake, phase=Phase.HIBERNATED)
    nights.world.store.put(asleep)
    note_seen(Region(NightRun(nights.world.deps, NOW), asleep.place), asleep, None)
    assert 0 < (nights.lab("lab-a").hourly_usd or 0.0) < (awake.hourly_usd or 0.0)


def test_a_sweep_that_cannot_count_is_still_finished(world: FakeWorld) -> None:
    world.fail("curfew_store.blocked", Throttled("dynamodb:Query: slower"), times=5)
    answer = curfew.finish(deps_of(world), END, world.clock.now())
    assert answer["outcome"] == "done"
    assert any("the metrics" in trouble for trouble in answer["troubles"])


def test_each_round_of_warnings_tells_how_many_did_not_arrive_also_none(world: FakeWorld, capsys: Captured) -> None:
    curfew.warn(deps_of(world), END, world.clock.now())
    assert measured(capsys) == {Metric.UNDELIVERED_WARNINGS: 0}


def test_a_warning_that_reaches_nobody_or_can_not_be_sent_is_counted(capsys: Captured) -> None:
    nights = Nights()
    deaf, _ = (nights.add(lab_id) for lab_id in ("lab-deaf", "lab-unsent"))
    nobody = "Nobody has confirmed a subscription."
    nights.world.curfew.reach.unreachable |= dict.fromkeys(listeners(nights.world.deps, deaf), nobody)
    nights.world.fail("notifier.send", Throttled("sns:Publish: slower"), times=2)
    nights.run_hour(NOW)
    nights.world.fail("notifier.send", Throttled("sns:Publish: slower"))
    curfew.warn(deps_of(nights.world), END, NOW)
    assert measured(capsys) == {Metric.UNDELIVERED_WARNINGS: 2}
    curfew.warn(deps_of(nights.world), END, NOW)
    assert measured(capsys) == {Metric.UNDELIVERED_WARNINGS: 1}


def test_the_watch_tells_how_many_notices_are_not_out_also_none(world: FakeWorld, capsys: Captured) -> None:
    watch_support.finish(deps_of(world), {"failure": None, "counts": {}, "delivered": {"failed": 0}}, world.clock.now())
    assert measured(capsys) == {Metric.NOTICES_LATE: 0}


def test_without_a_stack_nothing_is_printed(world: FakeWorld, capsys: Captured) -> None:
    put(world, "lab-1", Phase.RELEASING)
    run_step(world.deps, teardown.block, {"lab_id": "lab-1"})
    assert measured(capsys) == {}


END: dict[str, Any] = {
    "execution": "one",
    "before": {"after": "", "failed": 0, "reported": []},
    "so_far": {},
    "failure": None,
    "warned": {"reported": []},
    "braked": {},
}
