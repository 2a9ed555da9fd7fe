"""EC2 Auto Scaling groups: the port `Groups`. What made an instance is asked here, as AWS knows it: not by its tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.domain.labs.aws_states import GroupState

#: DescribeAutoScalingGroups takes at most this many names.
_NAMES_PER_CALL = 50


class AutoScaling:
    """Groups of one region."""

    def __init__(self, autoscaling: Any) -> None:
        self._autoscaling = autoscaling

    def states(self, names: Sequence[str]) -> tuple[GroupState, ...]:
        """Those that are there, with their members."""
        return tuple(_state(row) for row in self._rows(names))

    def _rows(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(names), _NAMES_PER_CALL):
            with translate("autoscaling:DescribeAutoScalingGroups"):
                pages = self._autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
                    AutoScalingGroupNames=list(names[start : start + _NAMES_PER_CALL])
                )
                yield from (row for page in pages for row in page["AutoScalingGroups"])


def _state(row: dict[str, Any]) -> GroupState:
    members = tuple(member["InstanceId"] for member in row.get("Instances", []))
    return GroupState(
        row["AutoScalingGroupName"], row["AutoScalingGroupARN"], members, created_at=row.get("CreatedTime")
    )
