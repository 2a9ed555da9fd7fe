"""EC2 Auto Scaling groups: the port `Groups`. AWS's own answer gives an instance's group here, not its tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.aws.clients.calls import every
from chalicelib.domain.labs.aws_states import GroupState

#: DescribeAutoScalingGroups takes at most this many names.
_NAMES_PER_CALL = 50


class AutoScaling:
    """Groups of one region."""

    def __init__(self, autoscaling: Any) -> None:
        self._autoscaling = autoscaling

    def states(self, names: Sequence[str]) -> tuple[GroupState, ...]:
        found: list[GroupState] = []
        for start in range(0, len(names), _NAMES_PER_CALL):
            some = list(names[start : start + _NAMES_PER_CALL])
            action, key = "autoscaling:DescribeAutoScalingGroups", "AutoScalingGroups"
            found += map(_state, every(self._autoscaling, action, key, AutoScalingGroupNames=some))
        return tuple(found)


def _state(row: dict[str, Any]) -> GroupState:
    members = tuple(member["InstanceId"] for member in row.get("Instances", []))
    return GroupState(
        row["AutoScalingGroupName"], row["AutoScalingGroupARN"], members, created_at=row.get("CreatedTime")
    )
