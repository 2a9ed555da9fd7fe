"""Service Quotas, their use, and the account's plan, against the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.infrastructure.quotas import KEPT_FOR, AwsQuotas
from chalicelib.domain.requests.quotas import CLUSTERS, ELASTIC_IPS, VPCS, Quota, vcpu_quota
from emulator.process import Sandbox
from tests.fakes.clock import FakeClock

STANDARD = vcpu_quota("t3.medium", spot=False)
assert STANDARD is not None
ALL = (STANDARD, VPCS, ELASTIC_IPS, CLUSTERS)


def quotas_of(sandbox: Sandbox, clock: FakeClock | None = None, **credentials: Any) -> AwsQuotas:
    names = {"quotas": "service-quotas", "ec2": "ec2", "eks": "eks", "free_tier": "freetier"}
    clients = {field: sandbox.client(name, **credentials) for field, name in names.items()}
    return AwsQuotas(**clients, now=(clock or FakeClock()).now)


def test_limits_and_use_are_told_by_code(sandbox: Sandbox) -> None:
    # In a region that no other test uses: other tests' resources may disappear between two reads.
    there = "sa-east-1"
    ec2 = sandbox.client("ec2", region=there)
    before = quotas_of(sandbox, region=there).read(ALL)
    ec2.create_vpc(CidrBlock="10.77.0.0/16")
    ec2.allocate_address(Domain="vpc")
    [started] = ec2.run_instances(ImageId="ami-12345678", InstanceType="m5.xlarge", MinCount=1, MaxCount=1)["Instances"]
    after = quotas_of(sandbox, region=there).read(ALL)
    assert after.limits.keys() == {quota.code for quota in ALL}
    grown = {code: after.used[code] - before.used[code] for code in after.used}
    assert grown == {STANDARD.code: 4, VPCS.code: 1, ELASTIC_IPS.code: 1, CLUSTERS.code: 0}
    ec2.terminate_instances(InstanceIds=[started["InstanceId"]])
    assert quotas_of(sandbox, region=there).read(ALL).used[STANDARD.code] == before.used[STANDARD.code]
    assert (after.unread, after.eligible) == ((), None)


def test_a_limit_is_kept_for_a_minute_and_use_never(sandbox: Sandbox) -> None:
    clock = FakeClock()
    quotas = quotas_of(sandbox, clock)
    assert quotas.read([CLUSTERS]).limits == {CLUSTERS.code: 100}
    sandbox.admin("POST", "quotas", {"eks/L-1194D53C": 7})
    try:
        assert quotas.read([CLUSTERS]).limits == {CLUSTERS.code: 100}
        clock.advance(seconds=KEPT_FOR.total_seconds())
        assert quotas.read([CLUSTERS]).limits == {CLUSTERS.code: 7}
    finally:
        sandbox.admin("POST", "quotas", {"eks/L-1194D53C": 100})


def test_a_quota_without_a_value_of_the_account_is_awss_default(sandbox: Sandbox) -> None:
    assert quotas_of(sandbox).read([Quota("eks", "L-00000000", "Made up", 12)]).limits == {"L-00000000": 12}


def test_an_account_on_the_free_plan_says_what_it_runs(sandbox: Sandbox) -> None:
    sandbox.admin("POST", "account-plan", {sandbox.account: "FREE"})
    try:
        eligible = quotas_of(sandbox).read([]).eligible
    finally:
        sandbox.admin("POST", "account-plan", {sandbox.account: "PAID"})
    assert eligible is not None
    assert "t3.micro" in eligible
    assert "t3.medium" not in eligible


@pytest.mark.parametrize("failing", ["quotas", "eks", "free_tier"])
def test_what_is_not_answered_is_named_and_hides_nothing_else(sandbox: Sandbox, failing: str) -> None:
    names = {"quotas": "service-quotas", "ec2": "ec2", "eks": "eks", "free_tier": "freetier"}
    clients: dict[str, Any] = {field: sandbox.client(name) for field, name in names.items()}
    report = AwsQuotas(**{**clients, failing: Silent()}, now=FakeClock().now).read([CLUSTERS])
    assert len(report.unread) == 1
    known = {"quotas": bool(report.limits), "eks": bool(report.used)}
    assert all(known[name] for name in known if name != failing)


class Silent:
    """A client whose every call is denied."""

    def __getattr__(self, name: str) -> Any:
        def denied(*_args: Any, **_named: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, name)

        return denied
