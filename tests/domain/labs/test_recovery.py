"""What the scheduled run decides for a lab that is due, as a table; and that it never repeats anything for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.labs.lab import RESTING, Phase
from chalicelib.domain.labs.recovery import (
    LOOK_WITHIN,
    SLEEP_WITHIN,
    START_WITHIN,
    TEAR_DOWN_WITHIN,
    RecoveryAction,
    decide_tending,
)
from tests.fakes import NOW, a_lab


@pytest.mark.parametrize(
    ("phase", "running", "age", "act"),
    [
        ("requested", False, timedelta(minutes=1), RecoveryAction.START),
        ("requested", True, timedelta(minutes=1), RecoveryAction.WAIT),
        ("requested", False, START_WITHIN, RecoveryAction.ROLL_BACK),
        ("provisioning", True, timedelta(hours=1), RecoveryAction.WAIT),
        ("provisioning", False, timedelta(minutes=6), RecoveryAction.ROLL_BACK),
        ("ready", False, timedelta(hours=1), RecoveryAction.REST),
        ("hibernated", False, timedelta(hours=1), RecoveryAction.REST),
        ("ready", False, timedelta(hours=8), RecoveryAction.REST),
        ("provisioning", True, timedelta(hours=8), RecoveryAction.WAIT),
        ("updating", True, timedelta(hours=8), RecoveryAction.WAIT),
        ("updating", True, timedelta(minutes=6), RecoveryAction.WAIT),
        ("updating", False, timedelta(minutes=6), RecoveryAction.START),
        ("updating", False, START_WITHIN, RecoveryAction.GIVE_UP_CHANGE),
        ("hibernating", True, SLEEP_WITHIN, RecoveryAction.WAIT),
        ("hibernating", False, timedelta(minutes=6), RecoveryAction.START),
        ("hibernating", False, START_WITHIN, RecoveryAction.RESTART),
        ("hibernating", False, SLEEP_WITHIN, RecoveryAction.WAKE),
        ("waking", True, SLEEP_WITHIN, RecoveryAction.WAIT),
        ("waking", False, timedelta(minutes=6), RecoveryAction.START),
        ("waking", False, START_WITHIN, RecoveryAction.RESTART),
        ("waking", False, SLEEP_WITHIN, RecoveryAction.GIVE_UP_WAKING),
        ("releasing", True, TEAR_DOWN_WITHIN, RecoveryAction.WAIT),
        ("releasing", False, timedelta(minutes=6), RecoveryAction.RESTART),
        ("rolling-back", False, timedelta(minutes=6), RecoveryAction.RESTART),
        ("rolling-back", False, TEAR_DOWN_WITHIN, RecoveryAction.BLOCK),
        ("deleted", False, timedelta(minutes=15), RecoveryAction.RESTART),
        ("failed", True, timedelta(minutes=15), RecoveryAction.WAIT),
        ("deleted", False, LOOK_WITHIN, RecoveryAction.FORGET),
        ("blocked", False, timedelta(minutes=6), RecoveryAction.FORGET),
    ],
)
def test_what_is_due_decides_what_is_done(phase: str, running: bool, age: timedelta, act: RecoveryAction) -> None:
    decision = decide_tending(a_lab(phase=phase), running, NOW + age)
    assert decision.action is act
    assert decision.reason.endswith(".")


@given(phase=st.sampled_from(Phase), days=st.integers(min_value=4, max_value=400))
def test_nothing_without_a_workflow_is_begun_again_for_ever(phase: Phase, days: int) -> None:
    lab = replace(a_lab(phase=phase), lease_ends_at=NOW + timedelta(days=500))
    decision = decide_tending(lab, False, NOW + timedelta(days=days))
    assert decision.action not in (RecoveryAction.START, RecoveryAction.RESTART)


@given(phase=st.sampled_from(Phase), days=st.integers(min_value=0, max_value=400), running=st.booleans())
def test_a_lab_at_rest_is_left_alone_whenever_its_lease_ends(phase: Phase, days: int, running: bool) -> None:
    decision = decide_tending(a_lab(phase=phase), running, NOW + timedelta(days=days))
    assert (decision.action is RecoveryAction.REST) == (phase in RESTING)


@given(phase=st.sampled_from(Phase), days=st.integers(min_value=0, max_value=400), leases=st.integers(1, 500))
def test_the_lease_has_no_say_in_what_is_tended(phase: Phase, days: int, leases: int) -> None:
    lab, now = a_lab(phase=phase), NOW + timedelta(days=days)
    other = replace(lab, lease_ends_at=NOW + timedelta(hours=leases))
    assert decide_tending(other, False, now) == decide_tending(lab, False, now)
