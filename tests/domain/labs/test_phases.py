"""The table of phases: allowed transitions, and a path to the end from every phase."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors.tree import Superseded
from chalicelib.domain.labs.approval import awaiting
from chalicelib.domain.labs.lab import NEXT_PHASES, OVER, Phase
from tests.fakes.builders import NOW, a_lab


@pytest.mark.parametrize("phase", Phase)
def test_a_lab_becomes_what_the_table_says_and_nothing_else(phase: Phase) -> None:
    lab = a_lab(phase=phase)
    for following in Phase:
        if following in NEXT_PHASES[phase]:
            assert lab.moved_to(following, NOW).phase is following
            continue
        with pytest.raises(Superseded, match=f"is {phase}, from which it does not become {following}"):
            lab.moved_to(following, NOW)


def test_a_deleted_lab_is_ready_again_only_by_adoption() -> None:
    with pytest.raises(Superseded):
        a_lab(phase=Phase.DELETED, ended_at=NOW).moved_to(Phase.READY, NOW)
    assert a_lab(phase=Phase.DELETED, ended_at=NOW).reopened(NOW).ended_at is None


@pytest.mark.parametrize("phase", Phase)
def test_only_the_closed_record_of_a_lab_that_was_made_is_reopened(phase: Phase) -> None:
    lab = a_lab(phase=phase, ended_at=NOW)
    if phase in (Phase.DELETED, Phase.FAILED):
        assert lab.reopened(NOW).phase is Phase.READY
        return
    with pytest.raises(Superseded, match=f"is {phase}, from which it is not reopened"):
        lab.reopened(NOW)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("version", [0, 1])
def test_only_a_new_request_waits_for_an_approver(phase: Phase, version: int) -> None:
    lab = a_lab(phase=phase, version=version)
    if phase is Phase.REQUESTED and version == 0:
        waiting = awaiting(lab, "It is dear.", False, NOW)
        assert (waiting.phase, waiting.due_at) == (Phase.AWAITING_APPROVAL, NOW)
        return
    with pytest.raises(Superseded):
        awaiting(lab, "It is dear.", False, NOW)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_is_reached_and_leads_to_an_end(phase: Phase) -> None:
    reached = {phase}
    while more := {after for each in reached for after in NEXT_PHASES[each]} - reached:
        reached |= more
    assert reached & {*OVER, Phase.BLOCKED}
    begins = (Phase.REQUESTED, Phase.AWAITING_APPROVAL)
    assert phase in begins or any(phase in after for after in NEXT_PHASES.values())
