"""A lab's needs of AWS's quotas, and the error without room: both numbers, and the request to file."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors.findings import Level
from chalicelib.domain.labs.aws_states import InstanceTypeFacts
from chalicelib.domain.labs.spec import (
    CapacityType,
    ExistingNetwork,
    LabSpec,
    NatMode,
    NewNetwork,
    SshSpec,
    WorkHostSpec,
)
from chalicelib.domain.requests.quotas import QuotaReport, judge_free_plan, judge_quotas, needs_of, vcpu_quota
from tests.fakes import a_nodegroup, a_spec

REGION = "ap-northeast-2"
TYPES = {
    "t3.medium": InstanceTypeFacts(("x86_64",), 2),
    "m5.xlarge": InstanceTypeFacts(("x86_64",), 4),
    "p5.48xlarge": InstanceTypeFacts(("x86_64",), 192),
    "g5.xlarge": InstanceTypeFacts(("x86_64",), 4),
}


def needs(spec: LabSpec) -> dict[str, tuple[str, int]]:
    return {need.quota.name: (need.path, need.asked) for need in needs_of(spec, TYPES)}


def a_group(kind: str, desired: int = 1, **changes: Any) -> Any:
    return a_nodegroup(instance_types=(kind,), desired=desired, max=max(desired, 1), **changes)


@pytest.mark.parametrize(
    ("kind", "spot", "name"),
    [
        ("t3.medium", False, "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"),
        ("im4gn.large", False, "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"),
        ("g5.xlarge", False, "Running On-Demand G and VT instances"),
        ("gr6.4xlarge", False, "Running On-Demand G and VT instances"),
        ("p5.48xlarge", False, "Running On-Demand P instances"),
        ("inf2.xlarge", False, "Running On-Demand Inf instances"),
        ("trn1.2xlarge", False, "Running On-Demand Trn instances"),
        ("x2idn.16xlarge", False, "Running On-Demand X instances"),
        ("m5.large", True, "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests"),
        ("g5.xlarge", True, "All G and VT Spot Instance Requests"),
        ("p5.48xlarge", True, None),
        ("hpc7g.4xlarge", False, None),
        ("made up", False, None),
    ],
)
def test_each_family_counts_against_its_own_quota(kind: str, spot: bool, name: str | None) -> None:
    quota = vcpu_quota(kind, spot)
    assert (quota.name if quota else None) == name


def test_vcpus_of_a_family_are_summed_over_groups_and_work_host_and_told_at_the_first() -> None:
    spec = a_spec(
        nodegroups=(a_group("m5.xlarge", 3), a_group("p5.48xlarge", 2), a_group("t3.medium", 2)),
        work_host=WorkHostSpec("t3.medium"),
    )
    found = needs(spec)
    standard = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
    assert found[standard] == ("nodegroups[0].instanceTypes[0]", 3 * 4 + 2 * 2 + 2)
    assert found["Running On-Demand P instances"] == ("nodegroups[1].instanceTypes[0]", 384)


def test_spot_and_on_demand_are_counted_apart() -> None:
    spec = a_spec(nodegroups=(a_group("m5.xlarge", 3, capacity_type=CapacityType.SPOT), a_group("t3.medium")))
    found = needs(spec)
    assert found["All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests"][1] == 12
    assert found["Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"][1] == 2


def test_a_network_of_its_own_needs_a_vpc_and_nat_an_elastic_ip_and_a_guest_neither() -> None:
    own, nat = needs(a_spec(network=NewNetwork())), needs(a_spec(network=NewNetwork(nat=NatMode.SINGLE)))
    guest = needs(a_spec(network=ExistingNetwork(None, ("subnet-a", "subnet-b"))))
    vpcs, addresses = "VPCs per Region", "EC2-VPC Elastic IPs"
    assert (own[vpcs], addresses in own) == (("network", 1), False)
    assert (nat[vpcs], nat[addresses]) == (("network", 1), ("network.nat", 1))
    assert not {vpcs, addresses} & guest.keys()
    assert guest["Clusters"] == ("region", 1)


def test_quotas_of_one_thing_matter_above_awss_default_only() -> None:
    cidrs = tuple(f"10.0.{n}.0/24" for n in range(61))
    many = needs(a_spec(ssh=SshSpec("k", None, cidrs), nodegroups=tuple(a_group("t3.medium", 0) for _ in range(31))))
    assert many["Inbound or outbound rules per security group"] == ("ssh.cidrs", 61)
    assert many["Managed node groups per cluster"] == ("nodegroups", 31)
    few = needs(a_spec(ssh=SshSpec("k", None, cidrs[:60])))
    assert "Inbound or outbound rules per security group" not in few


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 8))
def test_what_fits_is_never_refused_and_what_does_not_always_is(limit: int, used: int, nodes: int) -> None:
    spec = a_spec(nodegroups=(a_group("m5.xlarge", nodes),))
    code = "L-1216C47A"
    found = list(judge_quotas(needs_of(spec, TYPES), QuotaReport({code: limit}, {code: used}), REGION))
    assert bool(found) == (nodes > 0 and used + 4 * nodes > limit)


def test_a_refusal_names_both_numbers_and_the_request_to_file() -> None:
    spec = a_spec(nodegroups=(a_group("m5.xlarge", 3),))
    [finding] = judge_quotas(needs_of(spec, TYPES), QuotaReport({"L-1216C47A": 5.0}, {"L-1216C47A": 4}), REGION)
    assert (finding.path, finding.code, finding.severity) == (
        "nodegroups[0].instanceTypes[0]", "quota-exceeded", Level.ERROR,
    )  # fmt: skip
    assert finding.message == (
        "It needs 12 vCPUs of AWS's quota 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances', and 4 of 5 are in "
        "use in ap-northeast-2. Ask AWS for more: aws service-quotas request-service-quota-increase --region ap-northeast-2 "
        "--service-code ec2 --quota-code L-1216C47A --desired-value 16"
    )


def test_what_could_not_be_read_is_a_warning_and_refuses_nothing() -> None:
    report = QuotaReport({"L-1216C47A": 1.0}, {}, ("ec2:DescribeInstances: AccessDenied",))
    [finding] = judge_quotas(needs_of(a_spec(), TYPES), report, REGION)
    assert (finding.code, finding.severity) == ("quotas-unread", Level.WARNING)
    assert "ec2:DescribeInstances: AccessDenied" in finding.message


def test_the_free_plan_runs_its_own_types_only() -> None:
    spec = a_spec(nodegroups=(a_group("t3.medium"), a_group("t3.small")))
    [finding] = judge_free_plan(spec, frozenset({"t3.small", "t3.micro"}))
    assert (finding.path, finding.code) == ("nodegroups[0].instanceTypes[0]", "not-in-free-plan")
    assert "It runs t3.micro, t3.small." in finding.message
    assert not list(judge_free_plan(spec, None))
