"""Service Quotas and their use, one region: the port `Quotas`.

All is asked at once, in threads: a request waits for the slowest answer, not for their sum. What AWS does not answer is named in
the report and never raised. A limit is kept for a minute: a class that asks at once asks Service Quotas, which is slow to be
asked often, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone, Transient
from chalicelib.domain.requests.quotas import CLUSTERS, ELASTIC_IPS, VPCS, Quota, QuotaReport, vcpu_quota

KEPT_FOR = timedelta(minutes=1)
#: Where the plan of an account is asked for, whatever its regions.
FREE_TIER_REGION = "us-east-1"
_AT_ONCE = 8


@dataclass(frozen=True)
class QuotaClients:
    """`free_tier`: of FREE_TIER_REGION."""

    quotas: Any
    ec2: Any
    eks: Any
    free_tier: Any


class AwsQuotas:
    """`now` as Clock.now."""

    def __init__(self, clients: QuotaClients, now: Callable[[], datetime]) -> None:
        self._clients, self._now = clients, now
        self._kept: dict[str, tuple[float, datetime]] = {}

    def read(self, wanted: Sequence[Quota]) -> QuotaReport:
        """Limits and use of these, and whether the account is on the free plan. Never raises."""
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
        """What the account has; AWS's default where it tells no value of the account's own."""
        kept = self._kept.get(quota.code)
        if kept is not None and self._now() < kept[1]:
            return kept[0]
        try:
            with translate("servicequotas:GetServiceQuota"):
                told = self._clients.quotas.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)
        except ResourceGone:
            return quota.usual
        limit = float(told["Quota"]["Value"])
        self._kept[quota.code] = limit, self._now() + KEPT_FOR
        return limit

    def _counts(self, wanted: Sequence[Quota]) -> Iterator[Callable[[], Mapping[str, int]]]:
        codes, vcpus = {quota.code for quota in wanted}, [quota.code for quota in wanted if quota.usual is None]
        counts = ((VPCS, self._vpcs), (ELASTIC_IPS, self._addresses), (CLUSTERS, self._clusters))
        yield from (partial(self._counted, quota, count) for quota, count in counts if quota.code in codes)
        if vcpus:
            yield partial(self._vcpus, vcpus)

    def _counted(self, quota: Quota, count: Callable[[], int]) -> Mapping[str, int]:
        return {quota.code: count()}

    def _vpcs(self) -> int:
        return self._length("ec2:DescribeVpcs", self._clients.ec2, "describe_vpcs", "Vpcs")

    def _clusters(self) -> int:
        return self._length("eks:ListClusters", self._clients.eks, "list_clusters", "clusters")

    def _length(self, operation: str, client: Any, name: str, key: str) -> int:
        with translate(operation):
            return sum(len(page[key]) for page in client.get_paginator(name).paginate())

    def _addresses(self) -> int:
        with translate("ec2:DescribeAddresses"):
            return len(self._clients.ec2.describe_addresses()["Addresses"])

    def _vcpus(self, codes: Sequence[str]) -> Mapping[str, int]:
        """Of instances that start or run, whosever they are."""
        filters, found = (
            [{"Name": "instance-state-name", "Values": ["pending", "running"]}],
            Counter(dict.fromkeys(codes, 0)),
        )
        with translate("ec2:DescribeInstances"):
            for page in self._clients.ec2.get_paginator("describe_instances").paginate(Filters=filters):
                for host in (host for rows in page["Reservations"] for host in rows["Instances"]):
                    quota = vcpu_quota(host["InstanceType"], host.get("InstanceLifecycle") == "spot")
                    cpus = host.get("CpuOptions", {})
                    if quota is not None:
                        found[quota.code] += cpus.get("CoreCount", 1) * cpus.get("ThreadsPerCore", 1)
        return found

    def _eligible(self) -> frozenset[str] | None:
        """What an account on the free plan may run; None for one that is on none."""
        try:
            with translate("freetier:GetAccountPlanState"):
                plan = self._clients.free_tier.get_account_plan_state()
        except ResourceGone:
            return None
        if plan.get("accountPlanType") != "FREE":
            return None
        filters = [{"Name": "free-tier-eligible", "Values": ["true"]}]
        with translate("ec2:DescribeInstanceTypes"):
            pages = self._clients.ec2.get_paginator("describe_instance_types").paginate(Filters=filters)
            return frozenset(row["InstanceType"] for page in pages for row in page["InstanceTypes"])
