"""A log group that is recreated after the deletion: a later check finds it, deletes it, and reports it."""

from datetime import timedelta

import pytest

from sandbox.scenarios.leftover import Kind, Leftover, still_there
from sandbox.stage import Stage
from tests.story.account import clients
from tests.story.steps import Json, learner, lines, the_schedule_comes, until

pytestmark = pytest.mark.story

GROUP = "/aws/eks/talkative/cluster"


def test_a_log_group_that_comes_back_is_deleted_by_the_next_look(stage: Stage) -> None:
    # Given a lab with logging, deleted and proved empty
    lab = learner(stage).asks_for("talkative", logTypes=["api", "audit"], nodegroups=[])
    lab.becomes("ready")
    group = Leftover(Kind.LOG_GROUP, GROUP)
    assert still_there(clients(lab), group)

    # With all signals of a verdict readable, including its audit log
    verdict = lab.learner.sends("GET", f"{lab.path}/verdict").json
    assert verdict["evidence"]["unread"] == []
    lab.is_let_go()
    lab.becomes("deleted")
    assert lab.receipt()["clean"]

    # When late log lines recreate its log group
    if not still_there(clients(lab), group):
        clients(lab)("logs").create_log_group(logGroupName=GROUP)

    # And 15 minutes have passed
    the_schedule_comes(stage, later=timedelta(minutes=16))

    # Then the check deletes it, and the receipt states that it was there again
    later = until(lab.receipt, lambda seen: seen["clean"] and looked_later(seen), "a clean look, 15 minutes later")
    [line] = [line for line in lines(later, "deleted", "log-group") if line["arn"].endswith(GROUP)]
    assert "came back" in line["reason"]
    assert not still_there(clients(lab), group)
    assert f"Deleted log-group {GROUP}" in lab.events()


def looked_later(receipt: Json) -> bool:
    return any(look["look"] == "after 15 minutes" for look in receipt["looks"])
