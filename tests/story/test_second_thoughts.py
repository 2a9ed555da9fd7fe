"""A lab is ended while it is being created."""

import pytest

from sandbox.stage import Stage
from tests.story.account import clients, cluster, left_of
from tests.story.steps import learner, lines

pytestmark = pytest.mark.story


def test_a_lab_let_go_while_its_control_plane_is_made_leaves_nothing(stage: Stage) -> None:
    # Given a lab whose control plane is CREATING
    lab = learner(stage).asks_for("fleeting")
    lab.is_at("create_cluster")

    # When it is ended
    assert left_of(lab)
    lab.is_let_go()
    assert lab.shown()["phase"] == "releasing"

    # Then it is deleted, without ever having been ready
    lab.becomes("deleted")
    assert "ready" not in lab.events()
    receipt = lab.receipt()
    assert receipt["clean"], receipt["verdict"]
    assert lines(receipt, "deleted", "cluster")
    assert left_of(lab) == []

    # And nothing more is created afterwards
    assert cluster(clients(lab), "fleeting") is None
    assert not [step for step in lab.shown()["steps"] if step["status"] == "running"]
