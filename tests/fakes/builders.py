"""Builders of complete domain objects; keyword arguments replace the fields that a test cares about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.identity.callers import Caller, role_to_confirm
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.labs.spec import (
    AccessPolicySpec,
    AccessSpec,
    AddonSpec,
    EndpointAccess,
    EndpointSpec,
    LabSpec,
    NewNetwork,
    NodegroupSpec,
)
from chalicelib.domain.support.calendar import Calendar, VersionSupport

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ACCOUNT = "111122223333"
OWNER = f"arn:aws:iam::{ACCOUNT}:user/learner"
CLUSTER_ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

# The table in EKS-FACTS: version, release, end of standard support, end of extended support.
_VERSIONS = (
    ("1.37", "2026-10-01", "2027-12-01", "2028-12-01"),
    ("1.36", "2026-06-02", "2027-08-02", "2028-08-02"),
    ("1.35", "2026-01-27", "2027-03-27", "2028-03-27"),
    ("1.34", "2025-10-02", "2026-12-02", "2027-12-02"),
    ("1.33", "2025-05-29", "2026-07-29", "2027-07-29"),
    ("1.32", "2025-01-23", "2026-03-23", "2027-03-23"),
    ("1.31", "2024-09-26", "2025-11-26", "2026-11-26"),
    ("1.30", "2024-05-23", "2025-07-23", "2026-07-23"),
    ("1.29", "2024-01-23", "2025-03-23", "2026-03-23"),
    ("1.28", "2023-09-26", "2024-11-26", "2025-11-26"),
)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_calendar(**changes: Any) -> Calendar:
    """The support calendar as it stood on 2026-11-23."""
    versions = tuple(VersionSupport(v, _day(a), _day(b), _day(c)) for v, a, b, c in _VERSIONS)
    return replace(Calendar(versions, "bundled table", _day("2026-11-23")), **changes)


def a_caller(**changes: Any) -> Caller:
    """A learner calling from 15.230.39.7; an Identity Center ARN counts as confirmed by IAM."""
    caller = replace(Caller(OWNER, ACCOUNT, "15.230.39.7"), **changes)
    return (
        caller if "in_directory" in changes else replace(caller, in_directory=role_to_confirm(caller.arn) is not None)
    )


def a_nodegroup(**changes: Any) -> NodegroupSpec:
    """The course's node group."""
    return replace(NodegroupSpec("myeks-nodegroup"), **changes)


def a_network(**changes: Any) -> NewNetwork:
    """A VPC of the lab's own."""
    return replace(NewNetwork(zones=("ap-northeast-2a", "ap-northeast-2c")), **changes)


def a_spec(**changes: Any) -> LabSpec:
    """The course's cluster on a current version, as returned by `complete`."""
    spec = LabSpec(
        name="myeks",
        region="ap-northeast-2",
        version="1.36",
        network=a_network(),
        endpoint=EndpointSpec(EndpointAccess.PUBLIC, ("15.230.39.7/32",)),
        nodegroups=(a_nodegroup(),),
        addons=tuple(AddonSpec(name) for name in ("vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent")),
        access=(AccessSpec(OWNER, (AccessPolicySpec(CLUSTER_ADMIN),)),),
    )
    return replace(spec, **changes)


def a_lab(**changes: Any) -> Lab:
    """A new lab, requested at NOW; `phase=` also accepts text; `spec=` replaces the whole specification."""
    spec = changes.pop("spec", None) or a_spec()
    lab = Lab(
        id="lab-7f3k2m9x",
        owner=OWNER,
        account=ACCOUNT,
        spec=spec,
        phase=Phase(changes.pop("phase", Phase.REQUESTED)),
        created_at=NOW,
        phase_since=NOW,
        lease_ends_at=NOW + timedelta(hours=spec.lease_hours),
        due_at=NOW + timedelta(seconds=60),
    )
    return replace(lab, **changes)


def in_phase(lab: Lab, phase: Phase, at: datetime) -> Lab:
    """Put the lab into this phase, from any phase."""
    return replace(
        lab, phase=phase, phase_since=at, ended_at=at if phase in OVER else None, reason=None, responsible=None
    )
