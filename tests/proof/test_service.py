"""Random days of the whole service: `make prove` tells many, `make check` a few."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from chalicelib.domain.labs.lab import OVER, Phase
from tests.proof.only import DAYS, told_only_if
from tests.proof.service import Service


def tell(times: int, steps: int) -> None:
    """So many lives of a service, each of so many steps."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    days = settings(max_examples=times, stateful_step_count=steps, deadline=None, suppress_health_check=slow)
    run_state_machine_as_test(Service, settings=days)


def test_random_days_of_the_whole_service_keep_every_promise() -> None:
    tell(times=15, steps=20)


@pytest.mark.long
def test_many_random_days_keep_every_promise_and_reach_and_leave_every_phase() -> None:
    told_only_if(DAYS)
    tell(times=400, steps=30)
    assert set(Phase) - Service.reached == set()
    assert set(Phase) - OVER - Service.left == set()
