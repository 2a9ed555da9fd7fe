"""Auto Scaling groups on moto: their members, by name, and nothing for missing ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.infrastructure.network import AutoScaling


@pytest.fixture
def autoscaling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("autoscaling", region_name="ap-northeast-2")
        client.create_launch_configuration(
            LaunchConfigurationName="one", ImageId="ami-12c6146b", InstanceType="t3.micro"
        )
        yield client


def test_groups_are_read_with_their_members_and_absent_ones_are_left_out(autoscaling: Any) -> None:
    for number in range(60):  # More than one call requests.
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=f"group-{number}",
            LaunchConfigurationName="one",
            MinSize=0,
            MaxSize=1,
            DesiredCapacity=1 if number == 59 else 0,
            AvailabilityZones=["ap-northeast-2a"],
        )
    found = AutoScaling(autoscaling).states([*(f"group-{number}" for number in range(60)), "absent"])
    assert sorted(each.name for each in found) == sorted(f"group-{number}" for number in range(60))
    [last] = [each for each in found if each.name == "group-59"]
    assert len(last.member_ids) == 1
    assert AutoScaling(autoscaling).states([]) == ()
