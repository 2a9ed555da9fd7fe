"""EC2 has no capacity for the requested instance type."""

import pytest

from sandbox.stage import Stage
from tests.story.account import left_of
from tests.story.steps import learner, lines

pytestmark = pytest.mark.story

NONE_LEFT = {
    "code": "AsgInstanceLaunchFailures",
    "message": "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient "
    "t3.medium capacity in the Availability Zone you requested (ap-northeast-2a). Launching EC2 instance failed.",
}


def test_a_lab_that_gets_no_capacity_says_so_and_leaves_nothing(stage: Stage) -> None:
    # Given a region without t3.medium
    stage.sandbox.admin("PATCH", "faults", [no_capacity_for("crowded")])
    asking = learner(stage)

    # When somebody requests a lab
    lab = asking.asks_for("crowded")
    failed = lab.becomes("failed")

    # Then the error names the cause, and suggests another choice
    assert "capacity" in failed["reason"]
    assert failed["responsible"] == "yours to fix"
    assert failed["endedAt"]
    assert lab.step("create_nodegroups")["status"] == "failed"

    # And nothing is left
    receipt = lab.receipt()
    assert receipt["clean"], receipt["verdict"]
    assert lines(receipt, "deleted", "cluster")
    assert left_of(lab) == []

    # And the name is free again
    again = asking.asks_for("crowded")
    assert again.id != lab.id
    again.is_let_go()
    again.becomes("deleted")


def no_capacity_for(name: str) -> dict[str, object]:
    outcome = {"status": "CREATE_FAILED", "issue": NONE_LEFT}
    return {"operation": "CreateNodegroup", "cluster": name, "times": 1, "outcome": outcome}
