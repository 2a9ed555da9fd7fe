"""Service Quotas and their use, one region: the port `Quotas`.

All reads run at once, in threads: a request waits for the slowest answer, not for their sum. The report names unread quotas
instead of raising. A limit is cached for a minute: many simultaneous requests call Service Quotas, which has low rate
limits, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.aws.clients.calls import call, every, instances_of
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone, Transient
from chalicelib.domain.requests.quotas import CLUSTERS, ELASTIC_IPS, VPCS, Quota, QuotaReport, vcpu_quota

KEPT_FOR = timedelta(minutes=1)
#: The region that answers about an account's plan.
FREE_TIER_REGION = "us-east-1"
_AT_ONCE = 8


class AwsQuotas:
    """`free_tier`: a client of FREE_TIER_REGION. `now` as Clock.now."""

    def __init__(self, quotas: Any, ec2: Any, eks: Any, free_tier: Any, now: Callable[[], datetime]) -> None:
        self._quotas, self._ec2, self._eks, self._free_tier, self._now = quotas, ec2, eks, free_tier, now
        self._kept: dict[str, tuple[float, datetime]] = {}

    def read(self, wanted: Sequence[Quota]) -> QuotaReport:
        unread: list[str] = []

        def ask(reading: Callable[[], Any]) -> Any:
            try:
                return reading()
            except (AwsRefused, Transient) as problem:
                unread.append(str(problem))
                return None

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            eligible = threads.submit(ask, self._eligible)
            limits = {quota.code: threads.submit(ask, partial(self._limit, quota)) for quota in wanted}
            uses = [threads.submit(ask, count) for count in self._counts(wanted)]
        told = {code: limit.result() for code, limit in limits.items()}
        used = {code: number for use in uses for code, number in (use.result() or {}).items()}
        known = {code: limit for code, limit in told.items() if limit is not None}
        return QuotaReport(known, used, tuple(sorted(set(unread))), eligible.result())

    def _limit(self, quota: Quota) -> float | None:
        """The account's limit; AWS's default if there is no value of the account's own."""
        kept = self._kept.get(quota.code)
        if kept is not None and self._now() < kept[1]:
            return kept[0]
        try:
            asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
            told = call(self._quotas, "servicequotas:GetServiceQuota", **asked)
        except ResourceGone:
            return quota.usual
        limit = float(told["Quota"]["Value"])
        self._kept[quota.code] = limit, self._now() + KEPT_FOR
        return limit

    def _counts(self, wanted: Sequence[Quota]) -> Iterator[Callable[[], Mapping[str, int]]]:
        codes, vcpus = {quota.code for quota in wanted}, [quota.code for quota in wanted if quota.usual is None]
        ec2, eks = self._ec2, self._eks
        if VPCS.code in codes:
            yield lambda: {VPCS.code: len(every(ec2, "ec2:DescribeVpcs", "Vpcs"))}
        if ELASTIC_IPS.code in codes:
            yield lambda: {ELASTIC_IPS.code: len(call(ec2, "ec2:DescribeAddresses")["Addresses"])}
        if CLUSTERS.code in codes:
            yield lambda: {CLUSTERS.code: len(every(eks, "eks:ListClusters", "clusters"))}
        if vcpus:
            yield partial(self._vcpus, vcpus)

    def _vcpus(self, codes: Sequence[str]) -> Mapping[str, int]:
        """The vCPUs of all pending and running instances, of any owner."""
        filters = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        found = Counter(dict.fromkeys(codes, 0))
        for host in instances_of(self._ec2, filters):
            quota = vcpu_quota(host["InstanceType"], host.get("InstanceLifecycle") == "spot")
            cpus = host.get("CpuOptions", {})
            if quota is not None:
                found[quota.code] += cpus.get("CoreCount", 1) * cpus.get("ThreadsPerCore", 1)
        return found

    def _eligible(self) -> frozenset[str] | None:
        """The instance types of an account on the free plan; None for an account without it."""
        try:
            plan = call(self._free_tier, "freetier:GetAccountPlanState")
        except ResourceGone:
            return None
        if plan.get("accountPlanType") != "FREE":
            return None
        filters = [{"Name": "free-tier-eligible", "Values": ["true"]}]
        rows = every(self._ec2, "ec2:DescribeInstanceTypes", "InstanceTypes", Filters=filters)
        return frozenset(row["InstanceType"] for row in rows)
