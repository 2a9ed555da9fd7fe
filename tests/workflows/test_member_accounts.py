"""Labs in other accounts on fakes: nothing of them is at home, and an account without access affects only its own labs."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.place import Place
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.labs.lab import Lab, Phase
from tests.fakes import NOW, Account, a_lab, a_spec
from tests.fakes.clusters import FakeClusters
from tests.workflows.night.nights import CURFEW, SEOUL, Nights
from tests.workflows.theatre import Theatre

MEMBER, THERE = "444455556666", "us-east-1"
ROLE = f"arn:aws:iam::{MEMBER}:role/ekslab-member-read"


def abroad() -> tuple[Theatre, Account]:
    """A ready lab in a member account, and that account's resources."""
    theatre = Theatre()
    there = theatre.world.join(MEMBER, THERE)
    theatre.request(a_lab(account=MEMBER, spec=a_spec(region=THERE)))
    theatre.play()
    return theatre, there


def test_all_of_a_lab_is_made_and_unmade_in_its_own_account_and_region() -> None:
    theatre, there = abroad()
    assert str(theatre.lab.phase) == "ready"
    assert there.resources
    assert theatre.world.account.resources == {}
    ledger = theatre.world.store.ledger(theatre.lab_id)
    owned = {entry.resource.arn for entry in ledger if entry.resource.arn.split(":")[4]}
    assert {arn.split(":")[4] for arn in owned if not arn.startswith("arn:aws:iam::aws")} == {MEMBER}
    theatre.release()
    theatre.play()
    assert theatre.lab.phase is Phase.DELETED
    assert there.resources == {}
    assert [receipt.clean for receipt in theatre.world.store.receipts(theatre.lab_id)] == [True]


def test_a_lab_whose_account_shut_the_service_out_is_blocked_in_words_and_ends_when_it_is_opened_again() -> None:
    theatre, _ = abroad()
    kept = dict(theatre.world.places.open)
    theatre.world.shut(MEMBER)
    theatre.release()
    theatre.play()
    assert (theatre.lab.phase, theatre.lab.responsible) == (Phase.BLOCKED, Responsible.OURS)
    assert "does not let this service in" in str(theatre.lab.reason)
    theatre.world.places.open.update(kept)
    theatre.release()
    theatre.play()
    assert theatre.lab.phase is Phase.DELETED


def test_a_lab_that_cannot_be_made_because_its_account_shut_the_service_out_says_so() -> None:
    theatre = Theatre()
    theatre.request(a_lab(account=MEMBER, spec=a_spec(region=THERE)))
    theatre.play()
    assert theatre.lab.responsible is Responsible.OURS
    assert "does not let this service in" in str(theatre.lab.reason)


def test_the_sweep_reads_each_account_and_region_by_itself() -> None:
    nights = a_schedule()
    assert nights.run_hour(NOW) == "Finished"
    asked = set(nights.world.curfew.signals.asked)
    assert asked == {Place("111122223333", "ap-northeast-2"), Place(MEMBER, "ap-northeast-2"), Place(MEMBER, THERE)}


def test_an_account_that_shuts_the_service_out_in_the_night_costs_the_others_nothing() -> None:
    nights = a_schedule()
    nights.run_hour(NOW)
    nights.world.shut(MEMBER)
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == ["lab-home"]
    assert {nights.lab(name).phase for name in ("lab-abroad", "lab-far")} == {Phase.READY}
    troubles = " ".join(nights.machines[-1].output["finish"]["troubles"])
    assert "lab-abroad" in troubles
    assert "sts:AssumeRole" in troubles


def test_orphans_are_looked_for_wherever_labs_may_be() -> None:
    nights = a_schedule()
    theirs = Registration(MEMBER, "training", ("ap-northeast-2", THERE), ROLE, labs=True)
    watched = Registration("777788889999", "watched", (THERE,), ROLE.replace(MEMBER, "777788889999"))
    for registration in (theirs, watched):
        nights.world.watch.store.register(registration)
    nights.world.curfew.signals.asked.clear()
    nights.hours(NOW + timedelta(hours=1), 24)
    asked = set(nights.world.curfew.signals.asked)
    assert {Place(MEMBER, "ap-northeast-2"), Place(MEMBER, THERE)} <= asked
    assert "777788889999" not in {place.account for place in asked}


def a_schedule() -> Nights:
    """An idle lab at home and two in a member account, in two regions, with the brake disabled."""
    nights = Nights()
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100))
    nights.add("lab-home")
    for lab_id, region in (("lab-abroad", "ap-northeast-2"), ("lab-far", THERE)):
        put(nights, lab_id, region)
    return nights


def put(nights: Nights, lab_id: str, region: str) -> Lab:
    """A ready lab of the member account, with its cluster in the fakes of that place."""
    nights.world.join(MEMBER, region)
    there = nights.world.deps.cloud(Place(MEMBER, region)).clusters
    lab = nights.add(lab_id, spec=a_spec(name=f"c-{lab_id}", region=region, schedule=SEOUL), account=MEMBER)
    assert isinstance(there, FakeClusters)
    there.clusters[lab.name] = nights.world.clusters.clusters.pop(lab.name)
    return lab
