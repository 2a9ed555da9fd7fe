"""Random days of the whole service: `make prove` runs many, `make check` a few."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.labs.lab import OVER, Phase
from tests.proof.only import DAYS, told_only_if
from tests.proof.service import Service
from tests.workflows.night.test_fleets import OWNERS


def tell(times: int, steps: int) -> None:
    """The numbers of a service's lives, and of the steps of each."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    days = settings(max_examples=times, stateful_step_count=steps, deadline=None, suppress_health_check=slow)
    run_state_machine_as_test(Service, settings=days)


def test_random_days_of_the_whole_service_keep_every_promise() -> None:
    tell(times=15, steps=20)


def test_a_plan_that_skipped_a_lab_excuses_no_end_of_it() -> None:
    service = Service()
    service.people_ask_for_labs([("lab1", OWNERS[2], 8, "busy", "1.36")], 1, set(), None)
    [lab] = service.alive()
    service.hours_pass(12)
    assert service.nights.lab(lab.id).phase in OVER
    store = service.nights.world.curfew.store
    [(entry, status)] = [(entry, status) for entry, status in service.lines() if entry.lab_id == lab.id]
    key = next(key for key, one in store.entries.items() if one == entry)
    service.nobody_ends_unplanned_or_unwarned()
    store.statuses[key] = replace(status, outcome=EntryOutcome.SKIPPED)
    with pytest.raises(AssertionError, match="beside the plan"):
        service.nobody_ends_unplanned_or_unwarned()


def test_a_call_off_that_nobody_receives_must_be_in_the_lab_s_history() -> None:
    service = Service()
    service.people_ask_for_labs([("lab1", OWNERS[0], 4, "busy", "1.36")], 1, set(), None)
    [lab] = service.alive()
    service.hours_pass(3)
    service.subscriptions_change({OWNERS[0], "administrators"})
    service.somebody_spares_a_lab(hours=27, number=0, protect=True)
    service.hours_pass(1)
    [(_, status)] = [(entry, status) for entry, status in service.lines() if entry.lab_id == lab.id]
    assert status.called_off_at is not None
    service.nothing_is_sent_that_nobody_took()
    history = service.nights.world.store.event_table[lab.id]
    history[:] = [event for event in history if "Nobody takes messages for" not in event.message]
    with pytest.raises(AssertionError, match="called off, and nobody took it"):
        service.nothing_is_sent_that_nobody_took()


@pytest.mark.parametrize("kind", [Kind.ROLE, Kind.KEY_PAIR, Kind.LOG_GROUP, Kind.CLUSTER, Kind.VOLUME])
def test_a_clean_receipt_of_a_lab_that_left_something_is_noticed(kind: Kind) -> None:
    service = Service()
    service.people_ask_for_labs([("lab1", OWNERS[2], 8, "busy", "1.36")], 1, set(), None)
    [lab] = service.alive()
    service.somebody_asks_of_a_lab(0, "release")
    service.hours_pass(1)
    service.receipts_are_true()
    service.nights.world.account.add(kind, tags={"ekslab:lab-id": lab.id})
    with pytest.raises(AssertionError, match="proved empty, and not"):
        service.receipts_are_true()


@pytest.mark.long
def test_many_random_days_keep_every_promise_and_reach_and_leave_every_phase() -> None:
    told_only_if(DAYS)
    tell(times=400, steps=30)
    assert set(Phase) - Service.reached == set()
    assert set(Phase) - OVER - Service.left == set()
