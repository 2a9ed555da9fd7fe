"""Launch templates with instance types: a missing one affects only its own lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.idleness.ec2 import find_machines
from chalicelib.aws.idleness.evidence import GroupSeen, Reading
from chalicelib.domain.idleness.evidence import NodegroupUse
from tests.fakes.builders import a_lab, a_spec


class Ec2:
    """No machines, and one launch template."""

    def get_paginator(self, _name: str) -> Ec2:
        return self

    def paginate(self, **_: object) -> Iterator[dict[str, Any]]:
        yield {"Reservations": []}

    def describe_launch_template_versions(self, **asked: Any) -> dict[str, Any]:
        if asked["LaunchTemplateId"] != "lt-there":
            words = f"The specified launch template, with template ID {asked['LaunchTemplateId']}, does not exist."
            answer: Any = {"Error": {"Code": "InvalidLaunchTemplateId.NotFound", "Message": words}}
            raise ClientError(answer, "DescribeLaunchTemplateVersions")
        return {"LaunchTemplateVersions": [{"LaunchTemplateData": {"InstanceType": "g5.xlarge"}}]}


def a_reading(name: str, template: str) -> Reading:
    use = NodegroupUse(name="gpus", status="ACTIVE", nodes=1, instance_types=())
    reading = Reading(a_lab(id=f"lab-{name}", spec=a_spec(name=name)))
    reading.groups = [GroupSeen(use, (f"eks-{name}",), {"id": template})]
    return reading


def test_beside_row_3_a_template_that_is_gone_leaves_the_other_labs_of_the_region_read() -> None:
    first, gone, last = (a_reading(name, f"lt-{lt}") for name, lt in (("a", "there"), ("b", "gone"), ("c", "there")))
    find_machines(Ec2(), [first, gone, last])
    assert (first.unread, last.unread) == ([], [])
    assert first.groups[0].use.instance_types == last.groups[0].use.instance_types == ("g5.xlarge",)
    [why] = gone.unread
    assert why.startswith("EC2 instances: ")
    assert gone.groups[0].use.instance_types == ()
