"""Fills in omitted fields: from a Draft to a complete LabSpec, which `validation/` judges.

The surprising default: the endpoint is `public-and-private`. With a public endpoint alone, nodes reach the API server from
outside, and an allow-list that names only the caller would keep them out.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from ipaddress import IPv4Address, ip_address

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.instance_types import ami_type
from chalicelib.domain.core.names import partition_of, principal_of, same_principal
from chalicelib.domain.identity.accounts import LabAccounts
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.spec import (
    AccessPolicySpec,
    AccessSpec,
    AddonSpec,
    CapacityType,
    EndpointAccess,
    EndpointSpec,
    ExistingNetwork,
    ExternalDnsSpec,
    LabSpec,
    Limits,
    NatMode,
    NewNetwork,
    NodegroupSpec,
    Placement,
    SshSpec,
    SupportPolicy,
    VolumePolicy,
)
from chalicelib.domain.requests.draft import Draft, NodegroupDraft
from chalicelib.domain.requests.schedule_input import USUAL_RULES, ScheduleRules, read_schedule
from chalicelib.domain.stack.addon_roles import ADDON_ROLES, POD_IDENTITY_AGENT
from chalicelib.domain.support.calendar import Calendar

#: Words that ask for the default version.
ANY_VERSION = frozenset({"auto", "default", "latest"})
#: Add-ons that every lab has unless its eksctl file disables them.
DEFAULT_ADDONS = ("vpc-cni", "kube-proxy", "coredns", "metrics-server", "eks-pod-identity-agent")
WORLD = "0.0.0.0/0"


@dataclass(frozen=True)
class ValidationContext:
    """A draft, and the facts that complete and judge it. `accounts` None: labs are in the caller's own account."""

    draft: Draft
    calendar: Calendar
    caller: Caller
    limits: Limits
    now: datetime
    evenings: ScheduleRules = USUAL_RULES
    accounts: LabAccounts | None = None

    @property
    def account(self) -> str:
        """The account for the lab."""
        home = self.accounts.home if self.accounts else self.caller.account
        return home if self.draft.account is None else self.draft.account

    @cached_property
    def spec(self) -> LabSpec:
        """The draft with every default filled in; rules read the draft only to know what the caller wrote."""
        return _fill(self)


def _fill(context: ValidationContext) -> LabSpec:
    """Complete the draft. A field without a default stays empty: a rule refuses it."""
    draft, caller = context.draft, context.caller
    region = draft.region or usual_region(draft, context.limits, context.accounts)
    groups = _nodegroups(draft)
    return LabSpec(
        name=draft.name or "",
        region=region,
        version=_version(draft, context.calendar, context.now),
        network=_network(draft, groups),
        endpoint=_endpoint(draft, caller),
        nodegroups=groups,
        ssh=_ssh(draft, caller),
        external_dns=_external_dns(draft),
        work_host=draft.work_host,
        addons=_addons(draft),
        access=_access(draft, region, caller),
        access_role=_by_access_role(draft, caller),
        pod_identities=draft.pod_identities,
        log_types=tuple(dict.fromkeys(draft.log_types)),
        tags=dict(draft.tags),
        lease_hours=context.limits.default_lease_hours if draft.lease_hours is None else draft.lease_hours,
        volumes=draft.volumes or VolumePolicy.DELETE,
        support_policy=draft.support_policy or SupportPolicy.STANDARD,
        schedule=read_schedule(draft.schedule, context.evenings, "schedule")[0],
    )


def usual_region(draft: Draft, limits: Limits, accounts: LabAccounts | None) -> str:
    """The region of a lab that names none: the installation's, or the first one of its account."""
    if accounts is None or draft.account is None:
        return limits.default_region
    return accounts.usual_region(draft.account, limits.default_region)


def address_of(caller: Caller) -> str | None:
    """The caller's address as a CIDR of one address; None if it is unknown or not IPv4 (labs are IPv4 only)."""
    try:
        address = ip_address(caller.source_ip or "")
    except ValueError:
        return None
    return f"{address}/32" if isinstance(address, IPv4Address) else None


def admin_policy(region: str) -> str:
    """The ARN of EKS's access policy for cluster administrators."""
    return f"arn:{partition_of(region)}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def _version(draft: Draft, calendar: Calendar, now: datetime) -> str:
    if draft.version and draft.version.lower() not in ANY_VERSION:
        return draft.version
    usual = calendar.default(now)
    return usual.version if usual else ""


def _network(draft: Draft, groups: tuple[NodegroupSpec, ...]) -> NewNetwork | ExistingNetwork:
    asked = draft.network
    if asked.exists:
        return ExistingNetwork(asked.vpc_id, asked.public_subnet_ids, asked.private_subnet_ids)
    needs_nat = any(group.placement is Placement.PRIVATE for group in groups)
    nat = asked.nat or (NatMode.SINGLE if needs_nat else NatMode.NONE)
    return NewNetwork(asked.cidr or NewNetwork().cidr, asked.zones, nat)


def _endpoint(draft: Draft, caller: Caller) -> EndpointSpec:
    access = draft.endpoint_access or EndpointAccess.PUBLIC_AND_PRIVATE
    if access is EndpointAccess.PRIVATE:
        return EndpointSpec(access, ())
    mine = address_of(caller)
    cidrs = draft.allowed_cidrs if draft.allowed_cidrs is not None else ((mine,) if mine else ())
    return EndpointSpec(reachable_by_nodes(access, cidrs), cidrs)


def reachable_by_nodes(access: EndpointAccess, cidrs: tuple[str, ...]) -> EndpointAccess:
    """The access that lets nodes in: a public endpoint that is not open to the world needs the private one, too."""
    narrowed = access is EndpointAccess.PUBLIC and WORLD not in cidrs
    return EndpointAccess.PUBLIC_AND_PRIVATE if narrowed else access


def _nodegroups(draft: Draft) -> tuple[NodegroupSpec, ...]:
    asked = (NodegroupDraft(),) if draft.nodegroups is None else draft.nodegroups
    only_private = bool(draft.network.private_subnet_ids) and not draft.network.public_subnet_ids
    placement = Placement.PRIVATE if only_private else Placement.PUBLIC
    default_name = f"{(draft.name or 'lab')[:53]}-nodegroup"
    return tuple(_nodegroup(group, default_name, placement) for group in asked)


def _nodegroup(asked: NodegroupDraft, default_name: str, placement: Placement) -> NodegroupSpec:
    usual = NodegroupSpec(default_name)
    desired = asked.desired
    if desired is None:
        desired = usual.desired if asked.max is None else min(usual.desired, asked.max)
        desired = desired if asked.min is None else max(desired, asked.min)
    types = asked.instance_types or usual.instance_types
    return NodegroupSpec(
        name=default_name if asked.name is None else asked.name,
        instance_types=types,
        desired=desired,
        min=max(0, min(usual.min, desired)) if asked.min is None else asked.min,
        max=max(usual.max, desired) if asked.max is None else asked.max,
        volume_gib=usual.volume_gib if asked.volume_gib is None else asked.volume_gib,
        capacity_type=asked.capacity_type or CapacityType.ON_DEMAND,
        placement=asked.placement or placement,
        ami_type=ami_type(types[0]),
        labels=dict(asked.labels),
        taints=asked.taints,
        tags=dict(asked.tags),
        disable_pod_imds=asked.disable_pod_imds is not False,
    )


def _ssh(draft: Draft, caller: Caller) -> SshSpec | None:
    if draft.ssh is None:
        return None
    mine = address_of(caller)
    cidrs = draft.ssh.cidrs if draft.ssh.cidrs is not None else ((mine,) if mine else ())
    return SshSpec(draft.ssh.key_name, draft.ssh.public_key, cidrs)


def _external_dns(draft: Draft) -> ExternalDnsSpec | None:
    if draft.external_dns is None:
        return None
    return ExternalDnsSpec(draft.external_dns.hosted_zone_id or "", draft.external_dns.domain or "")


def _addons(draft: Draft) -> tuple[AddonSpec, ...]:
    """The default add-ons and the requested ones; a requested one replaces the default of its name."""
    names = [*DEFAULT_ADDONS] if draft.default_addons else []
    names += ["external-dns"] if draft.external_dns else []
    needs_agent = draft.pod_identities or ADDON_ROLES.keys() & {*names, *(addon.name for addon in draft.addons)}
    names += [POD_IDENTITY_AGENT] if needs_agent and POD_IDENTITY_AGENT not in names else []
    asked = {addon.name for addon in draft.addons}
    return (*draft.addons, *(AddonSpec(name) for name in names if name not in asked))


def _by_access_role(draft: Draft, caller: Caller) -> bool:
    """Whether the requester enters with the lab's own role: the default for people of the directory."""
    if draft.access_role is not None:
        return draft.access_role
    return caller.in_directory and (draft.access is None or draft.requester_too)


def _access(draft: Draft, region: str, caller: Caller) -> tuple[AccessSpec, ...]:
    """The requested entries, and the requester as administrator if there are none, or if the draft wants both."""
    asked = draft.access or ()
    requester = principal_of(caller.arn)
    wanted = draft.access is None or draft.requester_too
    by_role = _by_access_role(draft, caller)
    if (
        not wanted
        or by_role
        or requester is None
        or any(same_principal(entry.principal_arn, requester) for entry in asked)
    ):
        return asked
    return (*asked, AccessSpec(requester, (AccessPolicySpec(admin_policy(region)),)))
