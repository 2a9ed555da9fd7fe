"""The hourly collection of proofs: an error in one lab, or one event, costs no other lab its proofs."""

from __future__ import annotations

import pytest

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.labs.lab import Phase
from chalicelib.workflows import collection, schedules
from chalicelib.workflows.collection import turn_of
from tests.fakes import a_lab, a_spec
from tests.workflows.theatre import Theatre

OWNED = {"kubernetes.io/cluster/other": "owned"}


def two_labs_of_one_turn() -> Theatre:
    """A lab, then one named `other`, both in the run that is due now."""
    theatre = Theatre()
    first = theatre.request()
    twins = (f"lab-twin{number}" for number in range(1000))
    theatre.request(a_lab(id=next(id for id in twins if turn_of(id) == turn_of(first.id)), spec=a_spec(name="other")))
    theatre.play()
    theatre.world.clock.instant = theatre.world.clock.instant.replace(minute=5 * turn_of(first.id))
    return theatre


@pytest.mark.parametrize(
    "slip", [AwsUnavailable("not now"), KeyError("arn"), TypeError("no str"), OSError("broken pipe")]
)
def test_whatever_is_wrong_with_one_lab_the_others_proofs_are_collected_and_the_run_is_noted(slip: Exception) -> None:
    theatre = two_labs_of_one_turn()
    world = theatre.world
    volume = world.account.add(Kind.VOLUME, tags=OWNED)
    world.history.made(volume, world.account.get(Kind.ROLE, f"{theatre.lab.stack_name}-NodeRole"))
    world.clock.advance(minutes=60)
    world.fail("inventory.take", slip)
    report = schedules.recover_labs(world.deps)
    assert [entry["error"] for entry in report["failed"]] == [type(slip).__name__]
    collection.collect_proofs(world.deps, world.clock.now())
    assert theatre.lab.phase is Phase.READY
    entry = next(entry for entry in world.store.ledger(theatre.lab_id) if entry.resource.arn == volume.arn)
    assert entry.grounds is not None


def test_one_broken_event_of_cloudtrail_costs_no_other_its_proof() -> None:
    theatre = two_labs_of_one_turn()
    world = theatre.world
    volume = world.account.add(Kind.VOLUME, tags=OWNED)
    role = world.account.get(Kind.ROLE, f"{theatre.lab.stack_name}-NodeRole")
    world.history.made(volume, role, userIdentity="root")
    world.history.made(volume, role)
    world.clock.advance(minutes=60)
    assert collection.collect_proofs(world.deps, world.clock.now()) == []
    entry = next(entry for entry in world.store.ledger(theatre.lab_id) if entry.resource.arn == volume.arn)
    assert entry.creator is not None
    assert entry.grounds is not None
