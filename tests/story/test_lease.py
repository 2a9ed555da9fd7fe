"""The end of a lease: nobody does anything, and the lab goes all the same."""

from datetime import timedelta

import pytest

from sandbox.stage import Stage
from tests.story.account import left_of
from tests.story.telling import learner, the_schedule_comes

pytestmark = pytest.mark.story


def test_a_lab_that_everybody_forgot_is_gone_when_its_lease_ends(stage: Stage) -> None:
    # Given a ready lab with a lease of an hour
    lab = learner(stage).asks_for("overslept", leaseHours=1, nodegroups=[])
    ready = lab.becomes("ready")
    assert ready["next"][-1].startswith("The lease ends at ")

    # When the schedule comes before its end, then nothing happens
    the_schedule_comes(stage, later=timedelta(minutes=50))
    assert lab.shown()["phase"] == "ready"

    # When it comes after its end, then the lab is taken away whole, and says why
    the_schedule_comes(stage, later=timedelta(minutes=61))
    lab.becomes("deleted")
    assert "The lease has ended." in lab.events()
    assert lab.receipt()["clean"]
    assert left_of(lab) == []
