"""The scheduled run's decision for a due lab, as a table; no action is repeated for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.labs.lab import RESTING, Phase
from chalicelib.domain.labs.recovery import (
    BLOCKED_FOR,
    CHANGE_WITHIN,
    LOOK_WITHIN,
    MAKE_WITHIN,
    SLEEP_WITHIN,
    START_WITHIN,
    TEAR_DOWN_WITHIN,
    RecoveryAction,
    decide_tending,
)
from chalicelib.domain.labs.steps import Execution
from tests.fakes import NOW, a_lab


@pytest.mark.parametrize(
    ("phase", "execution", "age", "act"),
    [
        ("requested", Execution.ABSENT, timedelta(minutes=1), RecoveryAction.START),
        ("requested", Execution.RUNNING, timedelta(minutes=1), RecoveryAction.WAIT),
        ("requested", Execution.ABSENT, START_WITHIN, RecoveryAction.ROLL_BACK),
        ("provisioning", Execution.RUNNING, timedelta(hours=1), RecoveryAction.WAIT),
        ("provisioning", Execution.ABSENT, timedelta(minutes=6), RecoveryAction.RESTART),
        ("provisioning", Execution.ABSENT, MAKE_WITHIN, RecoveryAction.ROLL_BACK),
        ("ready", Execution.ABSENT, timedelta(hours=1), RecoveryAction.REST),
        ("hibernated", Execution.ABSENT, timedelta(hours=1), RecoveryAction.REST),
        ("ready", Execution.ABSENT, timedelta(hours=8), RecoveryAction.REST),
        ("provisioning", Execution.RUNNING, timedelta(hours=8), RecoveryAction.WAIT),
        ("updating", Execution.RUNNING, timedelta(hours=8), RecoveryAction.WAIT),
        ("updating", Execution.RUNNING, timedelta(minutes=6), RecoveryAction.WAIT),
        ("updating", Execution.ABSENT, timedelta(minutes=6), RecoveryAction.START),
        ("updating", Execution.ABSENT, START_WITHIN, RecoveryAction.GIVE_UP_CHANGE),
        ("hibernating", Execution.RUNNING, SLEEP_WITHIN, RecoveryAction.WAIT),
        ("hibernating", Execution.ABSENT, timedelta(minutes=6), RecoveryAction.START),
        ("hibernating", Execution.ABSENT, START_WITHIN, RecoveryAction.RESTART),
        ("hibernating", Execution.ABSENT, SLEEP_WITHIN, RecoveryAction.WAKE),
        ("waking", Execution.RUNNING, SLEEP_WITHIN, RecoveryAction.WAIT),
        ("waking", Execution.ABSENT, timedelta(minutes=6), RecoveryAction.START),
        ("waking", Execution.ABSENT, START_WITHIN, RecoveryAction.RESTART),
        ("waking", Execution.ABSENT, SLEEP_WITHIN, RecoveryAction.GIVE_UP_WAKING),
        ("releasing", Execution.RUNNING, TEAR_DOWN_WITHIN, RecoveryAction.WAIT),
        ("releasing", Execution.ABSENT, timedelta(minutes=6), RecoveryAction.RESTART),
        ("rolling-back", Execution.ABSENT, timedelta(minutes=6), RecoveryAction.RESTART),
        ("rolling-back", Execution.ABSENT, TEAR_DOWN_WITHIN, RecoveryAction.BLOCK),
        ("deleted", Execution.ABSENT, timedelta(minutes=15), RecoveryAction.RESTART),
        ("failed", Execution.RUNNING, timedelta(minutes=15), RecoveryAction.WAIT),
        ("deleted", Execution.ABSENT, LOOK_WITHIN, RecoveryAction.FORGET),
        ("blocked", Execution.ABSENT, timedelta(minutes=6), RecoveryAction.FORGET),
        ("blocked", Execution.ABSENT, BLOCKED_FOR, RecoveryAction.RELEASE),
        ("blocked", Execution.ABSENT, timedelta(days=40), RecoveryAction.FORGET),
        ("requested", Execution.ENDED, timedelta(minutes=6), RecoveryAction.RESTART),
        ("requested", Execution.ENDED, START_WITHIN, RecoveryAction.ROLL_BACK),
        ("provisioning", Execution.ENDED, timedelta(minutes=6), RecoveryAction.RESTART),
        ("provisioning", Execution.ENDED, MAKE_WITHIN, RecoveryAction.ROLL_BACK),
        ("updating", Execution.ENDED, timedelta(minutes=6), RecoveryAction.RESTART),
        ("updating", Execution.ENDED, START_WITHIN, RecoveryAction.RESTART),
        ("updating", Execution.ENDED, CHANGE_WITHIN, RecoveryAction.GIVE_UP_CHANGE),
        ("hibernating", Execution.ENDED, timedelta(minutes=6), RecoveryAction.RESTART),
        ("waking", Execution.ENDED, timedelta(minutes=6), RecoveryAction.RESTART),
        ("waking", Execution.ENDED, SLEEP_WITHIN, RecoveryAction.GIVE_UP_WAKING),
        ("releasing", Execution.ENDED, timedelta(minutes=6), RecoveryAction.RESTART),
    ],
)
def test_what_is_due_decides_what_is_done(
    phase: str, execution: Execution, age: timedelta, act: RecoveryAction
) -> None:
    decision = decide_tending(a_lab(phase=phase), execution, NOW + age)
    assert decision.action is act
    assert decision.reason.endswith(".")


def test_a_lab_of_which_a_step_failed_for_good_is_not_made_again() -> None:
    lab = replace(a_lab(phase="provisioning"), reason="EKS has no room.")
    assert decide_tending(lab, Execution.ENDED, NOW + timedelta(minutes=6)).action is RecoveryAction.ROLL_BACK


@given(
    phase=st.sampled_from([phase for phase in Phase if phase is not Phase.BLOCKED]),
    days=st.integers(min_value=4, max_value=400),
    execution=st.sampled_from([Execution.ABSENT, Execution.ENDED]),
)
def test_nothing_without_a_workflow_is_begun_again_for_ever(phase: Phase, days: int, execution: Execution) -> None:
    lab = replace(a_lab(phase=phase), lease_ends_at=NOW + timedelta(days=500))
    decision = decide_tending(lab, execution, NOW + timedelta(days=days))
    assert decision.action not in (RecoveryAction.START, RecoveryAction.RESTART)


@given(phase=st.sampled_from(Phase), days=st.integers(min_value=0, max_value=400), execution=st.sampled_from(Execution))
def test_a_lab_at_rest_is_left_alone_whenever_its_lease_ends(phase: Phase, days: int, execution: Execution) -> None:
    decision = decide_tending(a_lab(phase=phase), execution, NOW + timedelta(days=days))
    assert (decision.action is RecoveryAction.REST) == (phase in RESTING)


@given(
    phase=st.sampled_from([phase for phase in Phase if phase is not Phase.BLOCKED]),
    days=st.integers(min_value=0, max_value=400),
    leases=st.integers(1, 500),
)
def test_the_lease_has_no_say_in_what_is_tended(phase: Phase, days: int, leases: int) -> None:
    lab, now = a_lab(phase=phase), NOW + timedelta(days=days)
    other = replace(lab, lease_ends_at=NOW + timedelta(hours=leases))
    assert decide_tending(other, Execution.ABSENT, now) == decide_tending(lab, Execution.ABSENT, now)


def test_what_a_lab_left_is_asked_about_for_as_long_as_nobody_says_whose_it_is() -> None:
    lab = replace(a_lab(phase=Phase.DELETED), phase_since=NOW - timedelta(days=200), unsettled=True)
    assert decide_tending(lab, Execution.ENDED, NOW).action is RecoveryAction.RESTART
    assert decide_tending(replace(lab, unsettled=False), Execution.ENDED, NOW).action is RecoveryAction.FORGET
