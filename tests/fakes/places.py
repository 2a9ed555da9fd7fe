"""EC2's network, Route 53, IAM and the Kubernetes API in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.labs.aws_states import (
    EndpointProbe,
    GroupState,
    HostedZone,
    InstanceTypeFacts,
    KubernetesNodes,
    KubernetesSweep,
    RoleState,
    SubnetFacts,
    WorkHostState,
)
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.requests.quotas import Quota, QuotaReport
from chalicelib.domain.teardown.creation import Lookup
from tests.fakes.account import Account, port
from tests.fakes.trail import created, session


@dataclass
class FakeQuotas:
    """`report`: the account's quotas; by default without any figures, and with room for all."""

    account: Account
    report: QuotaReport = field(default_factory=QuotaReport)
    port_name: str = "quotas"

    @port
    def read(self, wanted: Sequence[Quota]) -> QuotaReport:
        return self.report


@dataclass
class FakeNetwork:
    """`given_subnets` are those of existing networks; a stack's own come from the account. `without`: zone -> unavailable
    instance types.
    """

    account: Account
    zone_names: tuple[str, ...] = ("ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c", "ap-northeast-2d")
    given_subnets: dict[str, SubnetFacts] = field(default_factory=dict)
    rules: list[tuple[str, str, str, int | None, str]] = field(default_factory=list)
    looks: int = 0
    without: dict[str, set[str]] = field(default_factory=dict)
    dns_off: dict[str, str] = field(default_factory=dict)
    processors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    region_states: dict[str, str] = field(default_factory=dict)
    port_name: str = "network"

    @port
    def zones(self, instance_types: Sequence[str]) -> tuple[str, ...]:
        wanting = {zone for zone, missing in self.without.items() if missing & set(instance_types)}
        return tuple(sorted(self.zone_names, key=lambda zone: zone in wanting))

    @port
    def offers(self, instance_types: Sequence[str]) -> frozenset[tuple[str, str]]:
        both = ((zone, kind) for zone in self.zone_names for kind in instance_types)
        return frozenset((zone, kind) for zone, kind in both if kind not in self.without.get(zone, ()))

    @port
    def instance_types(self, names: Sequence[str]) -> Mapping[str, InstanceTypeFacts]:
        known = {kind: InstanceTypeFacts(processors, 2) for kind, processors in self.processors.items()}
        return {kind: known[kind] for kind in names if kind in known}

    @port
    def regions(self) -> Mapping[str, str]:
        return self.region_states

    @port
    def subnets(self, ids: Sequence[str]) -> tuple[SubnetFacts, ...]:
        known = {**self._own_subnets(), **self.given_subnets}
        return tuple(known[id] for id in ids if id in known)

    def _own_subnets(self) -> dict[str, SubnetFacts]:
        return {
            s.id: SubnetFacts(
                s.id,
                s.attributes.get("vpc-id", ""),
                s.attributes.get("zone", self.zone_names[0]),
                s.attributes.get("cidr", "192.168.0.0/24"),
                250,
                "public" in s.attributes,
                "public" in s.attributes,
                s.arn,
            )
            for s in self.account.of(Kind.SUBNET)
        }

    @port
    def without_dns(self, vpc_ids: Sequence[str]) -> Mapping[str, str]:
        return {id: self.dns_off[id] for id in vpc_ids if id in self.dns_off}

    @port
    def key_pair_exists(self, name: str) -> bool:
        return any(pair.attributes.get("key-name") == name for pair in self.account.of(Kind.KEY_PAIR))

    @port
    def import_key_pair(self, name: str, public_key: str, tags: Mapping[str, str]) -> str:
        for pair in self.account.of(Kind.KEY_PAIR):
            if pair.attributes.get("key-name") == name:
                return pair.id
        return self.account.add(Kind.KEY_PAIR, tags=tags, key_name=name).id

    @port
    def allow_ingress(self, group_id: str, source: str, protocol: str, port: int | None, description: str) -> None:
        self.account.get(Kind.SECURITY_GROUP, group_id)
        if not any(rule[:4] == (group_id, source, protocol, port) for rule in self.rules):
            self.rules.append((group_id, source, protocol, port, description))

    @port
    def run_work_host(self, lab: Lab, subnet_id: str, security_group_id: str, profile: str, user_data: str) -> str:
        for known in self.account.of(Kind.INSTANCE):
            if known.attributes.get("token") == lab.token("work-host"):
                return known.id
        facts = {"subnet_id": subnet_id, "groups": security_group_id, "status": "running", "profile": profile}
        vpc_id = self.account.get(Kind.SUBNET, subnet_id).attributes.get("vpc-id", "")
        return self.account.add(Kind.INSTANCE, tags=lab.tags, token=lab.token("work-host"), vpc_id=vpc_id, **facts).id

    @port
    def work_host(self, instance_id: str) -> WorkHostState:
        host = self.account.get(Kind.INSTANCE, instance_id)
        return WorkHostState(host.id, host.attributes.get("status", "running"))

    @port
    def running_nodes(self, cluster: str) -> Mapping[str, int]:
        tagged = self.account.with_tag("eks:cluster-name", cluster)
        running = [r for r in tagged if r.kind is Kind.INSTANCE and r.attributes.get("status") == "running"]
        return Counter(r.tags["eks:nodegroup-name"] for r in running)

    @port
    def instances(self, cluster: str) -> Mapping[str, int]:
        tags = (("eks:cluster-name", cluster), (f"kubernetes.io/cluster/{cluster}", "owned"))
        tagged = [resource for tag in tags for resource in self.account.with_tag(*tag)]
        running = {r.id: r for r in tagged if r.kind is Kind.INSTANCE and r.attributes.get("status") == "running"}
        return Counter(r.tags.get("eks:nodegroup-name", "") for r in running.values())

    @port
    def security_groups(self, ids: Sequence[str]) -> tuple[Mapping[str, object], ...]:
        there = {group.id: group for group in self.account.of(Kind.SECURITY_GROUP)}
        return tuple(self._shown(there[id].id, there[id].attributes) for id in ids if id in there)

    def _shown(self, id: str, attributes: Mapping[str, str]) -> Mapping[str, object]:
        ingress = [
            {"protocol": protocol, "ports": str(port or "all"), "source": source, "description": description}
            for group, source, protocol, port, description in self.rules
            if group == id
        ]
        return {"id": id, "name": attributes.get("group-name", id), "description": "", "ingress": ingress, "egress": []}


@dataclass
class FakeDns:
    """`zones` by id."""

    account: Account
    zones: dict[str, HostedZone] = field(default_factory=dict)
    port_name: str = "dns"

    @port
    def zone(self, name_or_id: str) -> HostedZone | None:
        if name_or_id in self.zones:
            return self.zones[name_or_id]
        named = [zone for zone in self.zones.values() if zone.name == name_or_id.rstrip(".")]
        return min(named, key=lambda zone: zone.private, default=None)


@dataclass
class FakeRoles:
    """`given` are roles beside the stacks' own: name → ARN. Principals exist unless they are `missing`."""

    account: Account
    given: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    port_name: str = "roles"

    @port
    def role_arn(self, role_name: str) -> str | None:
        own = {role.id: role.arn for role in self.account.of(Kind.ROLE)}
        return {**own, **self.given}.get(role_name)

    @port
    def principal_arn(self, arn: str) -> str | None:
        return None if arn in self.missing else self.given.get(arn.rpartition("/")[2], arn)

    @port
    def states(self, role_names: Sequence[str]) -> tuple[RoleState, ...]:
        profiles = self.account.of(Kind.INSTANCE_PROFILE)
        found = {role.id: role.attributes.get("role-id", "") for role in self.account.of(Kind.ROLE)}
        return tuple(
            RoleState(
                name, found[name], tuple(f"AIPA{p.id}" for p in profiles if p.attributes.get("role-id") == found[name])
            )
            for name in role_names
            if name in found
        )

    @port
    def policies(self, role_name: str) -> tuple[tuple[str, str], ...]:
        for role in self.account.of(Kind.ROLE):
            if role.id == role_name:
                managed = [arn for arn in role.attributes.get("policies", "").split(",") if arn]
                inline = [name for name in role.attributes.get("inline", "").split(",") if name]
                return tuple((arn.rpartition("/")[2], arn) for arn in managed) + tuple((n, "inline") for n in inline)
        raise ResourceGone("ListAttachedRolePolicies", "NoSuchEntity", f"There is no role {role_name}.")


@dataclass
class FakeGroups:
    """Auto Scaling groups; an instance names its group in its attribute `asg`."""

    account: Account
    port_name: str = "groups"

    @port
    def states(self, names: Sequence[str]) -> tuple[GroupState, ...]:
        instances = self.account.of(Kind.INSTANCE)
        return tuple(
            GroupState(
                group.id,
                group.arn,
                tuple(one.id for one in instances if one.attributes.get("asg") == group.id),
                created_at=group.created_at,
            )
            for group in self.account.of(Kind.AUTO_SCALING_GROUP)
            if group.id in names
        )


@dataclass
class FakeHistory:
    """CloudTrail's event history: `told` has all events; each query returns the matching ones."""

    account: Account
    told: list[Mapping[str, Any]] = field(default_factory=list)
    port_name: str = "history"

    def made(self, thing: Resource, role: Resource, **changes: Any) -> Resource:
        """Record a creation by a session of a role, at the resource's creation time."""
        at = thing.created_at or self.account.clock.now()
        identity = session(role.attributes.get("role-id", ""), f"role/{role.id}")
        self.told.append(created(thing, at, identity, **changes))
        return thing

    @port
    def events(self, lookup: Lookup) -> tuple[Mapping[str, Any], ...] | None:
        return tuple(
            event
            for event in self.told
            if lookup.since <= datetime.fromisoformat(event["eventTime"]) <= lookup.until
            and (event["eventName"] == lookup.value or lookup.value in str(event))
        )


@dataclass
class FakeKubernetes:
    """The API server. Unreachable unless `answers`; `sweeps` are the results of the next sweeps, the last repeats.

    `on_sweep` runs at a reachable sweep: it stands for the controllers' deletions. `ready`: the number of Ready nodes by node
    group, if the server answers; None: all running ones.
    """

    account: Account
    answers: bool = False
    resolves: bool = True
    sweeps: list[KubernetesSweep] = field(default_factory=list)
    on_sweep: Callable[[], None] | None = None
    ready: dict[str, int] | None = None
    port_name: str = "kubernetes"

    @port
    def probe(self, endpoint: str, certificate_authority: str | None) -> EndpointProbe:
        host = endpoint.removeprefix("https://")
        if not self.resolves:
            return EndpointProbe(host, (), False, problem="the name does not resolve")
        if not self.answers:
            return EndpointProbe(host, ("203.0.113.10",), False, problem="connection timed out: not on the allow-list")
        return EndpointProbe(host, ("203.0.113.10",), True, version="v1.36.2-eks-0000000")

    @port
    def sweep(self, lab: Lab) -> KubernetesSweep:
        if not self.answers:
            return KubernetesSweep(False, "connection timed out: not on the allow-list")
        if self.on_sweep:
            self.on_sweep()
        if not self.sweeps:
            return KubernetesSweep(True)
        return self.sweeps.pop(0) if len(self.sweeps) > 1 else self.sweeps[0]

    @port
    def nodes(self, lab: Lab) -> KubernetesNodes:
        if not self.answers:
            return KubernetesNodes(False, "connection timed out: not on the allow-list")
        running = [r for r in self.account.of(Kind.INSTANCE) if r.tags.get("eks:cluster-name") == lab.name]
        names = Counter(r.tags["eks:nodegroup-name"] for r in running)
        return KubernetesNodes(True, ready=names if self.ready is None else self.ready)

    @port
    def view_role(self) -> str:
        return f"arn:aws:iam::{self.account.id}:role/ekslab-LabViewRole"
