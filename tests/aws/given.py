"""A lab as the course asks for it, with what a test wants to be different."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.lab import Lab, Phase
from chalicelib.domain.spec import EndpointAccess, EndpointSpec, LabSpec, NewNetwork, NodegroupSpec

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OWNER = "arn:aws:iam::111122223333:user/learner"


def a_spec(**differences: Any) -> LabSpec:
    spec = LabSpec(
        name="myeks",
        region="ap-northeast-2",
        version="1.36",
        network=NewNetwork(),
        endpoint=EndpointSpec(EndpointAccess.PUBLIC, ("203.0.113.7/32",)),
        nodegroups=(NodegroupSpec("myeks-nodegroup"),),
    )
    return replace(spec, **differences)


def a_lab(**differences: Any) -> Lab:
    return Lab(
        id="lab-0123456789abcdef",
        owner=OWNER,
        account="111122223333",
        spec=a_spec(**differences),
        phase=Phase.PROVISIONING,
        created_at=NOW,
        phase_since=NOW,
        lease_ends_at=NOW + timedelta(hours=8),
    )
