"""Without access to CloudTrail no resource is proved by its creator; and a node group that EKS can't delete has a reason."""

from __future__ import annotations

import pytest

from sandbox.stage import Stage, installed
from tests.story.account import clients, pods_of
from tests.story.forgers import told, zone_of
from tests.story.rows import a_volume
from tests.story.steps import Json, Lab, learner, until

pytestmark = pytest.mark.story

NAME = "unproved"
ISSUE = {"code": "Ec2SecurityGroupDeletionFailure", "message": "sg-0a1b2c3d has a dependent object"}


def test_without_lookup_events_a_request_says_what_stays_and_a_receipt_names_it(stage: Stage) -> None:
    # A sandbox of this story's own: other stories need the rights that are denied here.
    with installed() as own_stage:
        tells_what_stays(own_stage)


def tells_what_stays(own_stage: Stage) -> None:
    # Given an account where LookupEvents is denied, and an EKS that fails to delete a node group
    denied = {"code": "AccessDeniedException", "message": "not authorized to perform: cloudtrail:LookupEvents"}
    unread = {"operation": "LookupEvents", "error": denied}
    failed = {"operation": "DeleteNodegroup", "cluster": NAME, "outcome": {"issue": ISSUE}}
    own_stage.sandbox.admin("POST", "faults", [unread, failed])

    # When a lab is requested in an existing network, then the answer names the resources that can't be proved there
    course = own_stage.course
    network = {"publicSubnetIds": list(course.subnet_ids)}
    lab = learner(own_stage).asks_for(NAME, network=network)
    [warned] = [each["message"] for each in lab.warnings if each["code"] == "creators-unknown"]
    assert "cloudtrail:LookupEvents" in warned
    lab.becomes("ready")

    # When it is ended, with a volume that its pods created
    zone = zone_of(clients(lab), course.subnet_ids[0])
    volume = a_volume(pods_of(lab), zone, **{f"kubernetes.io/cluster/{NAME}": "owned"})
    lab.is_let_go()

    # Then the node group's failed deletion is reported in EKS's words while it is retried
    until(lambda: details(lab), lambda seen: ISSUE["message"] in seen, "why the node group stays")

    # When EKS can delete it, then the lab ends
    own_stage.sandbox.admin("POST", "faults", [unread])
    lab.becomes("deleted")

    # And the volume stays, and is listed with the reason why its creator is unknown
    ended = told(lab, {"volume": volume})
    assert "volume" in ended.there
    assert ended.outcome("volume") == "left"
    assert "cloudtrail:LookupEvents" in ended.line("volume")["reason"]
    assert ended.line("volume")["creator"] == ""
    assert not ended.receipt["clean"]


def details(lab: Lab) -> str:
    steps: list[Json] = lab.shown()["steps"]
    return " ".join(step["detail"] for step in steps)
